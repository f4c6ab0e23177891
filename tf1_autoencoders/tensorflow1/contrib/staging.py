"""tf.contrib.staging of TensorFlow 1.15: `StagingArea`, which TensorFlow still has inside."""
from __future__ import annotations

from tensorflow.python.ops import data_flow_ops as _queues

from tf1_autoencoders.tensorflow1 import contrib as _contrib

StagingArea = _queues.StagingArea
__getattr__ = _contrib.explain_missing(__name__)
