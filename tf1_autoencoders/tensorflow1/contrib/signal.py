"""tf.contrib.signal of TensorFlow 1.15: the functions that are tf.signal's today."""
from __future__ import annotations

from tensorflow.compat.v1.signal import (  # noqa: F401
    frame,
    hamming_window,
    hann_window,
    inverse_stft,
    inverse_stft_window_fn,
    linear_to_mel_weight_matrix,
    mfccs_from_log_mel_spectrograms,
    overlap_and_add,
    stft,
)

from tf1_autoencoders.tensorflow1 import contrib as _contrib

__getattr__ = _contrib.explain_missing(__name__)
