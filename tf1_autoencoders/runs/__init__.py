"""Each section from its data to its last picture, in the report's order and words: run() and measure() of each file."""
