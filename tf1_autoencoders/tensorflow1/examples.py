"""tensorflow.examples.tutorials of TensorFlow 1.15: MNIST's batches."""
from __future__ import annotations
