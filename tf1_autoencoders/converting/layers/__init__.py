"""The layers of a graph, recognised from its operations, in the words and arguments of Keras."""
