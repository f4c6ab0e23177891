"""Section 4 of the report: sequence to sequence, the first three of six random numbers in reverse order.

    encoder   6 x 51 one-hot -> LSTM 128 -> its state (h, c)
    decoder   (h, c), 3 x 51 one-hot seed sequence -> LSTM 128 -> dense 51, softmax

In training, the decoder's input is the target, delayed by one step (the seed sequence). In a prediction, the decoder
gets its own last output instead.

Source: the report, section 4, where the network is written in Keras. Where the report is silent, the notebook that it
was built from (Kaggle, shivamb, "how autoencoders work"). The report's listing is define_models below, line for line,
with names and n_units as arguments.

The published loss and accuracy, 1.4507 and 0.5511, are not the means of the epoch. They are what the progress bar of
the report's Keras (TensorFlow 2.3 or 2.4) showed: the mean of the running means, see utils.epoch_means. Ours shows the
same values, and the true means are 0.65 and 0.80.

Departures: the graph is ours. It starts as TensorFlow 1's LSTMCell does, with Glorot uniform values for the whole
kernel, where Keras draws the recurrent part orthogonal. The effect is smaller than the variation between seeds.
Sequences, initial values and order have seeds, so that a run can be repeated; the report's cannot. The report prints
five predictions; here n_test sequences that the training has not seen are predicted.
"""
from __future__ import annotations

import dataclasses
import itertools
from typing import Any, Callable, ClassVar, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from tf1_autoencoders.datasets import Source
from tf1_autoencoders.datasets.locate import named_folders
from tf1_autoencoders.graphs.fused import layers_named
from tf1_autoencoders.graphs.graph_model import GraphModel, finish_graph
from tf1_autoencoders.graphs.input_pipeline import ordered_batches
from tf1_autoencoders.graphs.layers import dense_layer
from tf1_autoencoders.graphs.strategy import wrap_optimizer
from tf1_autoencoders.keras_twin.build import KERAS_EPSILON, keras_adam
from tf1_autoencoders.reporting import baselines, published
from tf1_autoencoders.sections.contract import BOUNDS_OF_ALL, Section, rows_to_judge
from tf1_autoencoders.sections.evaluation import Answer, Asked
from tf1_autoencoders.sections.run import Run
from tf1_autoencoders.sections.trained import Trained, choose_trained, open_trained
from tf1_autoencoders.training.row_order import check_batch_size, shuffled_rows
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UsageError, UserError
from tf1_autoencoders.utils.frameworks import keras, tf1
from tf1_autoencoders.utils.paths import display_path

N_EXAMPLES = 5  # predictions that the report prints
EXAMPLE = (14, 19, 20, 38, 27, 39)  # the report's first sequence
START_VECTORS = ("zeros", "one-hot")  # the decoder's first input in a prediction: zeros, or the start token 0
FEEDBACKS = ("softmax", "one-hot")  # its next inputs: its last output as probabilities, or the likeliest number only
SCOPES = {"lstm": "encoder", "lstm_1": "decoder", "dense": "dense"}  # layer of the report -> scope of the graph


# ---- Settings ----

