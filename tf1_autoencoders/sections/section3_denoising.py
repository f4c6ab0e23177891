"""Section 3 of the report: a convolutional autoencoder that removes noise from Fashion-MNIST.

    28x28 -> conv 64 - pool -> conv 32 - pool -> conv 16 - pool -> 4x4x16
          -> conv 16 - up -> conv 32 - up -> conv 64 (valid: 16 to 14) - up -> conv 1        3x3, relu, linear output

Source: the report, section 3, where the network is written in Keras. Where the report is silent, the notebook that it
was built from (Kaggle, shivamb, "how autoencoders work") and imgaug, which draws that notebook's noise.

Departures: the graph is ours, the Keras twin is the report's listing. The published curve is that of a network that
had been trained before: the cell with `fit` had been run, and was run again. Three more epochs are therefore trained
here than the report prints (pretrain_epochs), and the published epochs stand beside the later ones. The mean curve of
two seeds is then 0.02 away from the published curve (root mean square of the log ratio). After two or four earlier
epochs the distance would be 0.06 and 0.07, and more than 0.11 if the model had been compiled again
(docs/reproduction.md).
"""
from __future__ import annotations

import dataclasses
import math
from functools import partial
from typing import Any, Callable, ClassVar, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from tf1_autoencoders.datasets import fashion_mnist
from tf1_autoencoders.datasets.image_rows import image_from_rows
from tf1_autoencoders.graphs.fused import layers_named
from tf1_autoencoders.graphs.graph_model import GraphModel, finish_graph
from tf1_autoencoders.graphs.input_pipeline import aligned_copy, ordered_batches
from tf1_autoencoders.graphs.layers import cosine_decay, max_pool, mean_squared_error
from tf1_autoencoders.graphs.strategy import wrap_optimizer
from tf1_autoencoders.keras_twin.build import (
    KERAS_EPSILON,
    exact_upsampling,
    keras_adam,
    keras_cosine_decay,
    keras_upsampling,
)
from tf1_autoencoders.reporting import baselines, figures, metrics, published
from tf1_autoencoders.sections.contract import BOUNDS_OF_ALL, FACTOR, TOLERANCES, Section, with_decay_steps
from tf1_autoencoders.sections.evaluation import Answer, Asked, images_asked_for
from tf1_autoencoders.sections.run import N_SHOWN, Run
from tf1_autoencoders.sections.trained import Trained, further_pretrained, open_trained
from tf1_autoencoders.training.row_order import check_batch_size, n_training_rows, shuffled_rows
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UsageError, UserError
from tf1_autoencoders.utils.frameworks import keras, tf1
from tf1_autoencoders.utils.paths import display_path

# ---- Four noises: functions of images float32[n, 28, 28, 1] in 0..1, a strength and a numpy Generator ----

