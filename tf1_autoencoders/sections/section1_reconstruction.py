"""Section 1 of the report: a dense autoencoder that reconstructs Fashion-MNIST.

    784 -> 2000 -> 1200 -> 500 -> 10 (sigmoid) -> 500 -> 1200 -> 2000 -> 784        relu, linear output, MSE, Adam

Source: the report, section 1, where the network is written in Keras. Where the report is silent, the notebook that it
was built from (Kaggle, shivamb, "how autoencoders work"). Each setting carries its mark: stated, listed, printed,
source.

The training losses that the report prints are not the means of its epochs. They are what the progress bar of its Keras
(TensorFlow 2.3 or 2.4) showed: the mean of the running means, which lies above the true mean while the loss falls. Both
are measured here, as progress_bar_loss and as loss; utils.epoch_means says how and why. The val_loss was always right.

Departures: the graph is ours, the Keras twin is the report's listing. The split and the shuffling have a seed. The
report's have none, so each of its numbers is one draw.
"""
from __future__ import annotations

import dataclasses
import math
from functools import partial
from typing import Any, Callable, ClassVar, Dict, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from tf1_autoencoders.datasets import fashion_mnist
from tf1_autoencoders.datasets.drawn_sample import CLASSES_FASHION_MNIST
from tf1_autoencoders.datasets.image_rows import image_from_rows
from tf1_autoencoders.graphs.graph_model import GraphModel, finish_graph
from tf1_autoencoders.graphs.input_pipeline import aligned_copy, ordered_batches
from tf1_autoencoders.graphs.layers import cosine_decay, dense_layer, mean_squared_error
from tf1_autoencoders.graphs.strategy import wrap_optimizer
from tf1_autoencoders.keras_twin.build import KERAS_EPSILON, keras_adam, keras_cosine_decay
from tf1_autoencoders.reporting import baselines, figures, metrics, published
from tf1_autoencoders.sections.contract import BOUNDS_OF_ALL, WIDTH, Section, with_decay_steps
from tf1_autoencoders.sections.evaluation import Answer, Asked, images_asked_for
from tf1_autoencoders.sections.run import N_SHOWN, Run
from tf1_autoencoders.sections.trained import Trained, open_trained
from tf1_autoencoders.training.row_order import check_batch_size, n_training_rows, shuffled_rows
from tf1_autoencoders.utils.frameworks import keras, tf1
from tf1_autoencoders.utils.paths import display_path

CLASSES = CLASSES_FASHION_MNIST
N_NEIGHBOURS_AMONG = 10000  # training images among which the nearest is looked for
PAIRS = (("T-shirt/top", "Trouser"), ("Sandal", "Sneaker"), ("Bag", "Ankle boot"))  # classes to interpolate between


# ---- Settings ----

@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything that a run of section 1 depends on."""

    n_input: int = 784  # pixels of an image; printed
    n_hidden_1: int = 2000  # units; listed
    n_hidden_2: int = 1200  # units; listed
    n_hidden_3: int = 500  # units; listed
    n_latent: int = 10  # units of the code; listed
    learning_rate: float = 0.001  # Keras's default for 'adam'; source
    adam_epsilon: float = KERAS_EPSILON  # of Adam, Keras's default for 'adam'; source
    cosine_decay: bool = False  # bring the learning rate down to 0 along a half cosine; ours
    decay_steps: Optional[int] = None  # of the cosine; None: all steps of the training; ours
    batch_size: int = 2048  # images; source (printed: 24 steps for 48000 images)
    n_epochs: int = 20  # printed
    patience: int = 10  # epochs without a better val_loss before the end; source
    validation_split: float = 0.2  # fraction of the training images; printed
    seed: int = 0  # of initial values, split and shuffling; ours
    BOUNDS: ClassVar[Dict[str, Any]] = {**BOUNDS_OF_ALL, "n_input": WIDTH, "n_hidden_1": WIDTH, "n_hidden_2": WIDTH,
                                        "n_hidden_3": WIDTH, "n_latent": WIDTH}


PRESETS = {"report": Settings(), "tuned": Settings(cosine_decay=True, batch_size=256),
           "map": Settings(n_hidden_1=32, n_hidden_2=128, n_hidden_3=64, n_latent=2, cosine_decay=True, batch_size=256,
                           n_epochs=100, patience=100)}
PRESET_HELP = {"report": "the published run",
               "tuned": "ours: the report's widths and epochs; batches of 256, a decaying learning rate",
               "map": "ours: a small network whose code has two numbers, for the map in docs/play.html"}


def check_settings(settings: Settings, n_rows: int) -> Settings:
    """Return the settings with decay_steps as a number if the rate decays, after a check against n_rows images.

    Raises:
        UsageError: a batch would be larger than the data trained on.
    """
    n = n_training_rows(n_rows, settings.validation_split)
    check_batch_size(settings.batch_size, n, "images to train on")
    n_steps = settings.n_epochs * math.ceil(n / settings.batch_size)
    return with_decay_steps(settings, n_steps)


# ---- Data ----

def load(settings: Settings, **data_options: Any) -> Tuple[Dict[str, Any], Any]:
    """Load Fashion-MNIST, preprocessed.

    Args:
        data_options: data= and data_dir= of datasets.fashion_mnist.load.

    Returns:
        ({"train": (x, y), "test": (x, y)}, source): x float32[n, 784] in 0..1, y uint8[n] classes. The training
        images are in a random order of their own; the last validation_split of them are the validation images.
    """
    splits = fashion_mnist.load(**data_options)
    train, test = splits["train"], splits["test"]
    order = np.random.default_rng(settings.seed).permutation(len(train.x))
    x_train = aligned_copy(preprocess(train.x[order]))
    return {"train": (x_train, train.y[order]), "test": (preprocess(test.x), test.y)}, train.source


def preprocess(x: np.ndarray) -> np.ndarray:
    """Reshape, convert, normalise: uint8[n, 28, 28] -> float32[n, 784] in 0..1."""
    return x.reshape(len(x), -1).astype(np.float32) / np.float32(255)


def training_arrays(data: Mapping[str, Any], settings: Settings) -> Tuple[np.ndarray, ...]:
    """Return what the graph's pipeline is fed with, from what load() returns: (float32[60000, 784],)."""
    return (data["train"][0],)