@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything that a run of section 4 depends on."""

    n_in: int = 6  # numbers of a sequence; printed
    n_out: int = 3  # numbers to predict; printed
    cardinality: int = 51  # width of a one-hot: values 1..50, and 0 to start with; printed
    n_units: int = 128  # of each LSTM; listed
    n_sequences: int = 100000  # to train on; printed (3125 steps of 32)
    n_test: int = 1000  # unseen sequences; ours
    learning_rate: float = 0.001  # of Adam, Keras's default for 'adam'; listed
    adam_epsilon: float = KERAS_EPSILON  # of Adam, Keras's default for 'adam'; listed
    batch_size: int = 32  # sequences, Keras's default; printed (3125 steps)
    n_epochs: int = 1  # listed
    start_vector: str = "zeros"  # one of START_VECTORS; source
    feedback: str = "softmax"  # one of FEEDBACKS; source
    kernels: str = "fused"  # or "plain": the layers of graphs.fused, each LSTM step one operation; ours
    seed: int = 0  # of sequences, initial values and order; ours
    BOUNDS: ClassVar[Dict[str, Any]] = {**BOUNDS_OF_ALL, "n_in": (1, 100), "n_out": (1, 100), "cardinality": (2, 4096),
                                        "n_units": (1, 2048), "n_sequences": (1, 1_000_000), "n_test": (1, 100_000),
                                        "start_vector": START_VECTORS, "feedback": FEEDBACKS}


PRESETS = {"report": Settings()}
PRESET_HELP = {"report": "the published run: one epoch on 100000 sequences"}


def check_settings(settings: Settings, n_rows: int) -> Settings:
    """Return the settings, after a check against data of n_rows sequences.

    Raises:
        UsageError: a batch would be larger than the data.
    """
    check_batch_size(settings.batch_size, n_rows, "sequences")
    return settings


# ---- Data ----

def data_plan(settings: Settings, **data_options: Any) -> Tuple[str, int]:
    """Return where load takes the data from, and how many sequences there are."""
    named_folders(data_options.get("data_dir"))
    return f"random sequences, drawn by the program (seed {settings.seed})", settings.n_sequences


def load(settings: Settings, **data_options: Any) -> Tuple[Dict[str, Any], Any]:
    """Draw random sequences from the seed; of data_options, which say where other sections' files lie, only the folders
    are looked for.

    Returns:
        ({"train": (x1, x2, y), "test": (x1, x2, y)}, source), as dataset_preparation returns them. The test sequences
        are drawn independently.
    """
    named_folders(data_options.get("data_dir"))
    sizes = {"train": settings.n_sequences, "test": settings.n_test}
    streams = {"train": 0, "test": 1}
    return ({split: dataset_preparation(settings, n, np.random.default_rng([settings.seed, streams[split]]))
             for split, n in sizes.items()},
            Source("random sequences", "drawn as in the report", f"seed {settings.seed}"))


def dataset_preparation(settings: Settings, n_sequences: int,
                        random: np.random.Generator) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw sequences.

    Returns:
        x1: int32[n, n_in], the sequences, values 1..cardinality - 1.
        x2: int32[n, n_out], the padded seed sequences: 0, then the target without its last number.
        y: int32[n, n_out], the target: the first n_out of x1 in reverse order.
    """
    x1 = random.integers(1, settings.cardinality, (n_sequences, settings.n_in), dtype=np.int32)
    y = np.ascontiguousarray(x1[:, :settings.n_out][:, ::-1])
    x2 = np.concatenate([np.zeros_like(y[:, :1]), y[:, :-1]], axis=1)
    return x1, x2, y


def one_hot(tokens: np.ndarray, cardinality: int) -> np.ndarray:
    """Encode numbers as one-hot vectors: int[...] -> float32[..., cardinality]."""
    return np.eye(cardinality, dtype=np.float32)[tokens]


def one_hot_decode(vectors: np.ndarray) -> np.ndarray:
    """Return the likeliest numbers: float[..., cardinality] -> int64[...]."""
    return np.argmax(vectors, axis=-1)


def inputs_and_targets(arrays: Sequence[np.ndarray], settings: Settings) -> Tuple[Any, Any]:
    """Return x and y as Keras's fit takes them: ([one-hots of x1, one-hots of x2], one-hots of y)."""
    x1, x2, y = (one_hot(tokens, settings.cardinality) for tokens in arrays)
    return [x1, x2], y


# ---- The network as a TensorFlow 1 graph ----

