"""Keras: the parts of a twin, and the exchange of weights between a twin and a graph."""
