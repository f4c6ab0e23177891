"""The run of section 4, from the drawn sequences to the predictions of unseen ones."""
from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from tf1_autoencoders.reporting.published import EXAMPLES, LAYERS
from tf1_autoencoders.reporting.run_log import Options
from tf1_autoencoders.sections import section4_sequences as section
from tf1_autoencoders.sections.run import keeping, network
from tf1_autoencoders.training.loop import fit
from tf1_autoencoders.training.row_order import shuffled
from tf1_autoencoders.utils.paths import shown

SCOPES = {"lstm": "encoder", "lstm_1": "decoder", "dense": "dense"}  # layer of the report -> scope of the graph
MODELS = {"encoder": ("lstm",), "decoder": ("lstm_1", "dense"), "autoencoder": ("lstm", "lstm_1", "dense")}


@keeping(section)
def run(settings, options, kept):
    """Section 4: sequences."""
    data, source = section.load(settings)
    arrays, (test_x1, _, test_y) = section.training_arrays(data), data["test"]
    settings = section.resolve(settings, len(arrays[0]))
    report = kept.report(settings, source, arrays)

    report.heading("Sequences")
    report.say(*(f"{name}: {array.shape}, for example {array[0].tolist()}"
                 for name, array in zip(("X1", "X2", "y"), arrays)))
    report.heading("The encoder, the decoder, and both")
    with network(section, settings, arrays, options) as made:
        model = made.model
        counts = {name: n_parameters(model, scope) for name, scope in SCOPES.items()}
        published = {name: n for name, _, n in LAYERS[4]}
        report.table("Section 4: models", ("model", "layers", "published parameters", "parameters"), [
            (name, ", ".join(layers), f"{sum(published[layer] for layer in layers):,}",
             f"{sum(counts[layer] for layer in layers):,}") for name, layers in MODELS.items()])
        report.heading("Training")
        with kept.training(report, made) as going_on:
            for epoch, metrics in train(made.trainer, settings, len(arrays[0]), **going_on):
                numbers = {f"epoch {epoch + 1} {name}": value for name, value in metrics.items()}
                report.measured.update(numbers)
                text = " - ".join(f"{name}: {value:.4f}" for name, value in metrics.items())
                n_steps = -(-len(arrays[0]) // settings.batch_size)
                report.epoch(epoch + 1, f"{n_steps}/{n_steps} - {text}", metrics, list(numbers))
        report.say(f"Model saved in path: {shown(kept.path)}")

        report.heading("Prediction")
        coders = section.graph_coders(made.session, model) if made.session else section.keras_coders(model, settings)

        def predict(sequences, settings=settings):
            return section.one_hot_decode(section.predict_sequence(*coders, sequences, settings))
        if (settings.n_in, settings.n_out, settings.cardinality) == (6, 3, 51):
            examples = np.array([sequence for sequence, _ in EXAMPLES])
            report.say("the report's five examples:", *(
                section.example(sequence, target, answer)
                for (sequence, target), answer in zip(EXAMPLES, predict(examples))))
        report.say("unseen sequences:", *(section.example(*line) for line in zip(
            test_x1[:section.N_EXAMPLES], test_y, predict(test_x1[:section.N_EXAMPLES]))))
        rows = []
        for start, feed_back in itertools.product(section.STARTS, section.FEED_BACKS):
            answers = predict(test_x1, dataclasses.replace(settings, start=start, feed_back=feed_back))
            rows.append((start, feed_back, f"{section.sequence_accuracy(answers, test_y):.3f}",
                         f"{np.mean(answers == test_y):.3f}"))
        report.table(f"Section 4: {len(test_y)} unseen sequences (the report's way: zeros, softmax)",
                     ("start vector", "fed back", "sequences right", "numbers right"), rows)
        report.record(None, {f"accuracy, {start} {feed_back}": float(right) for start, feed_back, right, _ in rows})
    return report


def n_parameters(model, scope):
    """Of a layer, in a GraphModel or the Keras twin."""
    if hasattr(model, "graph"):
        return sum(variable.shape.num_elements() for variable in model.weights
                   if variable.op.name.startswith(scope + "/"))
    return model.get_layer(scope).count_params()


def train(trainer, settings, n_rows, **kept):
    """Train section 4's network, each epoch in an order of its own; yields training.Measurement."""
    return fit(trainer, n_epochs=settings.n_epochs, rows_of=lambda epoch: shuffled(n_rows, settings.seed, epoch),
               **kept)


def measure(settings, data):
    """Draw sequences, train once and give the numbers, {name: float}, for `spread`; `data` is that of another seed."""
    data, _ = section.load(settings)
    arrays, (test_x1, _, test_y) = section.training_arrays(data), data["test"]
    with network(section, section.resolve(settings, len(arrays[0])), arrays, Options()) as made:
        numbers = {f"epoch {epoch + 1} {name}": value
                   for epoch, metrics in train(made.trainer, settings, len(arrays[0]))
                   for name, value in metrics.items()}
        coders = section.graph_coders(made.session, made.model)
        answers = section.one_hot_decode(section.predict_sequence(*coders, test_x1, settings))
    return {**numbers, "accuracy over unseen sequences": section.sequence_accuracy(answers, test_y)}
