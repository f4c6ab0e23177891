"""Keras: the parts of a Keras twin, and the exchange of weights between a twin and its graph."""
