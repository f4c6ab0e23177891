"""The original: the report's Keras listings in the Keras of the report's time, TensorFlow 2.4.1 (Python 3.8) only.

    python -m tests.tf241.original progress [--section N] [--epochs N]   train on the real data; record the progress bar
    python -m tests.tf241.original write [--full FOLDER]                 rewrite the values in fixtures/, or in FOLDER
    python -m tests.tf241.original check FOLDER                          load .h5 weights that the package wrote

The networks are the report's listings with the sizes as arguments. Where the report prints only the output of a
training, the call of `fit` is that of the notebook the section was built from (Kaggle, shivamb, "how autoencoders
work"). Everything that trains is Keras's own: `compile`, `fit`, `train_on_batch`, and Adam with its default epsilon
1e-7. Of the package, only the data sets are used.
"""
from __future__ import annotations

import argparse
import contextlib
import functools
import io
import json
import os
import re
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from tensorflow.keras.callbacks import Callback, EarlyStopping
from tensorflow.keras.layers import LSTM, Conv2D, Dense, Input, MaxPool2D, UpSampling2D
from tensorflow.keras.models import Model
from tensorflow.keras.optimizers import Adam
from tensorflow.keras.utils import to_categorical
from tensorflow.python.keras.engine.compile_utils import LossesContainer

from tests.tf115.original import FULL, N_ROWS, N_STEPS, SMALL, make_data
from tf1_autoencoders.sections import SECTIONS

HERE = Path(__file__).resolve().parent
FIXTURES = HERE / "fixtures"
NAMES = ("section1", "section3", "section4")  # the sections that the report wrote in Keras
TOLERANCE = 3e-6  # for outputs from our weights, relative to the largest; two releases round differently
SEEDS = {1: (0,), 3: (0,), 4: (0, 1, 2)}  # of the recorded trainings; one epoch of section 4 is short


# ---- The report's listings ----

def section1(n_input=784, n_hidden_1=2000, n_hidden_2=1200, n_hidden_3=500, n_latent=10):
    """Build the listing of section 1."""
    # input layer
    input_layer = Input(shape=(n_input,))

    # encoding layer
    encode_layer1 = Dense(n_hidden_1, activation='relu')(input_layer)
    encode_layer2 = Dense(n_hidden_2, activation='relu')(encode_layer1)
    encode_layer3 = Dense(n_hidden_3, activation='relu')(encode_layer2)

    # latent view
    latent_view = Dense(n_latent, activation='sigmoid')(encode_layer3)

    # decoding layer
    decode_layer1 = Dense(n_hidden_3, activation='relu')(latent_view)
    decode_layer2 = Dense(n_hidden_2, activation='relu')(decode_layer1)
    decode_layer3 = Dense(n_hidden_1, activation='relu')(decode_layer2)

    # output layer
    output_layer = Dense(n_input)(decode_layer3)

    return Model(input_layer, output_layer)


def section3(side=28, n_filters_1=64, n_filters_2=32, n_filters_3=16):
    """Build the listing of section 3."""
    # input layer
    input_layer = Input(shape=(side, side, 1))

    # encoding layer
    encoded_layer1 = Conv2D(n_filters_1, (3, 3), activation='relu', padding='same')(input_layer)
    encoded_layer1 = MaxPool2D((2, 2), padding='same')(encoded_layer1)
    encoded_layer2 = Conv2D(n_filters_2, (3, 3), activation='relu', padding='same')(encoded_layer1)
    encoded_layer2 = MaxPool2D((2, 2), padding='same')(encoded_layer2)
    encoded_layer3 = Conv2D(n_filters_3, (3, 3), activation='relu', padding='same')(encoded_layer2)
    latent_view = MaxPool2D((2, 2), padding='same')(encoded_layer3)

    # decoding layer
    decoded_layer1 = Conv2D(n_filters_3, (3, 3), activation='relu', padding='same')(latent_view)
    decoded_layer1 = UpSampling2D((2, 2))(decoded_layer1)
    decoded_layer2 = Conv2D(n_filters_2, (3, 3), activation='relu', padding='same')(decoded_layer1)
    decoded_layer2 = UpSampling2D((2, 2))(decoded_layer2)
    decoded_layer3 = Conv2D(n_filters_1, (3, 3), activation='relu')(decoded_layer2)
    decoded_layer3 = UpSampling2D((2, 2))(decoded_layer3)
    output_layer = Conv2D(1, (3, 3), padding='same')(decoded_layer3)

    return Model(input_layer, output_layer)