# ---- The network as a TensorFlow 1 graph ----

def build_graph(settings: Settings) -> GraphModel:
    """Build the network as a TensorFlow 1 graph.

    Variables: dense, dense_1, ... dense_7, each with kernel and bias. Metrics: loss, the MSE in squared units of 0..1.
    Tensors: latent float32[batch, n_latent], the code.

    Returns:
        GraphModel; features and outputs are float32[batch, n_input].
    """
    with tf1.Graph().as_default():
        # Inputs
        pipeline = ordered_batches(([settings.n_input], tf1.float32))
        features, = pipeline.batch
        seeds = iter(range(10 * settings.seed, 10 * settings.seed + 8))
        relu = partial(dense_layer, activation=tf1.nn.relu)

        # Encoder
        hidden_1 = relu(features, settings.n_hidden_1, seed=next(seeds))
        hidden_2 = relu(hidden_1, settings.n_hidden_2, seed=next(seeds))
        hidden_3 = relu(hidden_2, settings.n_hidden_3, seed=next(seeds))
        latent = dense_layer(hidden_3, settings.n_latent, activation=tf1.nn.sigmoid, seed=next(seeds))

        # Decoder
        hidden_5 = relu(latent, settings.n_hidden_3, seed=next(seeds))
        hidden_6 = relu(hidden_5, settings.n_hidden_2, seed=next(seeds))
        hidden_7 = relu(hidden_6, settings.n_hidden_1, seed=next(seeds))
        outputs = dense_layer(hidden_7, settings.n_input, seed=next(seeds))
        assert outputs.shape.as_list() == features.shape.as_list() == [None, settings.n_input]

        # Loss and optimiser
        loss = mean_squared_error(outputs, features)
        learning_rate, global_step = cosine_decay(settings.learning_rate, settings.decay_steps)
        optimizer = wrap_optimizer(tf1.train.AdamOptimizer(learning_rate, epsilon=settings.adam_epsilon))
        train_op = optimizer.minimize(loss, global_step=global_step)
        return finish_graph(pipeline, features, outputs, loss, {"loss": loss}, train_op, latent=latent)


def signatures(model: GraphModel) -> Dict[str, Tuple[Dict[str, Any], Dict[str, Any]]]:
    """Return the functions that an exported model offers: {name: ({argument: tensor}, {result: tensor})}."""
    features, codes = {"images": model.features}, {"codes": model.tensors["latent"]}
    outputs = {"reconstructed": model.outputs}
    return {"reconstruct": (features, outputs), "encode": (features, codes), "decode": (codes, outputs)}


# ---- The network in Keras, as the report lists it ----

