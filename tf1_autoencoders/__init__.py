"""The report on autoencoders as TensorFlow 1 graphs that run on TensorFlow 2, each beside its Keras twin.

    sections       THE REPORT: one file a section, from the data to the last figure
    graphs         TensorFlow 1: what a graph is made of
    keras_twin     Keras: what a twin is made of, and its exchange of weights with a graph
    training       the loop, the session, the trainers of graph and twin
    distributed    several processes or machines that train one network
    checkpointing  checkpoints that survive a kill at any moment
    converting     anybody's TensorFlow 1 checkpoint and graph, in the formats of today
    programs       runs anybody's TensorFlow 1 program, and compares what it computed
    tensorflow1    TensorFlow 1.15's namespace on today's TensorFlow, for old programs
    reporting      what a run shows: log, figures, the HTML report, published beside measured
    datasets       CIFAR-10, Fashion-MNIST, their downloads, the drawn sample
    utils          the ground: errors, paths, files, command line, the door to TensorFlow and Keras

The files beside this one are the commands: `python run_all.py` (run_all), `python -m tf1_autoencoders.evaluate`,
`python -m tf1_autoencoders.crosscheck`, `... .spread`, `... .clean`, `... .export`, `... .convert` and `... .play`.
Start with sections/section2_horses.py.
"""
import os
import sys

__version__ = "3.0.0"

# `python -m tf1_autoencoders.convert` would look for modules in the current directory first, where a download could
# have left an ast.py. Python calls a program "-m" until it has found the module.
if sys.argv[:1] == ["-m"] and any(name.startswith("tf1_autoencoders") for name in getattr(sys, "orig_argv", ())) \
        and sys.path[:1] == [os.path.abspath(os.curdir)] \
        and sys.path[0] != os.path.dirname(os.path.dirname(os.path.abspath(__file__))):
    del sys.path[0]
