"""Functions whose operations changed since TensorFlow 1.15, composed as 1.15 composed them.

Where a random operation stands inside a function, its seed is the number of operations before it: the same operations
give the same random values.
"""
from __future__ import annotations