def build_keras(settings: Settings, make_optimizer: Callable[..., Any] = keras_adam) -> Any:
    """Build the report's listing, compiled: float32[batch, n_input] -> float32[batch, n_input]."""
    input_layer = keras.Input(shape=(settings.n_input,))

    encode_layer1 = keras.layers.Dense(settings.n_hidden_1, activation="relu", name="dense")(input_layer)
    encode_layer2 = keras.layers.Dense(settings.n_hidden_2, activation="relu", name="dense_1")(encode_layer1)
    encode_layer3 = keras.layers.Dense(settings.n_hidden_3, activation="relu", name="dense_2")(encode_layer2)

    latent_view = keras.layers.Dense(settings.n_latent, activation="sigmoid", name="dense_3")(encode_layer3)

    decode_layer1 = keras.layers.Dense(settings.n_hidden_3, activation="relu", name="dense_4")(latent_view)
    decode_layer2 = keras.layers.Dense(settings.n_hidden_2, activation="relu", name="dense_5")(decode_layer1)
    decode_layer3 = keras.layers.Dense(settings.n_hidden_1, activation="relu", name="dense_6")(decode_layer2)

    output_layer = keras.layers.Dense(settings.n_input, name="dense_7")(decode_layer3)

    model = keras.Model(input_layer, output_layer)
    learning_rate = keras_cosine_decay(settings.learning_rate, settings.decay_steps)
    model.compile(optimizer=make_optimizer(learning_rate, epsilon=settings.adam_epsilon), loss="mse")
    return model


# ---- Training ----

def fit_arguments(settings: Settings, n_rows: int) -> Dict[str, Any]:
    """Return the arguments of training.loop.fit: shuffled epochs, validation and early stopping, as Keras's fit."""
    n = n_training_rows(n_rows, settings.validation_split)
    return dict(n_epochs=settings.n_epochs, rows_for_epoch=lambda epoch: shuffled_rows(n, settings.seed, epoch),
                validation_rows=np.arange(n, n_rows), patience=settings.patience)


# ---- The two halves of the trained network ----

def graph_encoder_decoder(trainer: Any) -> Tuple[Callable, Callable]:
    """Return the halves of a graph: functions of images [n, n_input] -> codes [n, n_latent], and back."""
    latent = trainer.model.tensors["latent"]
    return (lambda x: trainer.predict(x, fetch=latent),
            lambda codes: trainer.session.run(trainer.model.outputs, {latent: codes}))


def keras_halves(model: Any) -> Tuple[Any, Any]:
    """Return the halves of a Keras twin as two models: images [n, n_input] -> codes [n, n_latent], and back."""
    latent = model.get_layer("dense_3").output
    codes = keras.Input(shape=latent.shape[1:])
    decoded = codes
    for number in range(4, 8):
        decoded = model.get_layer(f"dense_{number}")(decoded)
    return keras.Model(model.input, latent), keras.Model(codes, decoded)


def keras_encoder_decoder(trainer: Any) -> Tuple[Callable, Callable]:
    """Return the halves of the Keras twin, as graph_encoder_decoder does."""
    encoder, decoder = keras_halves(trainer.model)
    return (lambda x: encoder.predict(x, verbose=0)), (lambda codes: decoder.predict(codes, verbose=0))


ENCODER_DECODER = {"graph": graph_encoder_decoder, "keras": keras_encoder_decoder}  # by RunOptions.backend


def principal_components(codes: np.ndarray) -> np.ndarray:
    """Project codes float32[n, n_latent] on their two directions of largest variance: float64[n, 2].

    The largest entry of each direction is positive, so that the map does not turn over from run to run.
    """
    mean, directions = baselines.principal_components(codes, 2)
    signs = np.sign(directions[np.arange(2), np.argmax(np.abs(directions), axis=1)])
    return (codes - mean) @ (directions * signs[:, None]).T


def interpolate_codes(first: np.ndarray, last: np.ndarray, n: int) -> np.ndarray:
    """Return n codes from `first` to `last` in even steps, both included: float32[n, n_latent]."""
    fraction = np.linspace(0, 1, n, dtype=np.float32)[:, None]
    return (1 - fraction) * first + fraction * last


def sample_codes(codes: np.ndarray, n: int, random: np.random.Generator) -> Dict[str, np.ndarray]:
    """Draw n codes in two ways, {way: float32[n, n_latent] in 0..1}.

    Args:
        codes: float32[m, n_latent] of images, for the second way.
        n: number of codes.
        random: numpy Generator.
    """
    uniform = random.random((n, codes.shape[1]), dtype=np.float32)
    # The codes of a training that diverged are not numbers.
    mean, covariance = (np.nan_to_num(values) for values in (codes.mean(axis=0), np.cov(codes, rowvar=False)))
    normal = random.multivariate_normal(mean, np.atleast_2d(covariance), n)
    return {"uniform": uniform, "normal": np.clip(normal, 0, 1).astype(np.float32)}


