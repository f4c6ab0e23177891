"""The run of section 1, from the data to the map of the codes."""
from __future__ import annotations

import numpy as np

from tf1_autoencoders.reporting import figures
from tf1_autoencoders.sections import run as common
from tf1_autoencoders.sections import section1_reconstruction as section
from tf1_autoencoders.training.row_order import n_train
from tf1_autoencoders.utils.paths import shown

PAIRS = (("T-shirt/top", "Trouser"), ("Sandal", "Sneaker"), ("Bag", "Ankle boot"))  # whose codes are gone between

measure = common.measure_by_epochs(section)


@common.keeping(section)
def run(settings, options, kept):
    """Section 1: Fashion-MNIST through ten numbers."""
    data, source = section.load(settings, data=options.data, data_dir=options.data_dir)
    arrays, (test_x, test_y) = section.training_arrays(data), data["test"]
    x, n_rows = arrays[0], len(arrays[0])
    settings = section.resolve(settings, n_rows)
    report = kept.report(settings, source, arrays)
    n = n_train(n_rows, settings.validation_share)

    report.heading("Data set and preprocessing")
    report.say(f"train_x size : {(n_rows, 28, 28)}", f"train_y size : {data['train'][1].shape}",
               f"test_x size : {(len(test_x), 28, 28)}", f"test_y size : {test_y.shape}",
               "-----Dataset is reshaped", "-----Dataset is converted to float", "-----Dataset is normalized",
               f"train_x size : {x[:n].shape}", f"val_x size : {x[n:].shape}")
    report.heading("The autoencoder")
    with common.network(section, settings, arrays, options) as made:
        common.layer_table(report, made.model)
        report.heading("Training")
        with kept.training(report, made) as going_on:
            numbers = common.train_epochs(made.trainer, settings, n_rows, common.saying(report, settings.n_epochs),
                                          **going_on)
        report.measured.update(numbers)
        common.best_epoch(report, numbers, settings)
        common.say_distance(report)
        report.figure("curves", "Loss and val_loss", figures.curves(numbers, report.published, "Section 1: MSE"))
        report.say(f"Model saved in path: {shown(kept.path)}")

        report.heading("Prediction of validation pictures")
        real = x[n:n + common.N_SHOWN]
        answers = made.trainer.predict(real)
        report.figure("reconstructions", "Validation pictures, real and reconstructed",
                      figures.grid({"real": real, "reconstructed": answers}, "Validation pictures", highest=1))

        report.heading("The code at work: pictures between two codes, and a map of all codes")
        encode, decode = section.encoder_and_decoder(made.trainer)
        codes = encode(test_x)
        rows = {}
        for one, other in PAIRS:
            ends = [codes[np.argmax(test_y == section.CLASSES.index(kind))] for kind in (one, other)]
            rows[f"{one}\nto {other}"] = decode(section.between(*ends, common.N_SHOWN))
        report.figure("between", "Decoded from codes in even steps between those of two test pictures",
                      figures.grid(rows, "Pictures between two codes", highest=1))
        report.figure("code_map", "The ten-number codes of the test pictures along their two principal components",
                      figures.scatter(section.principal_components(codes), test_y, section.CLASSES,
                                      "Codes of the test pictures"))
    return report