def define_models(n_input, n_output, n_units=128):
    """Build the listing of section 4: (autoencoder, encoder model, decoder model)."""
    # encoder architecture -> I=sequence - O=encoder states
    encoder_inputs = Input(shape=(None, n_input))
    encoder = LSTM(n_units, return_state=True)
    encoder_outputs, state_h, state_c = encoder(encoder_inputs)
    encoder_states = [state_h, state_c]

    # encoder-decoder architecture -> I=seed sequence - O=decoder states, decoded output
    decoder_inputs = Input(shape=(None, n_output))
    decoder_lstm = LSTM(n_units, return_sequences=True, return_state=True)
    decoder_outputs, _, _ = decoder_lstm(decoder_inputs, initial_state=encoder_states)
    decoder_dense = Dense(n_output, activation='softmax')
    decoder_outputs = decoder_dense(decoder_outputs)
    model = Model([encoder_inputs, decoder_inputs], decoder_outputs)

    # decoder model -> I=current states + encoded sequence - O=decoded sequence
    encoder_model = Model(encoder_inputs, encoder_states)
    decoder_state_input_h = Input(shape=(n_units,))
    decoder_state_input_c = Input(shape=(n_units,))
    decoder_states_inputs = [decoder_state_input_h, decoder_state_input_c]
    decoder_outputs, state_h, state_c = decoder_lstm(decoder_inputs, initial_state=decoder_states_inputs)
    decoder_states = [state_h, state_c]
    decoder_outputs = decoder_dense(decoder_outputs)
    decoder_model = Model([decoder_inputs] + decoder_states_inputs, [decoder_outputs] + decoder_states)

    return model, encoder_model, decoder_model


def section4(cardinality=51, n_units=128, n_in=6, n_out=3):
    """Build the autoencoder of section 4; the lengths n_in and n_out are those of the data."""
    return define_models(cardinality, cardinality, n_units)[0]


LISTINGS = {"section1": section1, "section3": section3, "section4": section4}


def build(name, optimizer="adam", **sizes):
    """Build and compile a listing; its layers have the names that the report's summaries print."""
    tf.keras.backend.clear_session()
    model = LISTINGS[name](**sizes)
    compile_model(name, model, optimizer)
    return model


def compile_model(name, model, optimizer="adam"):
    if name == "section4":
        model.compile(optimizer=optimizer, loss='categorical_crossentropy', metrics=['acc'])
    else:
        model.compile(optimizer=optimizer, loss='mse')


def inputs_and_targets(name, arrays, cardinality=51):
    """Return x and y of `fit`: section 1 reproduces its input, section 4 takes one-hot vectors."""
    if name == "section4":
        x1, x2, y = (to_categorical(tokens, num_classes=cardinality) for tokens in arrays)
        return [x1, x2], y
    return arrays[0], arrays[-1]


# ---- What the progress bar shows ----

class Tee(io.StringIO):
    """Text that is kept, and shown on the terminal too."""

    def write(self, text):
        sys.__stdout__.write(text)
        return super().write(text)


@functools.lru_cache(maxsize=None)
def last_loss():
    """Return the one variable that holds the last batch's loss; Keras compiles the assignment once for several fits."""
    return tf.Variable(0.0, trainable=False)