def classify_by_neighbour(train: np.ndarray, train_y: np.ndarray, test: np.ndarray, test_y: np.ndarray) -> float:
    """Return the fraction of test rows whose nearest training row is of their class; rows are features of images."""
    return float(np.mean(train_y[baselines.nearest_neighbours(train, test)] == test_y))


# ---- Evaluation: one image through the trained network ----

def example_images(**data_options: Any) -> Dict[str, np.ndarray]:
    """Return the test image nearest to the mean of each class, {class: uint8[28, 28]}; data_options as in load."""
    images, examples = fashion_mnist.load(("test",), **data_options)["test"], {}
    for number, name in enumerate(CLASSES):
        x = images.x[images.y == number]
        examples[name] = x[np.argmin(np.square(x - x.mean(axis=0)).sum(axis=(1, 2)))]
    return examples


class Encoded(NamedTuple):
    """The result of encode_image: the image, its code and the image made from the code.

    | field         | type                 | meaning                                                   |
    |---------------|----------------------|-----------------------------------------------------------|
    | real          | float32[1, 784]      | the image, 0..1                                           |
    | code          | float32[1, n_latent] | the code, 0..1                                            |
    | reconstructed | float32[1, 784]      | the network's output for the image, not clipped           |
    | trained       | Trained              | the network: checkpoint, settings, origin, mark           |
    """

    real: np.ndarray
    code: np.ndarray
    reconstructed: np.ndarray
    trained: Trained


def encode_image(df: Any, image_number: int, *, checkpoint_path: Any = None, settings: Optional[Settings] = None,
                 is_sample: bool = False) -> Encoded:
    """Encode and decode one image with a trained model.ckpt, as section 2's reconstruct_image.

    Args:
        df: array or pandas DataFrame [n, 784], one image a row, grey levels 0..255.
        image_number: the row.
        checkpoint_path, settings, is_sample: see trained.open_trained.

    Raises:
        UserError: df has no such rows, or image_number is none of them; or see trained.open_trained.
    """
    with open_trained(SECTION, checkpoint_path, settings, is_sample) as (trainer, trained):
        image = image_from_rows(df, image_number, trained.settings.n_input) / np.float32(255)
        return Encoded(image, graph_encoder_decoder(trainer)[0](image), trainer.predict(image), trained)


def evaluate(asked: Asked) -> Answer:
    """Encode and decode the image that `evaluate` asks for: its code, its MSE, and both images."""
    images = images_asked_for(SECTION, asked)
    result = encode_image(images.rows, images.number, is_sample=images.is_sample, **asked.network)
    trained, mse = result.trained, metrics.mean_squared_error(result.real, result.reconstructed)
    return Answer({"image": images.shown, "code": result.code[0].tolist(), "mse": mse},
                  [f"data: {images.source}", f"code of {images.shown}: {' '.join(f'{x:.3f}' for x in result.code[0])}",
                   f"MSE of {images.shown}: {mse:.4f}{trained.mark}"], trained.checkpoint, trained.origin, trained.mark,
                  figures.images([result.real, result.reconstructed], [images.shown, "reconstructed"],
                                 f"MSE {mse:.4f}", 1), f"section1_{images.file_name}")


# ---- The section, from the data to the map of the codes ----

