"""The run of section 2, from the data to the reconstruction of test image 13."""
from __future__ import annotations

import numpy as np

from tf1_autoencoders import evaluate
from tf1_autoencoders.reporting import figures
from tf1_autoencoders.reporting.metrics import log_distance, mean_squared_error
from tf1_autoencoders.reporting.published import NUMBERS
from tf1_autoencoders.reporting.run_log import Options
from tf1_autoencoders.sections import section2_horses as section
from tf1_autoencoders.sections.run import N_SHOWN, keeping, network, say_distance
from tf1_autoencoders.training.loop import fit
from tf1_autoencoders.training.row_order import in_turn, shuffled
from tf1_autoencoders.utils.paths import shown

COLLAPSED = 0.75  # share of the mean picture's MSE above which a run counts as collapsed


@keeping(section)
def run(settings, options, kept):
    """Section 2: the horses."""
    data, source = section.load(settings, data=options.data, data_dir=options.data_dir)
    (x, y), (test_x, test_y) = data["train"], data["test"]
    arrays, test_horses = section.training_arrays(data), section.horses(test_x, test_y)
    train_x, = arrays
    settings = section.resolve(settings, len(train_x))
    report = kept.report(settings, source, arrays)

    report.heading("Data set and preprocessing")
    report.say(f"X: {x.shape}", f"Y: {y.shape}", f"horses: {train_x.shape}")
    del x, y, data  # 200 MB that training does not need
    horse = train_x[section.FIRST_LOOK:section.FIRST_LOOK + 1]
    report.figure("horse_53", f"Horse {section.FIRST_LOOK}", figures.pictures([horse], [f"horse {section.FIRST_LOOK}"]))
    report.heading("Dataset estimator")
    passed = section.pipeline_check(horse)
    if not np.array_equal(passed, horse):
        raise AssertionError("the input pipeline changes pictures")
    report.say(f"pipeline check, batch_size 1: {passed.shape}, horse {section.FIRST_LOOK} comes out as it went in")
    report.figure("pipeline_check", "The same picture before and behind the pipeline", figures.pictures(
        [horse, passed], [f"horse {section.FIRST_LOOK}", "out of the pipeline"]))

    report.heading("Building the network and running it")
    report.say(f"network: {' -> '.join(map(str, section.widths(settings)))}", "Training...")
    with network(section, settings, arrays, options) as made:
        with kept.training(report, made) as going_on:
            for epoch, metrics in train(made.trainer, settings, len(train_x), report.say, **going_on):
                name = f"epoch {epoch} Train MSE"
                report.measured[name] = metrics["mse"]
                report.epoch(epoch, f"{epoch} Train MSE: {metrics['mse']:.4f}", metrics, [name],
                             f"L2: {metrics['l2']:.4f}")
        report.say(f"Model saved in path: {shown(kept.path)}")
        answers = made.trainer.predict(test_horses)
    report.figure("loss_trace", "The MSE of one batch, every tenth epoch",
                  figures.curves(report.measured, report.published, "Section 2: MSE in squared grey levels, 0..255"))

    report.heading("Evaluation")
    image = section.TEST_IMAGE
    reconstruction = evaluate.reconstruct_image(test_x, image, checkpoint_path=kept.path)
    report.say(f"INFO:tensorflow:Restoring parameters from {shown(reconstruction.checkpoint)}", "Model restored.",
               reconstruction.reconstructed.shape)
    report.figure(f"image_{image}", f"Test image {image}", evaluate.figure_of(reconstruction, image))
    errors = [f"{mean_squared_error(*pair):.0f}" for pair in zip(test_horses[:N_SHOWN], answers[:N_SHOWN])]
    report.figure("test_horses", "Test horses, real above reconstructed", figures.grid(
        {"real": test_horses[:N_SHOWN], "reconstructed": answers[:N_SHOWN]},
        f"The first {N_SHOWN} test horses, each with its MSE", errors))
    test_mse = mean_squared_error(test_horses, answers)
    report.record(None, {"test_horses_mse": test_mse, f"image_{image}_mse": reconstruction.mse})
    report.say(f"MSE over the {len(test_horses)} test horses: {test_mse:.1f}; "
               f"of image {image}: {reconstruction.mse:.1f}{report.mark}")
    say_distance(report)
    return report


def train(trainer, settings, n_rows, say=lambda shape: None, **kept):
    """Train section 2's network; yields training.Measurement. `kept` is what common.Kept.training gives.

    As in the source, one batch is taken first, to print its shape, and one for each printed MSE, so that the batches
    behind the printed MSEs are the published ones.
    """
    size, n = settings.batch_size, settings.steps_per_epoch * settings.batch_size
    say(trainer.first_batch(in_turn(0, size, n_rows)).shape)

    def position(epoch):
        """The row that comes next in the report's pipeline when an epoch begins."""
        n_measured = -(-epoch // settings.print_every)  # batches, before this epoch
        return size + epoch * n + n_measured * size

    def rows_of(epoch):
        return shuffled(n_rows, settings.seed, epoch)[:n] if settings.shuffle else in_turn(position(epoch), n, n_rows)

    def measured_rows_of(epoch):
        return (shuffled(n_rows, settings.seed, epoch)[-size:] if settings.shuffle
                else in_turn(position(epoch) + n, size, n_rows))
    return fit(trainer, n_epochs=settings.n_epochs, rows_of=rows_of, measure_every=settings.print_every,
               measured_rows_of=measured_rows_of, **kept)


def measure(settings, data):
    """Train once and give the numbers, {name: float}, for `spread`.

    `collapsed` is 1 where the last printed MSE is not clearly below that of answering every picture with the mean
    picture: the hidden layers have died, as ELU layers fed with grey levels can.
    """
    (train_x,), test_horses = section.training_arrays(data), section.horses(*data["test"])
    settings = section.resolve(settings, len(train_x))
    with network(section, settings, (train_x,), Options()) as made:
        numbers = {f"epoch {epoch} Train MSE": metrics["mse"]
                   for epoch, metrics in train(made.trainer, settings, len(train_x))}
        answers = made.trainer.predict(test_horses)
    mean_picture_mse = mean_squared_error(train_x, train_x.mean(axis=0))
    last = numbers[max(numbers, key=lambda name: int(name.split()[1]))]
    return {**numbers, "MSE over the test horses": mean_squared_error(test_horses, answers),
            "distance from the published trace": log_distance(numbers, NUMBERS[2]),
            "collapsed": float(last > COLLAPSED * mean_picture_mse)}
