"""Section 2 of the report: a stacked autoencoder on the grey horses of CIFAR-10, in low-level TensorFlow 1.

    1024 -> 200 -> 150 -> 200 -> 1024        ELU, linear output, Xavier, MSE, Adam

Source: the report, section 2. Where the report is silent, the tutorial that it was built from (guru99,
"autoencoder-deep-learning"; the same code is notebook 22_autoencoder of thomaspernet/Tensorflow, after chapter 15 of
A. Geron's handson-ml). Each setting carries its mark: stated, printed, source (the tutorial), or trace (read from the
published trace: of the readings tried, only this one reproduces the trace bump for bump).

Departures: every initialiser has a seed of its own, so that a run can be repeated (the report's cannot). The
checkpoint lies in checkpoints/section2/ and not in the working directory. The preset "tuned" is ours.
"""
from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path
from typing import Any, Callable, ClassVar, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from tf1_autoencoders.datasets import cifar10
from tf1_autoencoders.datasets.drawn_sample import CLASSES_CIFAR10
from tf1_autoencoders.datasets.image_rows import image_from_rows
from tf1_autoencoders.graphs.fused import gate_gradients, layers_named, whole
from tf1_autoencoders.graphs.graph_model import GraphModel, finish_graph
from tf1_autoencoders.graphs.input_pipeline import ordered_batches, repeated_batches
from tf1_autoencoders.graphs.layers import cosine_decay
from tf1_autoencoders.graphs.strategy import wrap_optimizer
from tf1_autoencoders.keras_twin.build import keras_adam, keras_cosine_decay
from tf1_autoencoders.reporting import baselines, comparison, figures, metrics, published
from tf1_autoencoders.sections.contract import BOUNDS_OF_ALL, FACTOR, WIDTH, Section, with_decay_steps
from tf1_autoencoders.sections.evaluation import TEST_IMAGE, Answer, Asked, images_asked_for
from tf1_autoencoders.sections.run import N_SHOWN, Run
from tf1_autoencoders.sections.trained import Trained, open_trained
from tf1_autoencoders.training.row_order import check_batch_size, cyclic_rows, shuffled_rows
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UsageError
from tf1_autoencoders.utils.frameworks import keras, tf1
from tf1_autoencoders.utils.paths import display_path

CLASSES = CLASSES_CIFAR10
HORSE = 7  # the class
TEST_MSE = "MSE over the test horses"  # a number of `spread`
FIRST_IMAGE = 53  # the horse that the report shows before training
MAX_IMAGES_PER_EPOCH = 10 ** 8  # whose row numbers need 0.8 GB


# ---- Settings ----

@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything that a run of section 2 depends on; the defaults are the report's reading."""

    n_input: int = 1024  # grey pixels of an image; printed
    n_hidden_1: int = 200  # units; stated
    n_hidden_2: int = 150  # units; trace (the drawing is lost)
    n_hidden_3: int = 200  # units; trace, source (as n_hidden_1)
    learning_rate: float = 0.01  # of Adam; stated
    cosine_decay: bool = False  # bring the learning rate down to 0 along a half cosine; ours
    decay_steps: Optional[int] = None  # of the cosine; None: all steps of the training; ours
    l2_reg: float = 0.0001  # contrib's scale: l2_reg / 2 * sum(kernel ** 2) a layer; stated
    l2_in_loss: bool = False  # is the L2 term minimised, or declared only; trace, source (stated otherwise)
    batch_size: int = 150  # images; printed (stated: 100)
    steps_per_epoch: Optional[int] = None  # None: the whole batches in the data, 5000 // 150 = 33; source
    n_epochs: int = 100  # stated
    print_every: int = 10  # epochs; printed
    shuffle: bool = False  # rows in a new order every epoch; source (it does not shuffle)
    mirror: bool = False  # train on the mirror images of the horses too; ours
    pixel_center: float = 0.0  # grey levels, subtracted from the network's input; ours
    pixel_scale: float = 1.0  # a factor after the subtraction; ours (the source feeds grey levels 0..255 unchanged)
    seed: int = 0  # of initial values and shuffling; ours
    kernels: str = "fused"  # or "plain": the layers of graphs.fused, with the same digits on all CPUs tried; ours
    BOUNDS: ClassVar[Dict[str, Any]] = {**BOUNDS_OF_ALL, "n_input": WIDTH, "n_hidden_1": WIDTH, "n_hidden_2": WIDTH,
                                        "n_hidden_3": WIDTH, "l2_reg": FACTOR, "steps_per_epoch": (1, 1_000_000),
                                        "print_every": (1, 1_000_000), "pixel_center": (0.0, 255.0),
                                        "pixel_scale": FACTOR}