def build_graph(settings: Settings) -> GraphModel:
    """Build the network as a TensorFlow 1 graph.

    Variables: encoder/rnn/lstm_cell, decoder/rnn/lstm_cell and dense, each with kernel and bias. Metrics: loss, the
    mean categorical cross-entropy of a number, and acc, the fraction of numbers that are the likeliest.

    Tensors, for graph_encoder_decoder:

    | name                  | dtype[shape]                | meaning                                                  |
    |-----------------------|-----------------------------|----------------------------------------------------------|
    | encoder_inputs        | float32[batch, n_in, 51]    | the first of the features; can be fed past the pipeline  |
    | encoder_states        | 2 x float32[batch, n_units] | (h, c) after the sequence                                |
    | decoder_inputs        | float32[batch, 1, 51]       | placeholder: one step of the decoder                     |
    | decoder_states_inputs | 2 x float32[batch, n_units] | placeholders: (h, c) before the step                     |
    | decoder_outputs       | float32[batch, 1, 51]       | the decoder's output, probabilities                      |
    | decoder_states        | 2 x float32[batch, n_units] | (h, c) after the step                                    |
    | encoder               | float32[batch, n_units]     | the encoder LSTM's output, h                             |
    | decoder               | float32[batch, n_out, ...]  | the decoder LSTM's output in the training                |

    Returns:
        GraphModel; features are (float32[batch, n_in, 51], float32[batch, n_out, 51]), outputs the probabilities
        float32[batch, n_out, 51], with 51 for the cardinality.
    """
    with tf1.Graph().as_default():
        # Inputs
        n_in, n_out, cardinality, n_units = settings.n_in, settings.n_out, settings.cardinality, settings.n_units
        pipeline = ordered_batches(([n_in], tf1.int32), ([n_out], tf1.int32), ([n_out], tf1.int32))
        encoder_inputs, decoder_inputs, targets = (tf1.one_hot(tokens, cardinality) for tokens in pipeline.batch)
        encoder_seed, decoder_seed, dense_seed = range(10 * settings.seed, 10 * settings.seed + 3)
        layers = layers_named(settings.kernels)

        # Encoder and decoder
        with tf1.variable_scope("encoder"):
            _, encoder_states = layers.lstm_layer(encoder_inputs, n_units, seed=encoder_seed)
        with tf1.variable_scope("decoder"):
            decoded, _ = layers.lstm_layer(decoder_inputs, n_units, initial_state=encoder_states, seed=decoder_seed)
        logits = dense_layer(decoded, cardinality, seed=dense_seed)
        outputs = tf1.nn.softmax(logits)
        assert outputs.shape.as_list() == targets.shape.as_list() == [None, n_out, cardinality]

        # One step of the decoder, on the same variables, for a prediction
        one_input = tf1.placeholder(tf1.float32, [None, 1, cardinality], name="decoder_inputs")
        states = tuple(tf1.placeholder(tf1.float32, [None, n_units], name=f"decoder_state_{name}") for name in "hc")
        with tf1.variable_scope("decoder", reuse=True):
            one_decoded, next_states = layers.lstm_layer(one_input, n_units, initial_state=states)
        one_output = dense_layer(one_decoded, cardinality, activation=tf1.nn.softmax, name="dense", reuse=True)

        # Loss and optimiser
        loss = tf1.reduce_mean(tf1.nn.softmax_cross_entropy_with_logits_v2(labels=targets, logits=logits))
        hits = tf1.equal(tf1.argmax(outputs, axis=-1, output_type=tf1.int32), pipeline.batch[2])
        acc = tf1.reduce_mean(tf1.cast(hits, tf1.float32))
        optimizer = tf1.train.AdamOptimizer(settings.learning_rate, epsilon=settings.adam_epsilon)
        train_op = wrap_optimizer(optimizer).minimize(loss)
        return finish_graph(pipeline, (encoder_inputs, decoder_inputs), outputs, loss, {"loss": loss, "acc": acc},
                            train_op, encoder_inputs=encoder_inputs, encoder_states=encoder_states,
                            decoder_inputs=one_input, decoder_states_inputs=states, decoder_outputs=one_output,
                            decoder_states=next_states, encoder=encoder_states[0], decoder=decoded, small_ops=True)


