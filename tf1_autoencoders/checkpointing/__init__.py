"""Checkpoints: written by tf1.train.Saver, checked before use, stored so that a kill at any moment loses nothing."""
