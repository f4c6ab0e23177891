"""Keras: what a twin is made of, and how weights go between it and a graph."""
