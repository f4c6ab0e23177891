"""Out of TensorFlow 1: anybody's checkpoint and graph, read safely, understood, and written in the formats of today."""
