"""TensorFlow 1: what a graph is made of."""
