"""TensorFlow 1: the layers, the input pipelines, and the contract of a built graph."""