def signatures(model: GraphModel) -> Dict[str, Tuple[Dict[str, Any], Dict[str, Any]]]:
    """Return the functions that an exported model offers: {name: ({argument: tensor}, {result: tensor})}.

    `predict` is the network that is trained, which is given the padded seed sequence; the other two are its halves, as
    graph_encoder_decoder has them.
    """
    tensors = model.tensors
    (state_h, state_c), (next_h, next_c) = tensors["decoder_states_inputs"], tensors["decoder_states"]
    h, c = tensors["encoder_states"]
    return {"predict": (dict(zip(("sequence", "seed_sequence"), model.features)), {"probabilities": model.outputs}),
            "encode": ({"sequence": tensors["encoder_inputs"]}, {"h": h, "c": c}),
            "decode_step": ({"vector": tensors["decoder_inputs"], "h": state_h, "c": state_c},
                            {"probabilities": tensors["decoder_outputs"], "next_h": next_h, "next_c": next_c})}


# ---- The network in Keras, as the report lists it ----

def define_models(n_input: int, n_output: int, n_units: int = 128,
                  names: Sequence[str] = ("lstm", "lstm_1", "dense")) -> Tuple[Any, Any, Any]:
    """Build the report's listing: three Keras models on the same layers.

    Args:
        n_input, n_output: width of a one-hot, of the sequence and of the output.
        n_units: of each LSTM.
        names: of the three layers; by default as Keras numbers them, and as the report's summaries print them.

    Returns:
        (autoencoder, encoder, decoder): [sequence [batch, time, n_input], seed sequence [batch, time, n_output]] ->
        probabilities [batch, time, n_output]; sequence -> [h, c]; [seed sequence, h, c] -> [probabilities, h, c].
    """
    Input, LSTM, Dense, Model = keras.Input, keras.layers.LSTM, keras.layers.Dense, keras.Model
    # encoder architecture -> I=sequence - O=encoder states
    encoder_inputs = Input(shape=(None, n_input), name="input_1")
    encoder = LSTM(n_units, return_state=True, name=names[0])
    encoder_outputs, state_h, state_c = encoder(encoder_inputs)
    encoder_states = [state_h, state_c]

    # encoder-decoder architecture -> I=seed sequence - O=decoder states, decoded output
    decoder_inputs = Input(shape=(None, n_output), name="input_2")
    decoder_lstm = LSTM(n_units, return_sequences=True, return_state=True, name=names[1])
    decoder_outputs, _, _ = decoder_lstm(decoder_inputs, initial_state=encoder_states)
    decoder_dense = Dense(n_output, activation="softmax", name=names[2])
    decoder_outputs = decoder_dense(decoder_outputs)
    model = Model([encoder_inputs, decoder_inputs], decoder_outputs, name="model")

    # decoder model -> I=current states + encoded sequence - O=decoded sequence
    encoder_model = Model(encoder_inputs, encoder_states, name="model_1")
    decoder_state_input_h = Input(shape=(n_units,), name="input_3")
    decoder_state_input_c = Input(shape=(n_units,), name="input_4")
    decoder_states_inputs = [decoder_state_input_h, decoder_state_input_c]
    decoder_outputs, state_h, state_c = decoder_lstm(decoder_inputs, initial_state=decoder_states_inputs)
    decoder_states = [state_h, state_c]
    decoder_outputs = decoder_dense(decoder_outputs)
    decoder_model = Model([decoder_inputs] + decoder_states_inputs, [decoder_outputs] + decoder_states, name="model_2")

    return model, encoder_model, decoder_model


def build_keras_models(settings: Settings, make_optimizer: Callable[..., Any] = keras_adam) -> Tuple[Any, Any, Any]:
    """Build define_models at the settings' sizes, the autoencoder compiled, layers named after the graph's scopes."""
    autoencoder, encoder, decoder = define_models(settings.cardinality, settings.cardinality, settings.n_units,
                                                  tuple(SCOPES.values()))
    autoencoder.compile(optimizer=make_optimizer(settings.learning_rate, epsilon=settings.adam_epsilon),
                        loss="categorical_crossentropy", metrics=["acc"])
    return autoencoder, encoder, decoder


