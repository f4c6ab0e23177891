"""Each section from its data to its last picture, in the report's order and words."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from tf1_autoencoders import checkpoint, figures, section2_horses, training
from tf1_autoencoders.evaluate import figure_of, mean_squared_error, reconstruct_image
from tf1_autoencoders.paths import shown
from tf1_autoencoders.published import SECTION2_TRAIN_MSE
from tf1_autoencoders.results import Report

COLLAPSED = 0.75  # share of the mean picture's MSE above which a run of section 2 counts as collapsed
N_SHOWN = 10  # test horses in the grid


def section2(settings, options):
    """Section 2: the horses.

    Args:
        settings: section2_horses.Settings.
        options: results.Options.
    """
    section = section2_horses
    folder = checkpoint.prepare_folder(Path(options.checkpoint_dir) / "section2")
    data, source = section.load(data=options.data, data_dir=options.data_dir)
    (x, y), (test_x, test_y) = data["train"], data["test"]
    (train_x,), test_horses = section.training_arrays(data), section.horses(test_x, test_y)
    settings = section.resolve(settings, len(train_x))
    report = Report(2, section.TITLE, settings, options, source, (train_x,))

    report.say(f"X: {x.shape}", f"Y: {y.shape}", f"horses: {train_x.shape}")
    del x, y, data  # 200 MB that training does not need
    horse = train_x[section.FIRST_LOOK:section.FIRST_LOOK + 1]
    report.figure("horse_53", figures.pictures([horse], [f"horse {section.FIRST_LOOK}"]))
    passed = section.pipeline_check(horse)
    if not np.array_equal(passed, horse):
        raise AssertionError("the input pipeline changes pictures")
    report.say(f"pipeline check, batch_size 1: {passed.shape}, horse {section.FIRST_LOOK} comes out as it went in")
    report.figure("pipeline_check", figures.pictures(
        [horse, passed], [f"horse {section.FIRST_LOOK}", "out of the pipeline"]))

    report.say(f"network: {' -> '.join(map(str, section.widths(settings)))}", "Training...")
    trace = {}
    model = section.build_graph(settings)
    with training.Session(model, options.threads) as session:
        session.run(model.initializer)
        trainer = training.GraphTrainer(session, model, (train_x,), settings.batch_size)
        with report.timed(session):
            for epoch, metrics in train_section2(trainer, settings, len(train_x), say=report.say):
                trace[epoch] = metrics["mse"]
                report.record(epoch=epoch, **metrics)
                report.measured(f"{epoch} Train MSE: {metrics['mse']:.4f}", SECTION2_TRAIN_MSE.get(epoch),
                                f"L2: {metrics['l2']:.4f}")
        saver = model.weights_saver if options.weights_only else model.saver
        path = checkpoint.save(session, saver, folder, report.settings)
        report.say(f"Model saved in path: {shown(path)}")
        answers = trainer.predict(test_horses)
    report.figure("loss_trace", figures.trace(trace, None if source.is_sample else SECTION2_TRAIN_MSE))

    test_mse = mean_squared_error(test_horses, answers)
    report.record(test_horses_mse=test_mse)
    errors = [f"{mean_squared_error(*pair):.0f}" for pair in zip(test_horses[:N_SHOWN], answers[:N_SHOWN])]
    report.figure("test_horses", figures.grid(test_horses[:N_SHOWN], answers[:N_SHOWN], errors,
                                              f"The first {N_SHOWN} test horses, each with its MSE"))
    image = section.TEST_IMAGE
    made = reconstruct_image(test_x, image, checkpoint_path=path)
    report.say(f"INFO:tensorflow:Restoring parameters from {shown(path)}", "Model restored.", made.reconstructed.shape)
    report.figure(f"image_{image}", figure_of(made, image))
    report.table("Section 2: MSE of one batch, squared grey levels",
                 ("epoch", "published", "measured", "measured / published"),
                 [(epoch, SECTION2_TRAIN_MSE.get(epoch, "-"), f"{mse:.1f}",
                   f"{mse / SECTION2_TRAIN_MSE[epoch]:.2f}" if epoch in SECTION2_TRAIN_MSE else "-")
                  for epoch, mse in trace.items()])
    report.say("", f"MSE over the {len(test_horses)} test horses: {test_mse:.1f}; of image {image}: {made.mse:.1f}"
                   f"{report.mark}")
    if not source.is_sample:
        report.say(f"distance from the published trace (root mean square of log ratio): {distance(trace):.3f}")


def train_section2(trainer, settings, n_rows, say=lambda shape: None):
    """Train section 2's network; yields training.Measurement.

    As in the source, one batch is taken first, to print its shape, and one for each printed MSE, so that the batches
    behind the printed MSEs are the published ones.
    """
    turn = training.RowsInTurn(n_rows)
    size, n = settings.batch_size, settings.steps_per_epoch * settings.batch_size
    say(trainer.first_batch(turn.take(size)).shape)
    if settings.shuffle:
        def order(epoch):
            return training.shuffled(n_rows, settings.seed, epoch)
        rows_of, measured_rows_of = lambda epoch: order(epoch)[:n], lambda epoch: order(epoch)[-size:]
    else:
        rows_of, measured_rows_of = lambda epoch: turn.take(n), lambda epoch: turn.take(size)
    return training.fit(trainer, n_epochs=settings.n_epochs, rows_of=rows_of, measure_every=settings.print_every,
                        measured_rows_of=measured_rows_of)


def measure_section2(settings, data):
    """Train once and give each number that a run of section 2 prints: {name: float}.

    `collapsed` is 1 where the last printed MSE is not clearly below that of answering every picture with the mean
    picture: the hidden layers have died, as ELU layers fed with grey levels can.
    """
    section = section2_horses
    (train_x,), test_horses = section.training_arrays(data), section.horses(*data["test"])
    settings = section.resolve(settings, len(train_x))
    model = section.build_graph(settings)
    with training.Session(model) as session:
        session.run(model.initializer)
        trainer = training.GraphTrainer(session, model, (train_x,), settings.batch_size)
        trace = {epoch: metrics["mse"] for epoch, metrics in train_section2(trainer, settings, len(train_x))}
        answers = trainer.predict(test_horses)
    mean_picture_mse = mean_squared_error(train_x, train_x.mean(axis=0))
    return {**{f"{epoch} Train MSE": mse for epoch, mse in trace.items()},
            "MSE over the test horses": mean_squared_error(test_horses, answers),
            "distance from the published trace": distance(trace),
            "collapsed": float(trace[max(trace)] > COLLAPSED * mean_picture_mse)}


def distance(trace):
    """How far {epoch: mse} is from the published trace: root mean square of log(measured / published)."""
    epochs = [epoch for epoch in trace if epoch in SECTION2_TRAIN_MSE]
    return float(np.sqrt(np.mean([np.log(trace[epoch] / SECTION2_TRAIN_MSE[epoch]) ** 2 for epoch in epochs])))