class Recorder(Callback):
    """Record every step's loss (and accuracy) and number of rows, without a change of the model or its training.

    A step's loss is what LossesContainer.__call__ returns to `train_step`. The logs of `fit` are running means, from
    which the accuracy follows exactly, as float32 sums of whole numbers below 2^24, but a loss only roughly.
    """

    def __init__(self):
        super().__init__()
        self.epochs = []

    @contextlib.contextmanager
    def recording(self):
        """Context manager: let every LossesContainer store the loss that it returns."""
        call, variable = LossesContainer.__call__, last_loss()

        def call_and_store(container, *args, **kwargs):
            loss = call(container, *args, **kwargs)
            variable.assign(loss)
            return loss
        LossesContainer.__call__ = call_and_store
        try:
            yield
        finally:
            LossesContainer.__call__ = call

    def on_epoch_begin(self, epoch, logs=None):
        self.epochs.append({"loss": [], "size": [], "hits": []})
        self.rows = self.hits = 0

    def on_train_batch_end(self, batch, logs=None):
        steps = self.epochs[-1]
        loss_metric, *others = self.model.metrics
        steps["loss"].append(last_loss().numpy())
        steps["size"].append(int(loss_metric.count.numpy()) - self.rows)
        self.rows += steps["size"][-1]
        for acc in others:
            steps["hits"].append(int(acc.total.numpy()) - self.hits)
            self.hits += steps["hits"][-1]


def shown_values(text):
    """Return the numbers at the end of each epoch's line as the bar printed them: {name: [text of epoch 1, ...]}."""
    shown = {}
    for line in text.splitlines():
        for name, value in re.findall(r" - (\w+): ([-+.\de]+)", line.split("\r")[-1].split("\b")[-1]):
            shown.setdefault(name, []).append(value)
    return shown


def record_fit(model, x, y, **arguments):
    """Call model.fit; return what the bar showed, the history, and the values of the steps.

    Returns:
        ({"shown": {name: [text]}, "history": {name: [float]}}, {"loss": float32[epochs, steps], "size": int[steps],
        "hits": int[epochs, steps]}), hits only if the model has an accuracy.
    """
    recorder, terminal = Recorder(), Tee()
    callbacks = arguments.pop("callbacks", [])
    with recorder.recording(), contextlib.redirect_stdout(terminal):
        history = model.fit(x, y, callbacks=[*callbacks, recorder], **arguments).history
    shown = shown_values(terminal.getvalue())
    steps = {key: np.array([epoch[key] for epoch in recorder.epochs]) for key in recorder.epochs[0]}
    arrays = {"loss": steps["loss"].astype(np.float32), "size": steps["size"][0].astype(np.int16)}
    assert (steps["size"] == steps["size"][0]).all() and all(len(shown[name]) == len(history[name]) for name in history)
    if steps["hits"].size:
        arrays["hits"] = steps["hits"].astype(np.int16)
    return {"shown": shown, "history": {name: list(map(float, values)) for name, values in history.items()}}, arrays


def progress(args):
    """Run the command: train the listings on the real data; write fixtures/progress_bar/section<N>.json and .npz."""
    folder = FIXTURES / "progress_bar"
    folder.mkdir(parents=True, exist_ok=True)
    for number in [args.section] if args.section else SEEDS:
        name, records, arrays = f"section{number}", {}, {}
        for seed in SEEDS[number]:
            for label, (record, steps) in record_section(name, seed, args):
                records[f"{label}, seed {seed}"] = record
                arrays.update({f"{label}, seed {seed}/{key}": array for key, array in steps.items()})
        (folder / f"{name}.json").write_text(json.dumps(records, indent=1) + "\n")
        np.savez_compressed(str(folder / f"{name}.npz"), **arrays)
        print(f"{name}: {sum(file.stat().st_size for file in folder.glob(name + '.*'))} bytes")
    return 0


