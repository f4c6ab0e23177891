"""slim.nets of TensorFlow 1.15."""
