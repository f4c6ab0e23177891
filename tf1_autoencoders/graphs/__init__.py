"""TensorFlow 1: layers, input pipelines, and the contract of a built graph."""
