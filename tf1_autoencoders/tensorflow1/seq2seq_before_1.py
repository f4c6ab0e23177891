"""tf.nn.seq2seq of TensorFlow before 1.0, which 1.0 moved to tf.contrib.legacy_seq2seq.

Its models unroll and wrap the cells of that time by themselves. A softmax_loss_function took (logits, labels) then.
"""
from __future__ import annotations

import functools
import inspect

from tf1_autoencoders.tensorflow1.contrib import legacy_seq2seq
from tf1_autoencoders.tensorflow1.contrib.legacy_seq2seq import *  # noqa: F403
from tf1_autoencoders.tensorflow1.contrib.legacy_seq2seq import _extract_argmax_and_embed  # noqa: F401


def _with_logits_first(function):
    signature = inspect.signature(function)

    @functools.wraps(function)
    def of_then(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        loss = bound.arguments.get("softmax_loss_function")
        if loss is not None:
            bound.arguments["softmax_loss_function"] = lambda labels, logits: loss(logits, labels)
        return function(*bound.args, **bound.kwargs)
    return of_then


sequence_loss_by_example, sequence_loss, model_with_buckets = map(_with_logits_first, (
    legacy_seq2seq.sequence_loss_by_example, legacy_seq2seq.sequence_loss, legacy_seq2seq.model_with_buckets))