def experiment(run: Run) -> None:
    """Section 1 of the report: Fashion-MNIST through ten numbers."""
    settings, log = run.settings, run.log
    (x,), (test_x, test_y) = run.arrays, run.data["test"]
    n = n_training_rows(len(x), settings.validation_split)

    log.heading("Data set and preprocessing")
    log.say(f"train_x size : {(len(x), 28, 28)}", f"train_y size : {run.data['train'][1].shape}",
            f"test_x size : {(len(test_x), 28, 28)}", f"test_y size : {test_y.shape}",
            "-----Dataset is reshaped", "-----Dataset is converted to float", "-----Dataset is normalized",
            f"train_x size : {x[:n].shape}", f"val_x size : {x[n:].shape}")

    log.heading("The autoencoder")
    trainer = run.trainer
    log.layer_table(published.SUMMARIES[1][""], trainer)

    log.heading("Training")
    for epoch, values in run.fit():
        log.keras_epoch(epoch + 1, settings.n_epochs, values, SECTION.named_metrics(settings, epoch, values))
    log.best_epoch(settings.patience)
    log.distance_to_published()
    log.figure("curves", "Loss and val_loss", figures.curves(
        log.measured, log.published, "Section 1: MSE", log.bands.values))
    log.say(f"Model saved in path: {display_path(run.checkpoint)}")

    log.heading("Prediction of validation images")
    images = x[n:n + N_SHOWN]
    log.figure("reconstructions", "Validation images, original and reconstructed",
               figures.grid({"original": images, "reconstructed": trainer.predict(images)}, "Validation images",
                            highest=1))
    log.baselines(f"Section 1: MSE over the {len(x) - n} validation images", {
        f"the network, {settings.n_latent} numbers": trainer.predict(x[n:]),
        f"PCA, {settings.n_latent} numbers": baselines.reconstruct_by_pca(x[:n], x[n:], settings.n_latent)[0],
        "the mean image": baselines.mean_image(x[:n], x[n:])}, x[n:])

    log.heading("The code at work: images between two codes, and a map of all codes")
    encode, decode = ENCODER_DECODER[run.options.backend](trainer)
    codes = encode(test_x)
    between = []
    for pair in PAIRS:
        first, last = (codes[np.argmax(test_y == CLASSES.index(name))] for name in pair)
        between.append(decode(interpolate_codes(first, last, N_SHOWN)))
    steps = [f"{k / (N_SHOWN - 1):.0%}" for k in range(N_SHOWN)]
    log.slider("between", "Decoded from codes in even steps between those of two test images", {
        step: figures.images(images, [" to ".join(pair) for pair in PAIRS], f"{step} of the way", highest=1)
        for step, images in zip(steps, zip(*between))})
    log.figure("code_map", "The ten-number codes of the test images along their two principal components",
               figures.scatter(principal_components(codes), test_y, CLASSES, "Codes of the test images", test_x))

    log.heading("Generating images: codes that no image has")
    # Nothing in the loss says where codes lie, so that a drawn code need not be one that the decoder has learned.
    drawn = sample_codes(codes, N_SHOWN, np.random.default_rng(settings.seed))
    log.figure("sampled_codes", "Decoded from drawn codes: ten uniform numbers, and a normal draw with the mean and "
               "covariance of the test images' codes. Nothing in the training asks that a drawn code be a garment: "
               "some images are one, others a blur between several; a variational autoencoder is trained for this",
               figures.grid({way: decode(sample) for way, sample in drawn.items()}, "Decoded from drawn codes",
                            highest=1))

    log.heading("Feature extraction: the class of the nearest image")
    few, few_y = x[:N_NEIGHBOURS_AMONG], run.data["train"][1][:N_NEIGHBOURS_AMONG]
    mean, directions = baselines.principal_components(x[:n], settings.n_latent)
    features = {f"the code, {settings.n_latent} numbers": (encode(few), codes),
                f"PCA, {settings.n_latent} numbers": ((few - mean) @ directions.T, (test_x - mean) @ directions.T),
                f"all pixels, {settings.n_input} numbers": (few, test_x)}
    log.table(f"Section 1: {len(test_x)} test images, each in the class of the nearest of {len(few)} training images",
              ("distance between", "right"),
              [(name, f"{classify_by_neighbour(train, few_y, test, test_y):.1%}")
               for name, (train, test) in features.items()])


SECTION = Section(
    number=1, title="Image reconstruction on Fashion-MNIST", about=__doc__, file=__file__,
    published=published.METRICS[1],
    verdict_note="The report's training losses are what the progress bar of its Keras showed, the mean of the running "
                 "means. They are compared with the same figure of our seeds, progress_bar_loss; the true mean stands "
                 "beside it.",
    settings_class=Settings, presets=PRESETS, preset_help=PRESET_HELP, check_settings=check_settings,
    network_settings=("n_input", "n_hidden_1", "n_hidden_2", "n_hidden_3", "n_latent"),
    former_names=dict.fromkeys(("adam_epsilon", "cosine_decay", "decay_steps")),  # older checkpoints lack these
    export_overrides={},
    data_plan=lambda settings, **data_options: (fashion_mnist.plan(**data_options), 60000), load=load,
    training_arrays=training_arrays,
    build_graph=build_graph, build_keras=build_keras, signatures=signatures,
    further_crosschecks={"tuned": PRESETS["tuned"]},  # measured with the exact Adam: 0, except 7e-8 in the printed loss
    fit_arguments=fit_arguments, save_every=5, minutes=2.0, memory_gb=1.2, experiment=experiment,
    evaluate=evaluate, test_images=fashion_mnist.test_rows, picture=dict(side=28, light_on_black=True))
