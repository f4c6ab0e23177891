"""Anybody's TensorFlow 1 program: how it is run, and what it computed.

    launch        runs a file or a notebook as `python FILE` would
    imports       what `import tensorflow` and `import keras` mean while it runs
    old_names     finds the names of TensorFlow before 1.0 in a program
    surroundings  what stood around TensorFlow then and is gone now: names of NumPy, SciPy, matplotlib without a display
    figures       matplotlib's backend without a display: figures become files
    record        what a program computed, written and compared
"""