def build_keras(settings: Settings, make_optimizer: Callable[..., Any] = keras_adam) -> Any:
    """Build the autoencoder alone: [float32[batch, n_in, 51], float32[batch, n_out, 51]] -> [batch, n_out, 51]."""
    return build_keras_models(settings, make_optimizer)[0]


# ---- Training ----

def fit_arguments(settings: Settings, n_rows: int) -> Dict[str, Any]:
    """Return the arguments of training.loop.fit: every epoch takes all rows in an order of its own."""
    return dict(n_epochs=settings.n_epochs, rows_for_epoch=lambda epoch: shuffled_rows(n_rows, settings.seed, epoch))


# ---- Prediction ----

def graph_encoder_decoder(trainer: Any, settings: Settings) -> Tuple[Callable, Callable]:
    """Return the graph's encoder and decoder as predict_sequence takes them, with the session's present weights."""
    session, tensors = trainer.session, trainer.model.tensors

    def encoder(sequences: np.ndarray) -> Any:
        return session.run(tensors["encoder_states"], {tensors["encoder_inputs"]: sequences})

    def decoder(vectors: np.ndarray, h: np.ndarray, c: np.ndarray) -> Any:
        state_h, state_c = tensors["decoder_states_inputs"]
        vectors, (h, c) = session.run([tensors["decoder_outputs"], tensors["decoder_states"]],
                                      {tensors["decoder_inputs"]: vectors, state_h: h, state_c: c})
        return vectors, h, c

    return encoder, decoder


def keras_encoder_decoder(trainer: Any, settings: Settings) -> Tuple[Callable, Callable]:
    """Return Keras's encoder and decoder as predict_sequence takes them, with the trained model's present weights."""
    twin, encoder_model, decoder_model = build_keras_models(settings)
    twin.set_weights(trainer.model.get_weights())
    return encoder_model.predict_on_batch, lambda *inputs: decoder_model.predict_on_batch(list(inputs))


ENCODER_DECODER = {"graph": graph_encoder_decoder, "keras": keras_encoder_decoder}  # by RunOptions.backend


def predict_sequence(encoder: Callable, decoder: Callable, sequences: np.ndarray, settings: Settings) -> np.ndarray:
    """Encode sequences, then ask the decoder for one number after another.

    Args:
        encoder: float32[batch, n_in, cardinality] -> (h, c).
        decoder: (float32[batch, 1, cardinality], h, c) -> (probabilities of the same shape, h, c).
        sequences: int[batch, n_in].
        settings: for n_out, cardinality, start_vector and feedback.

    Returns:
        float32[batch, n_out, cardinality], probabilities; one_hot_decode turns them into numbers.
    """
    assert settings.start_vector in START_VECTORS and settings.feedback in FEEDBACKS, settings
    h, c = encoder(one_hot(sequences, settings.cardinality))
    vectors = one_hot(np.zeros((len(sequences), 1), int), settings.cardinality)
    if settings.start_vector == "zeros":
        vectors = np.zeros_like(vectors)
    outputs = []
    for _ in range(settings.n_out):
        vectors, h, c = decoder(vectors, h, c)
        outputs.append(vectors)
        if settings.feedback == "one-hot":
            vectors = one_hot(one_hot_decode(vectors), settings.cardinality)
    return np.concatenate(outputs, axis=1)


def sequence_accuracy(predicted: np.ndarray, y: np.ndarray) -> float:
    """Return the fraction of sequences int[n, n_out] that are right in every number."""
    return float(np.mean(np.all(predicted == y, axis=1)))


def format_example(sequence: Sequence[int], target: Sequence[int], predicted: Sequence[int]) -> str:
    """Return the report's line for one sequence, its target and its prediction."""
    return (f"Input Sequence={[*map(int, sequence)]} SeedSequence={[*map(int, target)]}, "
            f"PredictedSequence={[*map(int, predicted)]}")


class Predictions(NamedTuple):
    """The result of predict_sequences: int32[n, n_in], int32[n, n_out], int64[n, n_out], and the network."""

    sequences: np.ndarray
    targets: np.ndarray
    predicted: np.ndarray
    trained: Trained


