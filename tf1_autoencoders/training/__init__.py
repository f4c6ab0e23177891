"""Training: the loop, the session, the trainers of graph and twin, the order of rows."""