def salt_and_pepper(x: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """Replace a fraction `strength` of the pixels by 255 * Beta(0.5, 0.5), rounded down, as imgaug's SaltAndPepper."""
    replaced = random.random(x.shape, dtype=np.float32) < strength
    noisy = x.copy()
    noisy[replaced] = np.floor(255 * random.beta(0.5, 0.5, int(replaced.sum()))) / 255
    return noisy


def gaussian(x: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """Add normal noise of standard deviation `strength`, clipped to 0..1."""
    return np.clip(x + strength * random.standard_normal(x.shape, dtype=np.float32), 0, 1)


def periodic(x: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """Add a plane sine wave of amplitude `strength`, 2 to 8 periods a side, of random direction and phase, clipped."""
    n, height, width = x.shape[:3]
    periods, angle, phase = (random.uniform(low, high, (n, 1, 1, 1)).astype(np.float32)
                             for low, high in ((2, 8), (0, np.pi), (0, 2 * np.pi)))
    row = np.arange(height, dtype=np.float32)[:, None, None] / height
    column = np.arange(width, dtype=np.float32)[None, :, None] / width
    wave = np.sin(2 * np.pi * periods * (np.cos(angle) * column + np.sin(angle) * row) + phase)
    return np.clip(x + np.float32(strength) * wave, 0, 1)


def speckle(x: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """Multiply by 1 + normal noise of standard deviation `strength`, clipped to 0..1."""
    return np.clip(x * (1 + strength * random.standard_normal(x.shape, dtype=np.float32)), 0, 1)


NOISES = {"salt-and-pepper": salt_and_pepper, "gaussian": gaussian, "periodic": periodic, "speckle": speckle}
NOISE_STRENGTHS = {"salt-and-pepper": 0.1, "gaussian": 0.2, "periodic": 0.3, "speckle": 0.5}  # source; the others: ours


def all_noises(x: np.ndarray, factor: float, random: np.random.Generator) -> np.ndarray:
    """Add one of the four noises to each image, drawn with equal chances, of `factor` times its strength."""
    noisy, drawn = np.empty_like(x), random.integers(len(NOISES), size=len(x))
    for number, (name, noise) in enumerate(NOISES.items()):
        noisy[drawn == number] = noise(x[drawn == number], factor * NOISE_STRENGTHS[name], random)
    return noisy


def check_strength(noise: str, strength: Optional[float]) -> None:
    """Raise UsageError if salt and pepper would fall on more than all pixels."""
    highest = {"salt-and-pepper": 1.0, "all": 1 / NOISE_STRENGTHS["salt-and-pepper"]}.get(noise, np.inf)
    if strength is not None and strength > highest:
        raise UsageError(f"--noise-strength {strength:g}: the strength of {noise} is a "
                         f"{'factor of the four' if noise == 'all' else 'fraction of the pixels'}; expected a number "
                         f"from 0 to {highest:g}")


def add_noise(x: np.ndarray, noise: str, strength: Optional[float], random: np.random.Generator) -> np.ndarray:
    """Add a noise of NOISES to the images; strength None is the noise's own in NOISE_STRENGTHS."""
    check_strength(noise, strength)
    return NOISES[noise](x, NOISE_STRENGTHS[noise] if strength is None else strength, random)


TRAINING_NOISES = {**NOISES, "all": all_noises}
TRAINING_STRENGTHS = {**NOISE_STRENGTHS, "all": 1.0}


# ---- Settings ----

@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything that a run of section 3 depends on."""

    side: int = 28  # pixels; listed
    n_filters_1: int = 64  # listed
    n_filters_2: int = 32  # listed
    n_filters_3: int = 16  # listed
    noise: str = "salt-and-pepper"  # key of TRAINING_NOISES; stated
    noise_strength: float = NOISE_STRENGTHS["salt-and-pepper"]  # fraction, deviation, amplitude or factor; source
    learning_rate: float = 0.001  # Keras's default for 'adam'; listed
    adam_epsilon: float = KERAS_EPSILON  # of Adam, Keras's default for 'adam'; listed
    cosine_decay: bool = False  # bring the learning rate down to 0 along a half cosine; ours
    decay_steps: Optional[int] = None  # of the cosine; None: all steps of the training; ours
    batch_size: int = 2048  # images; source (printed: 24 steps for 48000 images)
    n_epochs: int = 10  # the epochs that the report prints; printed
    pretrain_epochs: int = 3  # trained before the first epoch that the report prints; read from its curve
    patience: int = 10  # epochs without a better val_loss before the end; source
    validation_split: float = 0.2  # fraction of the training images; printed
    kernels: str = "fused"  # or "plain": the layers of graphs.fused, which need less memory and time; ours
    seed: int = 0  # of initial values, noise, split and shuffling; ours
    BOUNDS: ClassVar[Dict[str, Any]] = {**BOUNDS_OF_ALL, "side": (4, 256), "n_filters_1": (1, 512),
                                        "n_filters_2": (1, 512), "n_filters_3": (1, 512),
                                        "noise": tuple(TRAINING_NOISES), "noise_strength": FACTOR}


PRESETS = {"report": Settings(),
           "long": Settings(n_epochs=500, pretrain_epochs=0, patience=500, learning_rate=0.002, cosine_decay=True)}
PRESET_HELP = {"report": "the published run, and the epochs that were trained before it",
               "long": "the report's wish: 500 epochs, with a decaying learning rate (see --precision)"}
OPTIONS: Sequence[Any] = (
    cli.SettingOption("--noise", "noise", choices=tuple(TRAINING_NOISES),
                      help="type of noise to add and remove; all: one of the four for each image (default: "
                           "salt-and-pepper)"),
    cli.SettingOption("--noise-strength", "noise_strength", type=cli.real_number(highest=1000),
                      metavar="X", help="strength of the noise: fraction of pixels in 0..1, standard deviation or "
                      "amplitude of pixels in 0..1, for all a factor (defaults: "
                      + ", ".join(f"{noise} {x}" for noise, x in TRAINING_STRENGTHS.items()) + ")"),
    cli.SettingOption("--pretrain-epochs", "pretrain_epochs", type=cli.whole_number(0),
                      metavar="N", help="epochs trained before the first epoch that the report prints (default: "
                      f"{PRESETS['report'].pretrain_epochs}; 0 if --epochs is given)"))

# Two of the largest relative differences of a step are larger than elsewhere. A bias's gradient adds up to
# n = 1.6 million numbers (batch and pixels), in Keras in another order than in TensorFlow 1: 4 * 6e-8 * sqrt(n) = 3e-4;
# measured up to 2.5e-4.
# The graph convolves upsampled images in sums of another order too: measured 2e-6 in the outputs. In the kernels'
# gradients float32 itself is up to 3.8e-5 from float64 (`crosscheck --section 3 --rounding`, seeds 0 and 1), because a
# rounding decides which pixel of a pool is the largest. Two orders of sums may differ by twice as much; measured up to
# 4.3e-5.
CROSSCHECK_TOLERANCES = {**TOLERANCES, "exact": {**TOLERANCES["exact"], "gradients": 8e-5, "bias gradients": 3e-4}}


def with_options(settings: Settings, **changes: Any) -> Settings:
    """Return the settings with a user's choices.

    Another noise brings its own strength, and a number of epochs leaves the pretrain_epochs out, unless both are given.
    """
    if "noise" in changes:
        changes.setdefault("noise_strength", TRAINING_STRENGTHS[changes["noise"]])
    if "n_epochs" in changes:
        changes.setdefault("pretrain_epochs", 0)
    return dataclasses.replace(settings, **changes)


def check_settings(settings: Settings, n_rows: int) -> Settings:
    """Return the settings with decay_steps as a number if the rate decays, after a check against n_rows images.

    Raises:
        UsageError: a batch would be larger than the data trained on; or see check_strength.
    """
    check_strength(settings.noise, settings.noise_strength)
    n = n_training_rows(n_rows, settings.validation_split)
    check_batch_size(settings.batch_size, n, "images to train on")
    n_steps = (settings.pretrain_epochs + settings.n_epochs) * math.ceil(n / settings.batch_size)
    return with_decay_steps(settings, n_steps)


# ---- Data ----

def load(settings: Settings, **data_options: Any) -> Tuple[Dict[str, Any], Any]:
    """Load Fashion-MNIST, clean and with noise.

    Args:
        data_options: data= and data_dir= of datasets.fashion_mnist.load.

    Returns:
        ({"train": (noisy, clean), "test": (noisy, clean)}, source), all float32[n, 28, 28, 1] in 0..1. The training
        images are in a random order of their own; the last validation_split of them are the validation images.
    """
    images = fashion_mnist.load(**data_options)
    random = np.random.default_rng(settings.seed)
    order = random.permutation(len(images["train"].x))
    clean = {"train": aligned_copy(to_unit(images["train"].x[order])), "test": to_unit(images["test"].x)}
    noise = TRAINING_NOISES[settings.noise]
    return ({split: (aligned_copy(noise(x, settings.noise_strength, random)), x) for split, x in clean.items()},
            images["train"].source)


def to_unit(x: np.ndarray) -> np.ndarray:
    """Scale to 0..1: uint8[n, 28, 28] -> float32[n, 28, 28, 1]."""
    return x[..., None].astype(np.float32) / np.float32(255)


# ---- The network as a TensorFlow 1 graph ----

def build_graph(settings: Settings) -> GraphModel:
    """Build the network as a TensorFlow 1 graph.

    Variables: conv2d, conv2d_1, ... conv2d_6, each with kernel and bias. Metrics: loss, the MSE in squared units of
    0..1.

    Returns:
        GraphModel; features (noisy) and outputs are float32[batch, side, side, 1].
    """
    with tf1.Graph().as_default():
        # Inputs
        image = [settings.side, settings.side, 1]
        pipeline = ordered_batches((image, tf1.float32), (image, tf1.float32))
        noisy, clean = pipeline.batch
        seeds = iter(range(10 * settings.seed, 10 * settings.seed + 7))
        layers = layers_named(settings.kernels)
        conv = partial(layers.conv_layer, activation=tf1.nn.relu)

        # Encoder
        encoded = layers.conv_max_pool(noisy, settings.n_filters_1, seed=next(seeds))
        encoded = max_pool(conv(encoded, settings.n_filters_2, seed=next(seeds)))
        latent = max_pool(conv(encoded, settings.n_filters_3, seed=next(seeds)))

        # Decoder
        decoded = layers.upsample(conv(latent, settings.n_filters_3, seed=next(seeds)))
        decoded = layers.upsample(conv(decoded, settings.n_filters_2, seed=next(seeds)))
        decoded = layers.upsample(conv(decoded, settings.n_filters_1, padding="VALID", seed=next(seeds)))
        outputs = layers.conv_layer(decoded, 1, seed=next(seeds))
        assert outputs.shape.as_list() == clean.shape.as_list() == [None, *image]

        # Loss and optimiser
        loss = mean_squared_error(outputs, clean)
        learning_rate, global_step = cosine_decay(settings.learning_rate, settings.decay_steps)
        optimizer = wrap_optimizer(tf1.train.AdamOptimizer(learning_rate, epsilon=settings.adam_epsilon))
        train_op = optimizer.minimize(loss, global_step=global_step)
        return finish_graph(pipeline, noisy, outputs, loss, {"loss": loss}, train_op)


def signatures(model: GraphModel) -> Dict[str, Tuple[Dict[str, Any], Dict[str, Any]]]:
    """Return the functions that an exported model offers: {name: ({argument: tensor}, {result: tensor})}."""
    return {"denoise": ({"noisy": model.features}, {"denoised": model.outputs})}


# ---- The network in Keras, as the report lists it ----

def build_keras(settings: Settings, make_optimizer: Callable[..., Any] = keras_adam,
                upsampling: Callable[[str], Any] = keras_upsampling) -> Any:
    """Build the report's listing, compiled: float32[batch, side, side, 1] -> float32[batch, side, side, 1]."""
    layers = keras.layers
    input_layer = keras.Input(shape=(settings.side, settings.side, 1))

    encoded_layer1 = layers.Conv2D(settings.n_filters_1, (3, 3), activation="relu", padding="same",
                                   name="conv2d")(input_layer)
    encoded_layer1 = layers.MaxPool2D((2, 2), padding="same", name="max_pooling2d")(encoded_layer1)
    encoded_layer2 = layers.Conv2D(settings.n_filters_2, (3, 3), activation="relu", padding="same",
                                   name="conv2d_1")(encoded_layer1)
    encoded_layer2 = layers.MaxPool2D((2, 2), padding="same", name="max_pooling2d_1")(encoded_layer2)
    encoded_layer3 = layers.Conv2D(settings.n_filters_3, (3, 3), activation="relu", padding="same",
                                   name="conv2d_2")(encoded_layer2)
    latent_view = layers.MaxPool2D((2, 2), padding="same", name="max_pooling2d_2")(encoded_layer3)

    decoded_layer1 = layers.Conv2D(settings.n_filters_3, (3, 3), activation="relu", padding="same",
                                   name="conv2d_3")(latent_view)
    decoded_layer1 = upsampling("up_sampling2d")(decoded_layer1)
    decoded_layer2 = layers.Conv2D(settings.n_filters_2, (3, 3), activation="relu", padding="same",
                                   name="conv2d_4")(decoded_layer1)
    decoded_layer2 = upsampling("up_sampling2d_1")(decoded_layer2)
    decoded_layer3 = layers.Conv2D(settings.n_filters_1, (3, 3), activation="relu", name="conv2d_5")(decoded_layer2)
    decoded_layer3 = upsampling("up_sampling2d_2")(decoded_layer3)
    output_layer = layers.Conv2D(1, (3, 3), padding="same", name="conv2d_6")(decoded_layer3)

    model = keras.Model(input_layer, output_layer)
    learning_rate = keras_cosine_decay(settings.learning_rate, settings.decay_steps)
    model.compile(optimizer=make_optimizer(learning_rate, epsilon=settings.adam_epsilon), loss="mse")
    return model


# ---- Training ----

def fit_arguments(settings: Settings, n_rows: int) -> Dict[str, Any]:
    """Return the arguments of training.loop.fit: shuffled epochs, validation and early stopping, as Keras's fit."""
    n = n_training_rows(n_rows, settings.validation_split)
    return dict(n_epochs=settings.pretrain_epochs + settings.n_epochs,
                rows_for_epoch=lambda epoch: shuffled_rows(n, settings.seed, epoch),
                validation_rows=np.arange(n, n_rows), patience=settings.patience)


def named_metrics(settings: Settings, epoch: int, metrics: Dict[str, float]) -> Dict[str, float]:
    """Return an epoch's metrics under the names of PUBLISHED, whose epoch 1 follows the pretrain_epochs."""
    return {f"epoch {epoch + 1 - settings.pretrain_epochs} {name}": value for name, value in metrics.items()}


# ---- Evaluation: one image through the trained network ----

def describe_network(settings: Settings) -> str:
    """Return a short name of a trained network: the epochs of its training and the noise that it saw."""
    noise = "all noises" if settings.noise == "all" else settings.noise
    return f"{settings.pretrain_epochs + settings.n_epochs} epochs, {noise}"


class Denoised(NamedTuple):
    """The result of denoise_image.

    | field    | type                  | meaning                                         |
    |----------|-----------------------|-------------------------------------------------|
    | clean    | float32[1, 28, 28, 1] | the image, 0..1                                 |
    | noisy    | float32[1, 28, 28, 1] | the image with noise                            |
    | denoised | float32[1, 28, 28, 1] | the network's output for it, not clipped        |
    | trained  | Trained               | the network: checkpoint, settings, origin, mark |
    """

    clean: np.ndarray
    noisy: np.ndarray
    denoised: np.ndarray
    trained: Trained


def denoise_image(df: Any, image_number: int, *, noise: str = "salt-and-pepper", strength: Optional[float] = None,
                  seed: int = 0, checkpoint_path: Any = None, settings: Optional[Settings] = None,
                  is_sample: bool = False) -> Denoised:
    """Add noise to one image and remove the noise with a trained model.ckpt, as section 2's reconstruct_image.

    Args:
        df: array or pandas DataFrame [n, 784], one clean image a row, grey levels 0..255.
        image_number: the row.
        noise: key of NOISES.
        strength: fraction, standard deviation or amplitude; None for the noise's own in NOISE_STRENGTHS.
        seed: of the noise.
        checkpoint_path, settings, is_sample: see trained.open_trained.

    Raises:
        UserError: there is no such noise; df has no such rows, or image_number is none of them; or see
            trained.open_trained.
    """
    if noise not in NOISES:
        raise UserError(f"noise {noise!r}: expected one of {', '.join(NOISES)}")
    with open_trained(SECTION, checkpoint_path, settings, is_sample) as (trainer, trained):
        side = trained.settings.side
        clean = image_from_rows(df, image_number, side * side).reshape(1, side, side, 1) / np.float32(255)
        noisy = add_noise(clean, noise, strength, np.random.default_rng([seed, image_number]))
        return Denoised(clean, noisy, trainer.predict(noisy, clean), trained)


EVALUATE_OPTIONS: Sequence[Any] = (
    cli.SettingOption("--noise", "noise", choices=tuple(NOISES), help="noise of section 3 (default: salt-and-pepper)"),
    cli.SettingOption("--noise-strength", "noise_strength", type=cli.real_number(highest=1000), metavar="X",
                      help="its strength (defaults: "
                           + ", ".join(f"{noise} {x}" for noise, x in NOISE_STRENGTHS.items()) + ")"))


def networks_asked(asked: Asked) -> List[Dict[str, Any]]:
    """Return the arguments of open_trained for each network to show: the one asked for; or the default and those that
    were trained for longer."""
    if any(value is not None for value in asked.network.values()):
        return [asked.network]
    return [asked.network] + [{"checkpoint_path": path} for path in further_pretrained(SECTION)]


def outputs_of_networks(networks: Sequence[Dict[str, Any]], is_sample: bool,
                        *arrays: np.ndarray) -> Dict[str, Tuple[np.ndarray, str]]:
    """Return {network: (its outputs for the arrays, mark)}; the arguments of open_trained name the networks."""
    outputs = {}
    for network in networks:
        with open_trained(SECTION, is_sample=is_sample, **network) as (trainer, trained):
            outputs[describe_network(trained.settings)] = trainer.predict(*arrays), trained.mark
    return outputs


def quality(images: np.ndarray, clean: np.ndarray) -> Dict[str, float]:
    """Return {measure: mean over images} of images [n, height, width, 1] in 0..1 against clean ones."""
    return {"psnr": metrics.peak_signal_to_noise_ratio(images, clean),
            "ssim": metrics.structural_similarity(images, clean)}


def format_quality(values: Dict[str, float]) -> str:
    return f"PSNR {values['psnr']:.1f} dB, SSIM {values['ssim']:.3f}"


def format_change(values: Dict[str, float], noisy: Dict[str, float]) -> str:
    """Return the quality of a network's images, and by which measures they are worse than the noisy images."""
    worse = " and ".join(measure.upper() for measure, value in values.items() if value < noisy[measure])
    return format_quality(values) + (f", which is worse than the noisy input by {worse}" if worse else "")


def evaluate(asked: Asked, noise: Optional[str] = None, noise_strength: Optional[float] = None) -> Answer:
    """Denoise the image that `evaluate` asks for, by each network: qualities, and all images."""
    check_strength(noise or "salt-and-pepper", noise_strength)
    images, noise = images_asked_for(SECTION, asked), noise or "salt-and-pepper"
    results: Dict[str, Denoised] = {}
    for network in networks_asked(asked):
        result = denoise_image(images.rows, images.number, is_sample=images.is_sample, noise=noise,
                               strength=noise_strength, **network)
        results.setdefault(describe_network(result.trained.settings), result)
    first = next(iter(results.values()))
    shown = {"noisy": first.noisy, **{network: result.denoised for network, result in results.items()}}
    marks = {"noisy": first.trained.mark, **{network: result.trained.mark for network, result in results.items()}}
    qualities = {label: quality(image, first.clean) for label, image in shown.items()}
    noisy, *denoised = qualities.values()
    notes = [f"{label}\n{format_quality(value)}" for label, value in qualities.items()]
    return Answer({"image": images.shown, "noise": noise, "noisy": noisy, "denoised": denoised[0],
                   "networks": dict(zip(results, denoised))},
                  [f"data: {images.source}", f"noise: {noise}",
                   *(f"{label}: {format_change(value, noisy)}{marks[label]}" for label, value in qualities.items())],
                  first.trained.checkpoint, first.trained.origin, first.trained.mark,
                  figures.images([first.clean, *shown.values()], [images.shown, noise, *["denoised"] * len(results)],
                                 highest=1, notes=["", *notes]), f"section3_{images.file_name}_{noise}")


def evaluation_arrays(rows: np.ndarray, noise: Optional[str] = None,
                      noise_strength: Optional[float] = None) -> Tuple[np.ndarray, np.ndarray]:
    """Return (noisy, clean), float32[n, 28, 28, 1] in 0..1, of the test images for `evaluate --all`."""
    side = PRESETS["report"].side
    clean = (rows / np.float32(255)).reshape(-1, side, side, 1)
    return add_noise(clean, noise or "salt-and-pepper", noise_strength, np.random.default_rng(0)), clean


def further_evaluation(asked: Asked, is_sample: bool, trained: Trained, arrays: Sequence[np.ndarray],
                       outputs: np.ndarray, noise: Optional[str] = None,
                       noise_strength: Optional[float] = None) -> Tuple[Dict[str, Any], List[str]]:
    """Return (values, lines) of `evaluate --all`: the quality of the noisy images, a median filter and each network."""
    (noisy, clean), noise = arrays, noise or "salt-and-pepper"
    own, further = describe_network(trained.settings), outputs_of_networks(
        networks_asked(asked)[1:], is_sample, noisy, clean)
    further.pop(own, None)  # a run of one's own stands in place of a shipped network of this name
    qualities, lines = {}, []
    for label, (images, mark) in {"noisy": (noisy, trained.mark),
                                  "median 3x3": (baselines.median_filter(noisy), trained.mark),
                                  own: (outputs, trained.mark), **further}.items():
        qualities[label] = quality(images, clean)
        lines.append(f"{noise}, {label}: {format_change(qualities[label], qualities['noisy'])}{mark}")
    return {"noise": noise, "quality": qualities}, lines


# ---- The section, from the noises to the denoised images ----

def denoise_test_images(trainer: Any, clean: np.ndarray, noise: str, seed: int) -> Tuple[Dict[str, np.ndarray], Any]:
    """Return the first N_SHOWN images {"noisy", "denoised", "clean"}, and the table's MSE and PSNR over all images:
    each of the noisy images, of the median filter's and of the network's."""
    noisy = NOISES[noise](clean, NOISE_STRENGTHS[noise], np.random.default_rng(seed))
    denoised = trainer.predict(noisy, clean)
    compared = (noisy, baselines.median_filter(noisy), denoised)
    shown = {"noisy": noisy, "denoised": denoised, "clean": clean}
    return ({state: images[:N_SHOWN].copy() for state, images in shown.items()},
            [*(f"{metrics.mean_squared_error(clean, images):.4f}" for images in compared),
             *(f"{metrics.peak_signal_to_noise_ratio(images, clean):.1f}" for images in compared)])


def experiment(run: Run) -> None:
    """Section 3 of the report: noise removed from Fashion-MNIST."""
    settings, log, n_before = run.settings, run.log, run.settings.pretrain_epochs
    _, test_clean = run.data["test"]

    log.heading("Images with noise")
    random = np.random.default_rng(settings.seed)
    clean = test_clean[:N_SHOWN]
    noisy = {name: noise(clean, NOISE_STRENGTHS[name], random) for name, noise in NOISES.items()}
    log.figure("noises", "The four noises that the report names",
               figures.grid({"clean": clean, **noisy}, "Test images, clean and with each noise", highest=1))

    log.heading("The autoencoder")
    trainer = run.trainer
    log.layer_table(published.SUMMARIES[3][""], trainer)

    log.heading("Training")
    log.say(f"noise: {settings.noise}, strength {settings.noise_strength}")
    if n_before:
        log.say(f"the report's curve is that of a network trained before: its epoch 1 is epoch {n_before + 1} here")
    for epoch, values in run.fit():
        note = f"the report's epoch {epoch + 1 - n_before}" if n_before and epoch >= n_before and log.published \
            else ""
        log.keras_epoch(epoch + 1, n_before + settings.n_epochs, values, named_metrics(settings, epoch, values),
                        note)
    log.best_epoch(settings.patience)
    if log.published:
        first = log.published["epoch 1 loss"]
        losses = [value for name, value in log.measured.items() if name.endswith(" loss")]
        log.say(f"the published first loss, {first}, is nearest to that of epoch "
                f"{1 + int(np.argmin(np.abs(np.log(losses) - np.log(first))))} of this fresh network")
    log.distance_to_published()
    log.figure("curves", "Loss and val_loss; the published epoch 1 stands where a fresh network reaches its loss",
               figures.curves(log.measured, log.published, "Section 3: MSE", log.bands.values))
    log.say(f"Model saved in path: {display_path(run.checkpoint)}")

    log.heading("Prediction")
    del run.data  # the prediction needs their 0.4 GB
    rows: Dict[str, Dict[str, np.ndarray]] = {}
    ratios = []
    for name in NOISES:
        rows[name], measured = denoise_test_images(trainer, test_clean, name, settings.seed)
        ratios.append((name, NOISE_STRENGTHS[name], *measured))
        if name == settings.noise:
            log.key_figure(f"PSNR, {name}, denoised", f"{measured[-3]} to {measured[-1]} dB")
    log.slider("denoised", f"Test images, noisy, denoised and clean; trained on {settings.noise} only", {
        state: figures.grid({name: images[state] for name, images in rows.items()},
                            f"{state}; trained on {settings.noise} only", highest=1)
        for state in ("noisy", "denoised", "clean")})
    log.table(f"Section 3: {len(test_clean)} test images, by a network trained on {settings.noise} only",
              ("noise", "strength", *(f"{measure} {images}" for measure in ("MSE", "PSNR, dB,")
                                      for images in ("noisy", "median 3x3", "network"))), ratios)
    if not run.source.is_sample and settings.side == PRESETS["report"].side:
        show_longer_training(run, test_clean)


def show_longer_training(run: Run, clean: np.ndarray) -> None:
    """Put the networks that come with the project, which were trained for longer, beside the run's own."""
    settings, log = run.settings, run.log
    log.heading("After more epochs, which the report wished for: the networks that come with the project")
    noise = "salt-and-pepper" if settings.noise == "all" else settings.noise
    noisy = add_noise(clean, noise, None, np.random.default_rng(settings.seed))
    outputs = {f"this run: {describe_network(settings)}": (run.trainer.predict(noisy, clean), ""),
               **outputs_of_networks([{"checkpoint_path": path} for path in further_pretrained(SECTION)], False,
                                     noisy, clean)}
    images = {"noisy": noisy, **{network: output for network, (output, _) in outputs.items()}}
    log.figure("longer", f"Test images with {noise} noise, denoised by networks of several trainings", figures.grid(
        {name.replace(", ", ",\n"): rows[:N_SHOWN] for name, rows in
         {**images, "clean": clean}.items()}, f"{noise} noise, removed after more or fewer epochs", highest=1))
    log.table(f"Section 3: {len(clean)} test images with {noise} noise, by networks of several trainings",
              ("images", "MSE", "PSNR, dB", "SSIM"), [
                  (name, f"{metrics.mean_squared_error(clean, rows):.4f}", f"{measures['psnr']:.1f}",
                   f"{measures['ssim']:.3f}")
                  for name, rows in images.items() for measures in (quality(rows, clean),)])


SECTION = Section(
    number=3, title="Image denoising on Fashion-MNIST", about=__doc__, file=__file__, published=published.METRICS[3],
    verdict_note="Every published number is inside the spread, once the curve is aligned with the fourth epoch of a "
                 "fresh network: the published network had been trained for about three epochs before.",
    settings_class=Settings, presets=PRESETS, preset_help=PRESET_HELP, options=OPTIONS,
    check_settings=check_settings, with_options=with_options,
    network_settings=("side", "n_filters_1", "n_filters_2", "n_filters_3"),
    # Older checkpoints lack these.
    former_names=dict.fromkeys(("adam_epsilon", "cosine_decay", "decay_steps", "kernels")),
    data_plan=lambda settings, **data_options: (fashion_mnist.plan(**data_options), 60000), load=load,
    build_graph=build_graph, build_keras=build_keras, signatures=signatures,
    crosscheck_tolerances=CROSSCHECK_TOLERANCES, exact_layers={"upsampling": exact_upsampling},
    fit_arguments=fit_arguments, named_metrics=named_metrics, minutes=2.3, memory_gb=1.7, pays_with_workers=True,
    experiment=experiment,
    evaluate=evaluate, evaluate_options=EVALUATE_OPTIONS, test_images=fashion_mnist.test_rows,
    picture=dict(side=28, light_on_black=True), evaluation_arrays=evaluation_arrays,
    further_evaluation=further_evaluation)