def predict_sequences(sequences: Any, *, checkpoint_path: Any = None,
                      settings: Optional[Settings] = None) -> Predictions:
    """Predict the targets of sequences with a trained model.ckpt, as section 2's reconstruct_image.

    Args:
        sequences: array or list [n, n_in] of whole numbers from 1 to cardinality - 1.
        checkpoint_path, settings: see trained.open_trained.

    Raises:
        UserError: the sequences have another length or other numbers; or see trained.open_trained.
    """
    with open_trained(SECTION, checkpoint_path, settings) as (trainer, trained):
        settings = trained.settings
        assert settings is not None
        expected = f"expected {settings.n_in} whole numbers from 1 to {settings.cardinality - 1}"
        for sequence in sequences:
            if len(sequence) != settings.n_in or not all(
                    number == int(number) and 1 <= number < settings.cardinality for number in sequence):
                raise UserError(f"sequence {' '.join(map(str, list(sequence)[:20]))}: {expected}")
        x1 = np.asarray(sequences, np.int32).reshape(-1, settings.n_in)
        outputs = predict_sequence(*graph_encoder_decoder(trainer, settings), x1, settings)
    return Predictions(x1, x1[:, :settings.n_out][:, ::-1], one_hot_decode(outputs), trained)


EVALUATE_OPTIONS: Sequence[Any] = (cli.SettingOption(
    "--sequence", "sequence", type=int, nargs="+", metavar="N",
    help=f"six numbers from 1 to 50 (default: {' '.join(map(str, EXAMPLE))}, the report's first)"),)


def check_sequence(sequence: Sequence[int], asked: Asked) -> None:
    """Raise UsageError, before TensorFlow is loaded, if a network does not take a sequence."""
    settings = choose_trained(SECTION, **asked.network)[1]
    if len(sequence) != settings.n_in or not all(1 <= number < settings.cardinality for number in sequence):
        raise UsageError(f"--sequence {' '.join(map(str, sequence[:20]))}: expected {settings.n_in} whole numbers from "
                         f"1 to {settings.cardinality - 1}")


def evaluate(asked: Asked, sequence: Optional[Sequence[int]] = None) -> Answer:
    """Predict the target of the sequence that `evaluate` asks for, the report's first by default."""
    check_sequence(sequence or EXAMPLE, asked)
    result = predict_sequences([sequence or EXAMPLE], **asked.network)
    sequences, targets, predicted, trained = result
    return Answer({"sequence": sequences[0].tolist(), "target": targets[0].tolist(),
                   "predicted": predicted[0].tolist()}, [format_example(sequences[0], targets[0], predicted[0])],
                  trained.checkpoint, trained.origin)


# ---- The section, from the drawn sequences to the predictions ----