PRESETS = {
    "report": Settings(),
    "text": Settings(batch_size=100, l2_in_loss=True),  # as the prose has it: 50 batches of 100, L2 minimised
    "source": Settings(n_hidden_1=300, n_hidden_3=300),  # the tutorial's widths
    "tuned": Settings(learning_rate=0.003, cosine_decay=True, steps_per_epoch=33, shuffle=True, mirror=True,
                      pixel_center=127.5, pixel_scale=1 / 2040)}
PRESET_HELP = {
    "report": "the published run, read from its trace: 200-150-200, 33 steps of 150, L2 declared, not minimised",
    "text": "the report's prose: 50 steps of 100, L2 minimised",
    "source": "the tutorial behind the report: 300-150-300",
    "tuned": "ours: the report's widths, epochs and batch; centred pixels, shuffled, mirror images, a decaying rate"}
OPTIONS: Sequence[Any] = (
    cli.SettingOption("--steps-per-epoch", "steps_per_epoch", type=cli.whole_number(1), metavar="N",
                      help="training steps of an epoch (default: the whole batches in the data, 33)"),
    cli.SettingOption("--l2", "l2_reg", type=cli.real_number(highest=1000), metavar="X",
                      help="scale of the L2 term, X/2 times the sum of squared kernels "
                           f"(default: {PRESETS['report'].l2_reg})"),
    cli.SettingOption("--l2-in-loss", "l2_in_loss", type=cli.yes_or_no, metavar="{yes,no}",
                      help="minimise the L2 term, or report it only (default: no)"),
    cli.SettingOption("--shuffle", "shuffle", type=cli.yes_or_no, metavar="{yes,no}",
                      help="images in a new order each epoch (default: no)"),
    cli.SettingOption("--print-every", "print_every", type=cli.whole_number(1), metavar="N",
                      help=f"epochs from one printed MSE to the next (default: {PRESETS['report'].print_every})"))


def check_settings(settings: Settings, n_rows: int) -> Settings:
    """Return the settings with steps_per_epoch as a number, and decay_steps if the rate decays, for n_rows images.

    Raises:
        UsageError: a batch would be larger than the data; or an epoch would have more than MAX_IMAGES_PER_EPOCH.
    """
    check_batch_size(settings.batch_size, n_rows, "horses")
    n_images = (settings.steps_per_epoch or 0) * settings.batch_size
    if n_images > MAX_IMAGES_PER_EPOCH:
        raise UsageError(f"--steps-per-epoch {settings.steps_per_epoch} with --batch-size {settings.batch_size}: "
                         f"{n_images} images an epoch; expected {MAX_IMAGES_PER_EPOCH} or fewer")
    n_steps = settings.steps_per_epoch or n_rows // settings.batch_size
    return with_decay_steps(dataclasses.replace(settings, steps_per_epoch=n_steps), settings.n_epochs * n_steps)


# ---- Data ----

def load(settings: Optional[Settings], splits: Tuple[str, ...] = ("train", "test"),
         **data_options: Any) -> Tuple[Dict[str, Any], Any]:
    """Load splits of CIFAR-10 in grey, which no setting changes.

    Args:
        data_options: data= and data_dir= of datasets.cifar10.load.

    Returns:
        ({split: (x, y)}, source): x float32[n, 1024] grey levels 0..255, y uint8[n] classes.
    """
    images = cifar10.load(splits, **data_options)
    return ({split: (to_grey(images[split].x), images[split].y) for split in splits}, images[splits[0]].source)


