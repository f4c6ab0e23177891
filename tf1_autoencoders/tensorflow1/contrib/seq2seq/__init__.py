"""tf.contrib.seq2seq of TensorFlow 1.15: decoders, helpers, attention, beam search, the loss of sequences.

Source of every name: tf.contrib.seq2seq of TensorFlow 1.15.5; the papers stand in the docstrings. Sequences are
[batch, time, ...] unless a docstring says otherwise.
"""
from __future__ import annotations

from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1.contrib.seq2seq.attention import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.seq2seq.attention import (  # noqa: F401  # programs subclass and call them
    _bahdanau_score,
    _BaseAttentionMechanism,
    _luong_score,
    _maybe_mask_score,
    _prepare_memory,
)
from tf1_autoencoders.tensorflow1.contrib.seq2seq.attention_wrapping import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.seq2seq.attention_wrapping import _compute_attention  # noqa: F401
from tf1_autoencoders.tensorflow1.contrib.seq2seq.beam_search import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.seq2seq.beams import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.seq2seq.decoding import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.seq2seq.drawing_helpers import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.seq2seq.helpers import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.seq2seq.loss_of_sequences import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.seq2seq.monotonic import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.seq2seq.monotonic import (  # noqa: F401
    _BaseMonotonicAttentionMechanism,
    _monotonic_probability_fn,
)

_INNER = ("ops", "loss", "attention_wrapper", "basic_decoder", "decoder", "helper", "beam_search_decoder",
          "beam_search_ops")
__getattr__ = _contrib.explain_missing(__name__, _INNER)
