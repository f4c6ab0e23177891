"""The loop, the session, and what goes through them: a graph or a Keras twin."""
