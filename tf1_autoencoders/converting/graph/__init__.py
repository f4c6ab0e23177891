"""A foreign graph: read, checked, cut to what some outputs need, with the weights as constants."""