def record_section(name, seed, args):
    """Yield (label, what record_fit returned) of a first `fit`, and in sections 1 and 3 of further ones."""
    section = SECTIONS[int(name[-1])]
    data, source = section.load(section.settings_class(seed=seed), data="real", data_dir=args.data_dir)
    print(f"{name}: {source}")
    arrays = section.training_arrays(data, section.settings_class(seed=seed))
    np.random.seed(seed)
    tf.random.set_seed(seed)
    model = build(name)
    if name == "section4":
        x, y = inputs_and_targets(name, arrays)
        yield "first fit", record_fit(model, x, y, epochs=1)
        return
    n = len(arrays[0]) * 4 // 5
    (x, y), validation = (inputs_and_targets(name, [array[rows] for array in arrays])
                          for rows in (slice(n), slice(n, None)))

    def fit(epochs, verbose=1):
        early_stopping = EarlyStopping(monitor='val_loss', patience=10)
        return record_fit(model, x, y, epochs=epochs, batch_size=2048, validation_data=validation,
                          callbacks=[early_stopping], verbose=verbose)

    n_epochs, n_more = {"section1": (20, 2), "section3": (10, 1)}[name]
    yield "first fit", fit(args.epochs or n_epochs)
    yield "second fit", fit(n_more)
    compile_model(name, model)
    yield "recompiled", fit(n_more)
    if name == "section1":
        compile_model(name, model)
        yield "recompiled, verbose=2", fit(1, verbose=2)
        compile_model(name, model)
        model.evaluate(*validation, batch_size=2048, verbose=0)
        yield "recompiled, evaluated before", fit(1)


# ---- Same weights, same batches ----

def values_of(name, sizes, data, folder):
    """Train a listing for 50 steps of its own Adam; return its values, and write its weights before and after.

    Args:
        name: section1, section3 or section4.
        sizes: as in tests/tf115, {field of Settings: value}.
        data: arrays [n, ...]; batch k is rows k * batch_size, ..., continuing at row 0 after the last row.
        folder: gets initial.h5 and final.h5, from `save_weights`.

    Returns:
        {key: array}. On batch 0, before the training: `outputs`, `loss`, `gradients/<layer>/<weight>`. During the
        training: `trace` float32[50], the loss that `train_on_batch` returned. After the training: `final_outputs` on
        batch 0, and Adam's slots `m/<layer>/<weight>`, `v/<layer>/<weight>`. Weights have Keras's layout.
    """
    sizes = dict(sizes)
    learning_rate, size, seed = (sizes.pop(key) for key in ("learning_rate", "batch_size", "seed"))
    tf.random.set_seed(seed)
    model = build(name, Adam(learning_rate), **sizes)
    model.save_weights(str(folder / "initial.h5"))

    def batch(k):
        rows = np.arange(k * size, (k + 1) * size) % len(data[0])
        return inputs_and_targets(name, [array[rows] for array in data], sizes.get("cardinality"))

    @tf.function
    def gradients_of(x, y):  # as Model.train_step computes them
        with tf.GradientTape() as tape:
            outputs = model(x, training=True)
            loss = model.compiled_loss(y, outputs)
        return outputs, loss, tape.gradient(loss, model.trainable_variables)

    names = [f"{layer.name}/{weight.name.split('/')[-1].split(':')[0]}"
             for layer in model.layers for weight in layer.trainable_weights]
    outputs, loss, gradients = gradients_of(*batch(0))
    values = {"outputs": outputs, "loss": loss}
    values.update({f"gradients/{weight}": gradient for weight, gradient in zip(names, gradients)})
    model.reset_metrics()
    values["trace"] = np.array([np.ravel(model.train_on_batch(*batch(k)))[0] for k in range(N_STEPS)], np.float32)
    values["final_outputs"] = model.predict_on_batch(batch(0)[0])
    slots = model.optimizer.get_weights()[1:]  # the first is the number of steps
    assert len(slots) == 2 * len(names) and [*map(id, model.trainable_variables)] == [
        id(weight) for layer in model.layers for weight in layer.trainable_weights]
    values.update({f"m/{weight}": slot for weight, slot in zip(names, slots)})
    values.update({f"v/{weight}": slot for weight, slot in zip(names, slots[len(names):])})
    model.save_weights(str(folder / "final.h5"))
    values.update({f"data/{k}": array for k, array in enumerate(data)})
    return {key: np.asarray(value) for key, value in values.items()}


