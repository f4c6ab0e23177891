"""slim.model_analyzer of TensorFlow 1.15: sizes of variables and outputs."""
from __future__ import annotations

from tf1_autoencoders.tensorflow1 import contrib as _contrib


def analyze_vars(variables, print_info=False):
    """Return (number of elements, bytes) of variables, and print each with its shape if print_info is true."""
    total, total_bytes = 0, 0
    if print_info:
        print("---------\nVariables: name (type shape) [size]\n---------")
    for one in variables:
        size = one.shape.num_elements() or 0
        n_bytes = size * one.dtype.size
        total, total_bytes = total + size, total_bytes + n_bytes
        if print_info:
            print(one.name, f"({one.dtype.base_dtype.name} {'x'.join(map(str, one.shape.as_list()))})",
                  f"[{size}, bytes: {n_bytes}]")
    if print_info:
        print(f"Total size of variables: {total}\nTotal bytes of variables: {total_bytes}")
    return total, total_bytes


def analyze_ops(graph, print_info=False):
    """Return the number of elements of all outputs of a graph whose sizes are known, and print each if wanted."""
    total = 0
    if print_info:
        print("---------\nOperations: name -> (type shapes) [size]\n---------")
    for operation in graph.get_operations():
        size = sum(output.shape.num_elements() or 0 for output in operation.outputs)
        total += size
        if print_info:
            shapes = ", ".join(str(output.shape) for output in operation.outputs)
            print(operation.name, f"\t-> ({shapes}) [{size}]")
    if print_info:
        print(f"Total size of outputs: {total}")
    return total


def tensor_description(var):
    """Return type and shape of a variable or tensor, `(float32_ref 3x4)`."""
    return f"({var.dtype.name} {'x'.join(map(str, var.shape.as_list()))})"


__getattr__ = _contrib.explain_missing(__name__)
