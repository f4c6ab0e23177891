"""The run of section 3, from the noises to the denoised pictures."""
from __future__ import annotations

import numpy as np

from tf1_autoencoders.reporting import figures
from tf1_autoencoders.reporting.metrics import mean_squared_error, peak_signal_to_noise_ratio
from tf1_autoencoders.sections import run as common
from tf1_autoencoders.sections import section3_denoising as section
from tf1_autoencoders.utils.paths import shown

measure = common.measure_by_epochs(section)


@common.keeping(section)
def run(settings, options, kept):
    """Section 3: noise taken out of Fashion-MNIST."""
    data, source = section.load(settings, data=options.data, data_dir=options.data_dir)
    arrays, (_, test_clean) = section.training_arrays(data), data["test"]
    n_rows, n_epochs = len(arrays[0]), settings.epochs_before + settings.n_epochs
    settings = section.resolve(settings, n_rows)
    report = kept.report(settings, source, arrays)

    report.heading("Pictures with noise")
    random = np.random.default_rng(settings.seed)
    clean = test_clean[:common.N_SHOWN]
    noisy = {kind: noise(clean, section.STRENGTHS[kind], random) for kind, noise in section.NOISES.items()}
    report.figure("noises", "The four noises that the report names",
                  figures.grid({"clean": clean, **noisy}, "Test pictures, clean and with each noise", highest=1))
    report.heading("The autoencoder")
    with common.network(section, settings, arrays, options) as made:
        trainer, model = made.trainer, made.model
        common.layer_table(report, model)
        report.heading("Training")
        report.say(f"noise: {settings.noise}, strength {settings.strength}")
        if settings.epochs_before:
            report.say(f"the report's curve is of a network trained before: its epoch 1 is epoch "
                       f"{settings.epochs_before + 1} here")
        with kept.training(report, made) as going_on:
            numbers = common.train_epochs(trainer, settings, n_rows, common.saying(report, n_epochs), **going_on)
        report.measured.update(numbers)
        common.best_epoch(report, numbers, settings)
        if report.published:
            first = report.published["epoch 1 loss"]
            losses = [value for name, value in numbers.items() if name.endswith(" loss")]
            report.say(f"the published first loss, {first}, is nearest to that of epoch "
                       f"{1 + int(np.argmin(np.abs(np.log(losses) - np.log(first))))} of this fresh network")
        common.say_distance(report)
        report.figure("curves", "Loss and val_loss; the published epoch 1 stands where a fresh network comes to it",
                      figures.curves(numbers, report.published, "Section 3: MSE"))
        report.say(f"Model saved in path: {shown(kept.path)}")

        report.heading("Prediction")
        rows, ratios = {"clean": clean}, []
        for kind, noise in section.NOISES.items():
            all_noisy = noise(test_clean, section.STRENGTHS[kind], np.random.default_rng(settings.seed))
            answers = trainer.predict(all_noisy, test_clean)
            rows[kind], rows[kind + ",\ndenoised"] = all_noisy[:common.N_SHOWN], answers[:common.N_SHOWN]
            ratios.append((kind, section.STRENGTHS[kind],
                           f"{mean_squared_error(test_clean, all_noisy):.4f}",
                           f"{mean_squared_error(test_clean, answers):.4f}",
                           f"{peak_signal_to_noise_ratio(all_noisy, test_clean):.1f}",
                           f"{peak_signal_to_noise_ratio(answers, test_clean):.1f}"))
        report.figure("denoised", f"Clean, noisy, denoised; the network has seen {settings.noise} only",
                      figures.grid(rows, f"Trained on {settings.noise} only", highest=1))
        report.table(f"Section 3: {len(test_clean)} test pictures, by a network trained on {settings.noise} only",
                     ("noise", "strength", "MSE noisy", "MSE denoised", "PSNR noisy, dB", "PSNR denoised, dB"), ratios)
    return report