def experiment(run: Run) -> None:
    """Section 4 of the report: sequences, from the draw to the predictions of unseen ones."""
    settings, log, arrays = run.settings, run.log, run.arrays
    test_x1, _, test_y = run.data["test"]

    log.heading("Sequences")
    log.say(*(f"{name}: {array.shape}, for example {array[0].tolist()}"
              for name, array in zip(("X1", "X2", "y"), arrays)))

    log.heading("The encoder, the decoder, and both")
    trainer = run.trainer
    for name, layers in published.SUMMARIES[4].items():
        log.layer_table(layers, trainer, name, SCOPES)

    log.heading("Training")
    n_steps = -(-len(arrays[0]) // settings.batch_size)
    for epoch, metrics in run.fit():
        values = " - ".join(f"{name}: {value:.4f}" for name, value in metrics.items())
        log.epoch(epoch + 1, f"{n_steps}/{n_steps} - {values}", metrics,
                  SECTION.named_metrics(settings, epoch, metrics))
    fractions = np.bincount(arrays[2].ravel()) / arrays[2].size
    log.say("always the same guess: "
            f"loss: {-sum(p * np.log(p) for p in fractions if p):.4f} - acc: {fractions.max():.4f}",
            f"Model saved in path: {display_path(run.checkpoint)}")

    log.heading("Prediction")
    encoder, decoder = ENCODER_DECODER[run.options.backend](trainer, settings)

    def predict(sequences: np.ndarray, settings: Settings = settings) -> np.ndarray:
        return one_hot_decode(predict_sequence(encoder, decoder, sequences, settings))
    if (settings.n_in, settings.n_out, settings.cardinality) == (6, 3, 51):
        examples = np.array([sequence for sequence, _ in published.EXAMPLES])
        log.say("the report's five examples:", *(
            format_example(sequence, target, predicted)
            for (sequence, target), predicted in zip(published.EXAMPLES, predict(examples))))
    log.say("unseen sequences:", *(format_example(*example) for example in zip(
        test_x1[:N_EXAMPLES], test_y, predict(test_x1[:N_EXAMPLES]))))
    rows, accuracies = [], {}
    for start_vector, feedback in itertools.product(START_VECTORS, FEEDBACKS):
        predicted = predict(test_x1, dataclasses.replace(settings, start_vector=start_vector, feedback=feedback))
        accuracy = f"{sequence_accuracy(predicted, test_y):.3f}"
        rows.append((start_vector, feedback, accuracy, f"{np.mean(predicted == test_y):.3f}"))
        accuracies[f"accuracy, {start_vector} {feedback}"] = float(accuracy)
    log.table(f"Section 4: {len(test_y)} unseen sequences (the report's way: zeros, softmax)",
              ("start vector", "fed back", "sequences right", "numbers right"), rows)
    log.record(None, accuracies)
    own = accuracies[f"accuracy, {settings.start_vector} {settings.feedback}"]
    log.key_figure("unseen sequences that are right", f"{own:.1%}")


def final_error(trainer: Any, settings: Settings) -> baselines.FinalError:
    """Return the fraction of the numbers that the network gets wrong, the right ones before each being given, and the
    fraction that the most frequent number gets wrong."""
    arrays = rows_to_judge(trainer)
    y = arrays[-1]
    predicted = one_hot_decode(trainer.predict(*arrays))
    return baselines.FinalError(f"wrong numbers in {len(y)} training sequences", float(np.mean(predicted != y)),
                                float(1 - np.bincount(y.ravel()).max() / y.size), "always the same guess")


def further_numbers(trainer: Any, settings: Settings, data: Mapping[str, Any], named: Mapping[str, float],
                    backend: str) -> Dict[str, float]:
    """Return what `spread` measures beside the epoch: the accuracy over the unseen sequences."""
    test_x1, _, test_y = data["test"]
    outputs = predict_sequence(*ENCODER_DECODER[backend](trainer, settings), test_x1, settings)
    return {"accuracy over unseen sequences": sequence_accuracy(one_hot_decode(outputs), test_y)}


SECTION = Section(
    number=4, title="Sequence to sequence prediction", about=__doc__, file=__file__, published=published.METRICS[4],
    verdict_note="The report's loss and accuracy are what the progress bar of its Keras showed, the mean of the "
                 "running means. They are compared with the same figures of our seeds; the true means stand beside "
                 "them.",
    settings_class=Settings, presets=PRESETS, preset_help=PRESET_HELP, check_settings=check_settings,
    network_settings=("n_in", "n_out", "cardinality", "n_units"),
    former_names={"adam_epsilon": None, "kernels": None},  # older checkpoints lack these
    data_plan=data_plan, load=load, inputs_and_targets=inputs_and_targets,
    build_graph=build_graph, build_keras=build_keras, signatures=signatures,
    # crosscheck: 4e-7 was measured with the exact Adam, because Keras stores the forget gate's bias as 1 + b.
    fit_arguments=fit_arguments,
    threads=1,  # with more, TensorFlow's scheduler costs what they gain
    minutes=0.2, memory_gb=0.63, experiment=experiment, final_error=final_error,
    further_numbers=further_numbers,
    evaluate=evaluate, evaluate_options=EVALUATE_OPTIONS)