def write(args):
    """Run the command: write <network>/numbers.npz, initial.h5 and final.h5, and sizes.json."""
    tf.config.threading.set_intra_op_parallelism_threads(1)  # several threads would order sums by chance
    tf.config.threading.set_inter_op_parallelism_threads(1)
    top, all_sizes = (Path(args.full), FULL) if args.full else (FIXTURES, SMALL)
    for name in NAMES:
        folder, sizes = top / name, all_sizes[name]
        folder.mkdir(parents=True, exist_ok=True)
        data = make_data(name, sizes, 3 * sizes["batch_size"] + 1 if args.full else N_ROWS[name])
        values = values_of(name, sizes, data, folder)
        np.savez_compressed(str(folder / "numbers.npz"), **{key: values[key] for key in sorted(values)})
        n_bytes = sum(file.stat().st_size for file in folder.iterdir())
        first, last = values["trace"][[0, -1]]
        print(f"{name:10} {len(values):3} arrays, loss {first:.6g} -> {last:.6g}, {n_bytes:7} bytes", flush=True)
    (top / "sizes.json").write_text(json.dumps({name: all_sizes[name] for name in NAMES}, indent=1) + "\n")
    return 0


def check(args):
    """Run the command: load FOLDER/<network>.h5, weights of the package; compare the outputs with <network>.npy."""
    failed = False
    for name in NAMES:
        sizes = dict(SMALL[name])
        size, *_ = (sizes.pop(key) for key in ("batch_size", "learning_rate", "seed"))
        with np.load(str(FIXTURES / name / "numbers.npz")) as file:
            data = [file[key][:size] for key in sorted(file.files) if key.startswith("data/")]
        model = build(name, **sizes)
        model.load_weights(str(Path(args.folder) / f"{name}.h5"))
        outputs = model.predict_on_batch(inputs_and_targets(name, data, sizes.get("cardinality"))[0])
        expected = np.load(str(Path(args.folder) / f"{name}.npy"))
        difference = np.max(np.abs(outputs - expected)) / np.max(np.abs(expected))
        print(name, "same outputs" if difference < TOLERANCE else f"OUTPUTS DIFFER by {difference:.0e}")
        failed = failed or not difference < TOLERANCE
    return int(failed)


def main(argv=None):
    if not tf.__version__.startswith("2.4."):
        sys.exit(f"original.py: this is TensorFlow {tf.__version__}; expected the real 2.4.1 (see README.md)")
    parser = argparse.ArgumentParser(description="The report's Keras listings in TensorFlow 2.4.1.")
    commands = parser.add_subparsers(dest="command", metavar="progress | write | check", required=True)
    progress_parser = commands.add_parser("progress", help="train on the real data; record what the bar shows")
    progress_parser.add_argument("--section", type=int, choices=tuple(SEEDS), help="one section only")
    progress_parser.add_argument("--epochs", type=int, help="of the first fit, if not the report's number")
    progress_parser.add_argument("--data-dir", metavar="DIR", help="folder with Fashion-MNIST's files")
    progress_parser.set_defaults(function=progress)
    write_parser = commands.add_parser("write", help="rewrite the values that the tests compare with")
    write_parser.add_argument("--full", metavar="FOLDER", help="at the report's sizes, into FOLDER (minutes, 400 MB)")
    write_parser.set_defaults(function=write)
    check_parser = commands.add_parser("check", help="load .h5 weights of the package and compare the outputs")
    check_parser.add_argument("folder", metavar="FOLDER")
    check_parser.set_defaults(function=check)
    args = parser.parse_args(argv)
    return args.function(args)


if __name__ == "__main__":
    sys.exit(main())
