"""The tests; `pytest` runs them."""
