"""Checkpoints: written, read, and kept so that nothing is lost."""