def to_grey(x: np.ndarray) -> np.ndarray:
    """Return the mean of the three channels: uint8[n, 3072] -> float32[n, 1024], grey levels 0..255."""
    channels = x.reshape(len(x), 3, -1)
    return (channels[:, 0].astype(np.uint16) + channels[:, 1] + channels[:, 2]) / np.float32(3)


def select_horses(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the rows of class 7, which the report selects with np.where."""
    return x[np.where(y == HORSE)]


def training_arrays(data: Mapping[str, Any], settings: Settings) -> Tuple[np.ndarray, ...]:
    """Return what the graph's pipeline is fed with, from what load() returns: (float32[5000, 1024],).

    With settings.mirror, the mirror images of the horses follow the horses: (float32[10000, 1024],).
    """
    horses = select_horses(*data["train"])
    if not settings.mirror:
        return (horses,)
    side = int(round(settings.n_input ** 0.5))
    mirrored = horses.reshape(-1, side, side)[:, :, ::-1].reshape(len(horses), settings.n_input)
    return (np.concatenate([horses, mirrored]),)


def pipeline_check(image: np.ndarray) -> np.ndarray:
    """Send one image through the pipeline with batch size 1: float32[1, n_input] -> float32[1, n_input]."""
    with tf1.Graph().as_default():
        pipeline = repeated_batches(image.shape[1])
        with tf1.Session() as session:
            session.run(pipeline.load, {pipeline.data[0]: image, pipeline.batch_size: 1})
            return session.run(pipeline.batch[0])


# ---- The network as a TensorFlow 1 graph ----

def widths(settings: Settings) -> Tuple[int, ...]:
    """Return the widths of the input, the hidden layers and the output."""
    return (settings.n_input, settings.n_hidden_1, settings.n_hidden_2, settings.n_hidden_3, settings.n_input)


def build_graph(settings: Settings) -> GraphModel:
    """Build the network as a TensorFlow 1 graph.

    Variables: dense, dense_1, dense_2, dense_3, each with kernel and bias, Adam's slots, beta1_power, beta2_power
    (and global_step if the learning rate decays). Metrics: mse, in squared grey levels, and l2, the whole L2 term.
    Tensors: hidden_2 float32[batch, n_hidden_2], the code.

    Args:
        settings: Settings; with cosine_decay, decay_steps must be a number.

    Returns:
        GraphModel; features and outputs are float32[batch, n_input] in grey levels.
    """
    with tf1.Graph().as_default():
        # Inputs
        pipeline = (ordered_batches(([settings.n_input], tf1.float32)) if settings.shuffle
                    else repeated_batches(settings.n_input))
        features, = pipeline.batch
        pixels = (features - settings.pixel_center) * settings.pixel_scale

        # Encoder and decoder
        seeds = iter(range(10 * settings.seed, 10 * settings.seed + 4))
        layers = layers_named(settings.kernels)
        dense = partial(layers.dense_layer, l2=settings.l2_reg)
        hidden_1 = dense(pixels, settings.n_hidden_1, activation=tf1.nn.elu, seed=next(seeds))
        hidden_2 = dense(hidden_1, settings.n_hidden_2, activation=tf1.nn.elu, seed=next(seeds))
        hidden_3 = dense(hidden_2, settings.n_hidden_3, activation=tf1.nn.elu, seed=next(seeds))
        decoded = dense(hidden_3, settings.n_input, seed=next(seeds))
        outputs = whole(decoded) / settings.pixel_scale + settings.pixel_center
        assert outputs.shape.as_list() == features.shape.as_list() == [None, settings.n_input]

        # Loss
        squared_error = layers.mean_squared_error(decoded, pixels)
        l2_loss = tf1.losses.get_regularization_loss()
        loss = squared_error + l2_loss if settings.l2_in_loss else squared_error

        # Optimiser
        learning_rate, global_step = cosine_decay(settings.learning_rate, settings.decay_steps)
        optimizer = wrap_optimizer(tf1.train.AdamOptimizer(learning_rate))
        train_op = optimizer.minimize(loss, global_step=global_step, gate_gradients=gate_gradients(settings.kernels))

        return finish_graph(pipeline, features, outputs, loss,
                            {"mse": squared_error / settings.pixel_scale ** 2, "l2": l2_loss}, train_op,
                            small_ops=settings.kernels == "fused", hidden_2=whole(hidden_2))


def signatures(model: GraphModel) -> Dict[str, Tuple[Dict[str, Any], Dict[str, Any]]]:
    """Return the functions that an exported model offers: {name: ({argument: tensor}, {result: tensor})}."""
    features, codes = {"images": model.features}, {"codes": model.tensors["hidden_2"]}
    outputs = {"reconstructed": model.outputs}
    return {"reconstruct": (features, outputs), "encode": (features, codes), "decode": (codes, outputs)}


# ---- The same network in Keras ----

def build_keras(settings: Settings, make_optimizer: Callable[..., Any] = keras_adam) -> Any:
    """Build the same network in Keras, compiled: float32[batch, n_input] grey levels -> float32[batch, n_input].

    Layers: dense, dense_1, dense_2, dense_3, as Keras would number them in a new process.
    """
    def dense(units: int, name: str, activation: Optional[str] = None) -> Any:
        # Keras's L2(l) is l * sum(w ** 2); contrib's l2_regularizer(s), which the report uses, is half of that.
        penalty = keras.regularizers.L2(settings.l2_reg / 2) if settings.l2_in_loss else None
        return keras.layers.Dense(units, activation, kernel_regularizer=penalty, name=name)

    inputs = keras.Input((settings.n_input,))
    encoded = dense(settings.n_hidden_1, "dense", "elu")((inputs - settings.pixel_center) * settings.pixel_scale)
    encoded = dense(settings.n_hidden_2, "dense_1", "elu")(encoded)
    decoded = dense(settings.n_hidden_3, "dense_2", "elu")(encoded)
    decoded = dense(settings.n_input, "dense_3")(decoded)
    model = keras.Model(inputs, decoded / settings.pixel_scale + settings.pixel_center)

    learning_rate = keras_cosine_decay(settings.learning_rate, settings.decay_steps)
    keras.saving.register_keras_serializable("tf1_autoencoders")(ScaledSquaredError)
    model.compile(optimizer=make_optimizer(learning_rate), loss=ScaledSquaredError(settings.pixel_scale))
    return model


class ScaledSquaredError:
    """The twin's loss: the mean of ((outputs - targets) * pixel_scale) ** 2, as the graph minimises it.

    A class and not a closure, so that Keras can save the compiled twin. load_model finds the class in a process that
    has called build_keras; elsewhere, load_model(path, compile=False) loads the network without its loss.
    """

    def __init__(self, pixel_scale: float) -> None:
        self.pixel_scale = pixel_scale

    def __call__(self, targets: Any, outputs: Any) -> Any:  # tf1 in a Keras loss: the operations of the graph
        return tf1.reduce_mean(tf1.square((outputs - targets) * self.pixel_scale))

    def get_config(self) -> Dict[str, float]:
        """Return the arguments of __init__, which Keras saves."""
        return {"pixel_scale": self.pixel_scale}

    @classmethod
    def from_config(cls, config: Mapping[str, float]) -> ScaledSquaredError:
        """Return the loss that get_config describes."""
        return cls(**config)


def keras_metrics(settings: Settings, keras_model: Any, values: Dict[str, float]) -> Dict[str, float]:
    """Return the graph's metrics mse and l2 from Keras's values, {"loss": float}."""
    kernels = [layer.kernel for layer in keras_model.layers if hasattr(layer, "kernel")]
    l2_loss = settings.l2_reg / 2 * sum(float(np.sum(np.square(kernel))) for kernel in kernels)
    squared_error = values["loss"] - l2_loss if settings.l2_in_loss else values["loss"]
    return {"mse": squared_error / settings.pixel_scale ** 2, "l2": l2_loss}


# ---- Training ----

def fit_arguments(settings: Settings, n_rows: int) -> Dict[str, Any]:
    """Return the arguments of training.loop.fit, with the batches of the report's pipeline.

    The pipeline repeats the horses in their order. In the source, one batch is taken to print its shape, and one more
    for each printed MSE. The printed MSEs are therefore those of particular, known batches.
    """
    size, n = settings.batch_size, (settings.steps_per_epoch or 0) * settings.batch_size

    def position(epoch: int) -> int:
        """Return how many rows the pipeline has given before an epoch begins."""
        n_printed = -(-epoch // settings.print_every)  # MSEs, before this epoch
        return size + epoch * n + n_printed * size

    def rows_for_epoch(epoch: int) -> np.ndarray:
        if settings.shuffle:
            return shuffled_rows(n_rows, settings.seed, epoch)[:n]
        return cyclic_rows(position(epoch), n, n_rows)

    def evaluation_rows(epoch: int) -> np.ndarray:
        if settings.shuffle:
            return shuffled_rows(n_rows, settings.seed, epoch)[-size:]
        return cyclic_rows(position(epoch) + n, size, n_rows)

    return dict(n_epochs=settings.n_epochs, rows_for_epoch=rows_for_epoch, evaluate_every=settings.print_every,
                evaluation_rows=evaluation_rows)


def named_metrics(settings: Settings, epoch: int, metrics: Dict[str, float]) -> Dict[str, float]:
    """Return an epoch's MSE under its name in PUBLISHED, which counts epochs from 0."""
    return {f"epoch {epoch} Train MSE": metrics["mse"]}


# ---- Evaluation: one image through the trained network ----

def test_images(**data_options: Any) -> Tuple[np.ndarray, Any]:
    """Return (float32[10000, 1024] grey levels, source) of the test images, for evaluate."""
    data, source = load(None, ("test",), **data_options)
    return data["test"][0], source


class Reconstruction(NamedTuple):
    """The result of reconstruct_image.

    | field         | type             | meaning                                                                 |
    |---------------|------------------|-------------------------------------------------------------------------|
    | real          | float32[1, 1024] | the image, grey levels 0..255                                           |
    | reconstructed | float32[1, 1024] | the network's output for the image, not clipped                         |
    | mse           | float            | mean squared error between the two, in squared grey levels              |
    | checkpoint    | Path             | the restored checkpoint, without suffix                                 |
    | origin        | dict             | the checkpoint's settings.json: settings, data, versions; {} if missing |
    | mark          | str              | what stands beside the result if drawn images are part of it, else ""   |
    """

    real: np.ndarray
    reconstructed: np.ndarray
    mse: float
    checkpoint: Path
    origin: Dict[str, Any]
    mark: str


def reconstruct_image(df: Any, image_number: int, *, checkpoint_path: Any = None,
                      settings: Optional[Settings] = None, is_sample: bool = False) -> Reconstruction:
    """Encode and decode one image with a trained model.ckpt, in a graph and a session of its own.

    Args:
        df: array or pandas DataFrame [n, 1024], one image a row, grey levels 0..255.
        image_number: the row.
        checkpoint_path: a checkpoint or its folder; None for trained.choose_checkpoint.
        settings: Settings of the checkpoint, if no settings.json lies beside it; None for the report's.
        is_sample: whether df is of the drawn sample.

    Raises:
        UserError: df has no such rows, or image_number is none of them; the checkpoint is missing, damaged or of
            another architecture; or settings contradict those saved beside the checkpoint.
    """
    with open_trained(SECTION, checkpoint_path, settings, is_sample) as (trainer, trained):
        image = image_from_rows(df, image_number, trained.settings.n_input)
        reconstructed = trainer.predict(image)
    return Reconstruction(image, reconstructed, metrics.mean_squared_error(image, reconstructed), trained.checkpoint,
                          trained.origin, trained.mark)


def reconstruction_figure(reconstruction: Reconstruction, name: str) -> Any:
    """Draw the image, under its name, and its reconstruction side by side."""
    return figures.images([reconstruction.real, reconstruction.reconstructed], [name, "reconstructed"],
                          f"MSE {reconstruction.mse:.1f} squared grey levels")


def evaluate(asked: Asked) -> Answer:
    """Reconstruct the image that `evaluate` asks for: the report's lines, the MSE, and both images."""
    images = images_asked_for(SECTION, asked)
    result = reconstruct_image(images.rows, images.number, is_sample=images.is_sample, **asked.network)
    label = images.shown if asked.file else f"image {images.number}"
    return Answer({"image": images.shown, "mse": result.mse}, [
        f"data: {images.source}", f"INFO:tensorflow:Restoring parameters from {display_path(result.checkpoint)}",
        "Model restored.", str(result.reconstructed.shape),
        f"MSE of {label}: {result.mse:.1f} squared grey levels{result.mark}"],
        result.checkpoint, result.origin, result.mark, reconstruction_figure(result, images.shown), images.file_name)


def further_evaluation(asked: Asked, is_sample: bool, trained: Trained, arrays: Sequence[np.ndarray],
                       outputs: np.ndarray) -> Tuple[Dict[str, Any], List[str]]:
    """Return (values, lines) of `evaluate --all`: the MSE of the horses, of the others, and of each class."""
    classes = load(None, ("test",), **asked.data_options)[0]["test"][1]
    errors = {name: metrics.mean_squared_error(arrays[0][classes == number], outputs[classes == number])
              for number, name in enumerate(CLASSES) if np.any(classes == number)}
    horses = {which: metrics.mean_squared_error(arrays[0][rows], outputs[rows])
              for which, rows in (("horses", classes == HORSE), ("others", classes != HORSE))}
    return ({"mse_horses": horses["horses"], "mse_others": horses["others"], "mse_of_class": errors},
            [f"horses, which the network was trained on: {horses['horses']:.4g}; "
             f"the other classes: {horses['others']:.4g}{trained.mark}",
             "by class: " + ", ".join(f"{name} {errors[name]:.4g}" for name in sorted(errors, key=errors.__getitem__))])


# ---- The section, from the data to test image 13 ----

def experiment(run: Run) -> None:
    """Section 2 of the report: the horses, from the data to the reconstruction of test image 13."""
    settings, log, source = run.settings, run.log, run.source
    (x, y), (test_x, test_y) = run.data["train"], run.data["test"]
    horses, test_horses = select_horses(x, y), select_horses(test_x, test_y)

    log.heading("Data set and preprocessing")
    log.say(f"X: {x.shape}", f"Y: {y.shape}",
            f"classes: {', '.join(f'{number} {name}' for number, name in enumerate(CLASSES))}",
            f"horses: {horses.shape}")
    del x, y, run.data  # 200 MB that the training does not need
    horse = horses[FIRST_IMAGE:FIRST_IMAGE + 1]
    log.figure("horse_53", f"Horse {FIRST_IMAGE}", figures.images([horse], [f"horse {FIRST_IMAGE}"]))

    log.heading("Dataset estimator")
    passed = pipeline_check(horse)
    if not np.array_equal(passed, horse):
        raise AssertionError("the input pipeline changes images")
    log.say(f"pipeline check, batch_size 1: {passed.shape}, horse {FIRST_IMAGE} comes out as it went in")
    log.figure("pipeline_check", "The same image before and after the pipeline",
               figures.images([horse, passed], [f"horse {FIRST_IMAGE}", "out of the pipeline"]))

    log.heading("Building the network and running it")
    log.say(f"network: {' -> '.join(map(str, widths(settings)))}", "Training...")
    trainer = run.trainer
    log.say(trainer.first_batch(cyclic_rows(0, settings.batch_size, len(horses))).shape)
    log.say(f"L2 is the penalty, {settings.l2_reg / 2:g} times the sum of the squared kernels, which is "
            f"{'minimised too' if settings.l2_in_loss else 'printed only, not minimised'}")
    for epoch, values in run.fit():
        log.epoch(epoch, f"{epoch} Train MSE: {values['mse']:.4f}", values,
                  named_metrics(settings, epoch, values), f"L2: {values['l2']:.4f}")
    log.say(f"Model saved in path: {display_path(run.checkpoint)}")
    log.figure("loss_trace", f"The MSE of one batch, every {settings.print_every}th epoch",
               figures.curves(log.measured, log.published, "Section 2: MSE in squared grey levels, 0..255",
                            log.bands.values))

    log.heading("Evaluation")
    reconstruction = reconstruct_image(test_x, TEST_IMAGE, checkpoint_path=run.checkpoint,
                                       is_sample=source.is_sample)
    log.say(f"INFO:tensorflow:Restoring parameters from {display_path(reconstruction.checkpoint)}",
            "Model restored.", reconstruction.reconstructed.shape)
    log.figure(f"image_{TEST_IMAGE}", f"Test image {TEST_IMAGE}",
               reconstruction_figure(reconstruction, f"test image {TEST_IMAGE}"))
    outputs = trainer.predict(test_horses)
    errors = [f"{metrics.mean_squared_error(*pair):.0f}" for pair in zip(test_horses[:N_SHOWN], outputs)]
    log.figure("test_horses", "Test horses, original above reconstructed", figures.grid(
        {"original": test_horses[:N_SHOWN], "reconstructed": outputs[:N_SHOWN]},
        f"The first {N_SHOWN} test horses, each with its MSE", errors))
    test_mse = metrics.mean_squared_error(test_horses, outputs)
    log.record(None, {"test_horses_mse": test_mse, f"image_{TEST_IMAGE}_mse": reconstruction.mse})
    log.say(f"MSE over the {len(test_horses)} test horses: {test_mse:.1f}; "
            f"of image {TEST_IMAGE}: {reconstruction.mse:.1f}{log.mark}")
    log.key_figure("MSE over the test horses", f"{test_mse:.1f}")
    n = settings.n_hidden_2
    log.baselines(f"Section 2: MSE over the {len(test_horses)} test horses", {
        f"the network, {n} numbers": outputs,
        **{f"PCA, {k} numbers": rows for k, rows in zip((n, 10), baselines.reconstruct_by_pca(
            horses, test_horses, n, 10))},
        "the mean image": baselines.mean_image(horses, test_horses)}, test_horses)
    log.distance_to_published()
    tuned = comparison.seed_bands(2, "tuned").values.get(TEST_MSE, [])
    if run.options.preset == comparison.REPORT and log.published and tuned:
        log.say("why the network is this poor: its pixels are not scaled; with scaled pixels the same widths and "
                f"epochs have an MSE of {np.mean(tuned):.0f} over the test horses ({len(tuned)} seeds): "
                "python run_all.py --section 2 --preset tuned")


def further_numbers(trainer: Any, settings: Settings, data: Mapping[str, Any], named: Mapping[str, float],
                    backend: str) -> Dict[str, float]:
    """Return what `spread` measures beside the epochs: the test horses, and the distance from the report."""
    test_horses = select_horses(*data["test"])
    return {TEST_MSE: metrics.mean_squared_error(test_horses, trainer.predict(test_horses)),
            "distance from the published trace": metrics.log_distance(named, SECTION.published)}


SECTION = Section(
    number=2, title="Stacked autoencoder on CIFAR-10 horses", about=__doc__, file=__file__,
    published=published.METRICS[2],
    verdict_note="Every published number is inside the spread of the seeds, and all ten lie below its mean. A network "
                 "can collapse, because its hidden layers die on images that are not scaled; no band counts such a "
                 "run.",
    settings_class=Settings, presets=PRESETS, preset_help=PRESET_HELP, options=OPTIONS, check_settings=check_settings,
    network_settings=("n_input", "n_hidden_1", "n_hidden_2", "n_hidden_3", "pixel_center", "pixel_scale"),
    former_names={"cosine_decay": "decay", "decay_steps": None, "mirror": None, "kernels": None},
    data_plan=lambda settings, **data_options: (cifar10.plan(**data_options), 5000), load=load,
    training_arrays=training_arrays,
    build_graph=build_graph, build_keras=build_keras, keras_metrics=keras_metrics, signatures=signatures,
    bfloat16_overrides={"kernels": "plain"},  # TensorFlow's rewriter knows MatMul only
    # Measured with the exact Adam: at most 4e-7 in the gradients.
    further_crosschecks={"text (L2 minimised)": PRESETS["text"], "tuned": PRESETS["tuned"]},
    fit_arguments=fit_arguments, named_metrics=named_metrics, save_every=10, minutes=0.2, memory_gb=0.86,
    experiment=experiment, further_numbers=further_numbers,
    evaluate=evaluate, test_images=test_images, picture=dict(side=32, light_on_black=False),
    evaluation_arrays=lambda rows: (rows,), highest=255, further_evaluation=further_evaluation)
