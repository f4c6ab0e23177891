"""The layers of a graph: recognised from its operations, in the words and arguments of Keras."""
from __future__ import annotations

import re
import sys
import threading
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy as np

from tf1_autoencoders.converting.graph.foreign_graph import PASS_ON, PLACEHOLDERS, data_inputs, split_name
from tf1_autoencoders.converting.graph.inference_graph import InferenceGraph
from tf1_autoencoders.utils.errors import UserError

MAX_LAYERS = 20_000
ACTIVATIONS = {"Relu": "relu", "Relu6": "relu6", "Elu": "elu", "Selu": "selu", "Sigmoid": "sigmoid", "Tanh": "tanh",
               "Softplus": "softplus", "Softsign": "softsign", "Exp": "exponential", "LogSoftmax": "log_softmax"}
MERGES = {"Add": "Add", "AddV2": "Add", "AddN": "Add", "Sub": "Subtract", "Mul": "Multiply", "Maximum": "Maximum",
          "Minimum": "Minimum"}
WITH_BIAS = ("Dense", "Conv2D", "Conv2DTranspose", "DepthwiseConv2D")
FOLDABLE: Dict[str, Callable[..., Any]] = {
    "Add": np.add, "AddV2": np.add, "Sub": np.subtract, "Mul": np.multiply, "RealDiv": np.divide, "Neg": np.negative,
    "Sqrt": np.sqrt, "Rsqrt": lambda x: 1 / np.sqrt(x), "Square": np.square, "Maximum": np.maximum,
    "ExpandDims": lambda x, axis: np.expand_dims(x, int(axis)), "Reshape": lambda x, shape: np.reshape(x, shape),
    "Transpose": lambda x, axes: np.transpose(x, axes), "Range": np.arange}


class Layer:
    """A layer that was recognised.

    | attribute | meaning                                                                       |
    |-----------|-------------------------------------------------------------------------------|
    | kind      | name of the class in keras.layers; or "Input", or the operation if not known  |
    | name      | name of the layer, unique                                                     |
    | place     | the operation in the graph                                                    |
    | inputs    | numbers of the layers whose outputs it takes                                  |
    | arguments | of the class                                                                  |
    | call      | {argument of the call: numbers of layers}, such as mask and initial_state      |
    | weights   | {name of the weight in Keras: array in Keras's layout}                        |
    | variables | names of the variables behind the weights                                     |
    | views     | of a recurrent layer: which of its outputs are taken, the layer's own first    |
    | known     | False for an operation that is no layer                                       |
    """

    def __init__(self, kind: str, name: str, place: str, inputs: Sequence[int] = (), known: bool = True,
                 variables: Sequence[str] = (), weights: Optional[Dict[str, np.ndarray]] = None,
                 call: Optional[Dict[str, List[int]]] = None, **arguments: Any) -> None:
        self.kind, self.name, self.place, self.inputs, self.known = kind, name, place, tuple(inputs), known
        self.variables, self.weights, self.arguments = list(variables), weights or {}, arguments
        self.call, self.views = call or {}, []  # type: Dict[str, List[int]], List[str]

    def describe(self) -> str:
        """Return the layer in one line, as a call of Keras."""
        values = [f"{name}={value!r}" for name, value in self.arguments.items()
                  if value is not None and not isinstance(value, np.ndarray)]
        return f"{self.kind}({', '.join(values)})" if self.known else f"{self.kind}: not recognised as a layer"


class Window(NamedTuple):
    """Strides, padding and layout of a convolution or pooling; `axes` are height and width, `channels` the other."""

    strides: Tuple[int, int]
    padding: str
    axes: Tuple[int, int]
    channels: int
    layout: Dict[str, str]  # the argument data_format, where it is not the default


class Network:
    """The layers between the inputs and outputs of an InferenceGraph.

    | attribute | meaning                                                 |
    |-----------|---------------------------------------------------------|
    | layers    | list of Layer; each stands behind those that it takes   |
    | outputs   | numbers of the layers that give the outputs             |
    """

    def __init__(self, graph: InferenceGraph, with_forget_bias: bool = True) -> None:
        """Recognise the layers; without their forget bias, the biases of LSTMs are the variables' own."""
        self.graph, self.tf_graph, self.with_forget_bias = graph, graph.imported(), with_forget_bias
        self.layers: List[Layer] = []
        self.memo: Dict[str, int] = {}
        self.recurrent: Dict[Any, int] = {}
        self._names: Set[str] = set()
        self._constants: Dict[str, Optional[np.ndarray]] = {}
        self._open: Set[str] = set()
        self._sources: Dict[str, str] = {}
        self.n_uses: Dict[str, int] = {}
        for node in graph.nodes.values():
            for tensor in data_inputs(node):
                self.n_uses[self.source(tensor)] = self.n_uses.get(self.source(tensor), 0) \
                    + (node.op not in PASS_ON and node.op != "Shape")
        self.outputs: List[int] = []
        _with_deep_stack(self._visit_all, graph.source)

    def _visit_all(self) -> None:
        for tensor in self.graph.inputs:
            self.visit(tensor)
        self.outputs = [self.visit(tensor) for tensor in self.graph.outputs]

    @property
    def unknown(self) -> List[Layer]:
        """The operations that are no layer."""
        return [layer for layer in self.layers if not layer.known]

    # ---- tensors ----

    def source(self, tensor: str) -> str:
        """Return the tensor behind operations that only pass a tensor on."""
        passed: List[str] = []
        while tensor not in self._sources and len(passed) < len(self.graph.nodes):
            passed.append(tensor)
            name, output = split_name(tensor)
            node = self.graph.nodes.get(name)
            if node is None or node.op not in PASS_ON or not data_inputs(node) \
                    or self.graph.nodes[split_name(data_inputs(node)[0])[0]].op == "Switch":
                self._sources[tensor] = f"{name}:{output}" if output else name
                break
            tensor = data_inputs(node)[0]
        source = self._sources.get(tensor, tensor)
        self._sources.update(dict.fromkeys(passed, source))  # so that a long chain is followed once
        return source

    def node(self, tensor: str) -> Any:
        """Return the node behind a tensor."""
        return self.graph.nodes[split_name(self.source(tensor))[0]]

    def shape(self, tensor: str) -> Optional[List[Optional[int]]]:
        """Return the static shape of a tensor, or None if not even its rank is known."""
        name, output = split_name(tensor)
        shape = self.tf_graph.get_tensor_by_name(f"{name}:{output}").shape
        return None if shape.rank is None else shape.as_list()

    def constant(self, tensor: str) -> Optional[np.ndarray]:
        """Return the value of a tensor that depends on constants and weights only, or None."""
        tensor = self.source(tensor)
        if tensor not in self._constants:
            self._constants[tensor] = None  # in a loop, a tensor that depends on itself is no constant
            self._constants[tensor] = self._fold(tensor)
        return self._constants[tensor]

    def _fold(self, tensor: str) -> Optional[np.ndarray]:
        name, _ = split_name(tensor)
        value = self.graph.constant_value(tensor)
        node = self.graph.nodes[name]
        if value is not None:
            return value
        if node.op == "Enter":
            return self.constant(data_inputs(node)[0])
        if node.op in FOLDABLE or node.op in ("ConcatV2", "Squeeze", "Pack"):
            values = [part for part in map(self.constant, data_inputs(node)) if part is not None]
            if len(values) < len(data_inputs(node)) or sum(part.size for part in values) > 1 << 28:
                return None
            try:
                if node.op == "ConcatV2":
                    return np.concatenate(values[:-1], int(values[-1]))
                if node.op == "Pack":
                    return np.stack(values, node.attr["axis"].i)
                if node.op == "Squeeze":
                    return np.squeeze(values[0], tuple(node.attr["squeeze_dims"].list.i) or None)
                if node.op == "Range" and (values[2] == 0 or abs((values[1] - values[0]) / values[2]) > 1 << 20):
                    return None
                return np.asarray(FOLDABLE[node.op](*values))
            except (ValueError, TypeError, FloatingPointError):
                return None
        return None

    def variables(self, *tensors: str) -> List[str]:
        """Return the names of the weights that some tensors are made of."""
        found: List[str] = []
        pending, seen = [split_name(tensor)[0] for tensor in reversed(tensors)], set()
        while pending:
            name = pending.pop()
            if name in seen or name not in self.graph.nodes:
                continue
            seen.add(name)
            if name in self.graph.weights:
                found.append(name)
            pending += [split_name(tensor)[0] for tensor in reversed(data_inputs(self.graph.nodes[name]))]
        return found

    # ---- layers ----

    def add(self, kind: str, place: str, inputs: Sequence[int] = (), **more: Any) -> int:
        """Append a layer; return its number."""
        variables = more.get("variables") or []
        scope = variables[0].rpartition("/")[0] if variables else ""
        if not scope or variables and not re.search(r"/(kernel|weights?|gamma|beta|embeddings?|depthwise_\w+|w)$",
                                                    variables[0]):
            scope = place if not variables or not scope else variables[0].rpartition("/")[0]
        name = re.sub(r"[^A-Za-z0-9_.-]+", "_", scope).strip("_") or kind.lower()
        unique, k = name, 0
        while unique in self._names:
            k += 1
            unique = f"{name}_{k}"
        self._names.add(unique)
        self.layers.append(Layer(kind, unique, place, inputs, **more))
        return len(self.layers) - 1

    def once(self, kind: str, place: str, inputs: Sequence[int]) -> int:
        """Return the number of the layer of this kind on these inputs; append the layer if there is none."""
        key = f"{kind} of {inputs}"
        if key not in self.memo:
            self.memo[key] = self.add(kind, place, inputs)
        return self.memo[key]

    def visit(self, tensor: str) -> int:
        """Return the number of the layer that gives a tensor; recognise it, and what it needs, if that is not done."""
        tensor = self.source(tensor)
        if tensor in self.memo:
            return self.memo[tensor]
        name, _ = split_name(tensor)
        node = self.graph.nodes[name]
        if tensor in self._open or len(self.layers) > MAX_LAYERS:
            return self.add(node.op, name, known=False)
        self._open.add(tensor)
        number = self._recognise(tensor, node)
        if number is None:
            inputs = [part for part in self._outer_inputs(name) if self.constant(part) is None]
            number = self.add(node.op, name, [self.visit(part) for part in inputs], known=False)
        self._open.discard(tensor)
        self.memo[tensor] = number
        return number

    def _outer_inputs(self, name: str) -> List[str]:
        """Return the inputs of a node; of a loop, what enters it."""
        node = self.graph.nodes[name]
        if node.op not in ("Exit", "TensorArrayGatherV3"):
            return data_inputs(node)
        found, pending, seen = [], [name], set()
        while pending:
            current = pending.pop()
            if current in seen or current not in self.graph.nodes:
                continue
            seen.add(current)
            node = self.graph.nodes[current]
            if node.op in PLACEHOLDERS or node.op == "Transpose":
                found.append(current)
            else:
                pending += [split_name(tensor)[0] for tensor in data_inputs(node)]
        return found

    def _recognise(self, tensor: str, node: Any) -> Optional[int]:
        """Return the number of the layer of one operation, or None."""
        from tf1_autoencoders.converting.layers import recurrent  # which uses this class
        op, inputs, place = node.op, data_inputs(node), node.name
        if op in PLACEHOLDERS:
            shape = self.shape(tensor)
            return self.add("Input", place, shape=None if shape is None else tuple(shape[1:]),
                            dtype=self.tf_graph.get_tensor_by_name(f"{place}:0").dtype.name)
        number = recurrent.recognise(self, tensor)
        if number is not None:
            return number
        if op in ("MatMul", "BatchMatMul", "BatchMatMulV2"):
            return self._dense(node, inputs)
        if op in ("Conv2D", "DepthwiseConv2dNative", "Conv2DBackpropInput"):
            return self._convolution(node, inputs)
        if op in ("BiasAdd", "Add", "AddV2", "Sub", "Mul", "RealDiv", "Maximum", "Minimum", "AddN"):
            return self._arithmetic(node, inputs)
        if op in ACTIVATIONS:
            return self._activation(ACTIVATIONS[op], place, inputs[0])
        if op == "Softmax":
            return self._activation("softmax", place, inputs[0])
        if op == "LeakyRelu":
            return self.add("LeakyReLU", place, [self.visit(inputs[0])],
                            negative_slope=round(float(node.attr["alpha"].f), 7))
        if op in ("MaxPool", "AvgPool"):
            return self._pooling(node, inputs)
        if op in ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3") and not node.attr["is_training"].b \
                and not tensor.endswith((":1", ":2", ":3", ":4", ":5")):
            more = {"axis": 1} if _is_nchw(node) else {}
            return self._batch_normalization(place, inputs[0], inputs[1:5], round(float(node.attr["epsilon"].f), 9),
                                             **more)
        if op in ("Reshape", "Squeeze", "ExpandDims"):
            return self._reshape(tensor, inputs)
        if op == "ConcatV2":
            axis, shape = self.constant(inputs[-1]), self.shape(tensor)
            if axis is None or (int(axis) % len(shape) if shape else max(0, int(axis))) == 0:
                return None
            return self.add("Concatenate", place, [self.visit(part) for part in inputs[:-1]], axis=int(axis))
        if op in ("Gather", "GatherV2", "ResourceGather"):
            table = self.constant(inputs[0])
            if table is None or table.ndim != 2 or op == "GatherV2" and self.constant(inputs[2]) != 0:
                return None
            return self.add("Embedding", place, [self.visit(inputs[1])], variables=self.variables(inputs[0]),
                            weights={"embeddings": table}, input_dim=table.shape[0], output_dim=table.shape[1])
        if op == "OneHot":
            depth, on, off = (self.constant(part) for part in inputs[1:])
            if depth is None or on != 1 or off != 0 or node.attr["axis"].i != -1 or not 0 < int(depth) < 1 << 14:
                return None
            return self.add("Embedding", place, [self.visit(inputs[0])], input_dim=int(depth), output_dim=int(depth),
                            weights={"embeddings": np.eye(int(depth), dtype="float32")}, trainable=False)
        if op in ("Mean", "Max"):
            axes, rank = self.constant(inputs[1]), len(self.shape(inputs[0]) or ())
            reduced = [] if axes is None else sorted(np.ravel(axes).tolist())
            if (rank, reduced) in ((3, [1]), (4, [1, 2]), (4, [2, 3])):
                return self.add(f"Global{'Average' if op == 'Mean' else 'Max'}Pooling{rank - 2}D", place,
                                [self.visit(inputs[0])], keepdims=bool(node.attr["keep_dims"].b),
                                data_format="channels_first" if reduced == [2, 3] else None)
        if op == "Transpose":
            axes = self.constant(inputs[1])
            if axes is not None and axes[0] == 0:
                return self.add("Permute", place, [self.visit(inputs[0])], dims=tuple(axes[1:].tolist()))
        if op == "ReverseV2":
            axes = self.constant(inputs[1])
            if axes is not None and axes.tolist() == [1]:
                return self.add("Flip", place, [self.visit(inputs[0])])
        if op == "Pad":
            widths = self.constant(inputs[1])
            if widths is not None and widths.shape == (4, 2) and not widths[[0, 3]].any():
                return self.add("ZeroPadding2D", place, [self.visit(inputs[0])],
                                padding=tuple(map(tuple, widths[1:3].tolist())))
        if op in ("ResizeNearestNeighbor", "ResizeBilinear"):
            return self._upsampling(node, inputs)
        return None

    def _dense(self, node: Any, inputs: List[str]) -> Optional[int]:
        first, second = inputs
        if node.op == "MatMul":
            kernel = self.constant(second)
            if node.attr["transpose_a"].b:
                return None
            if kernel is not None and node.attr["transpose_b"].b:
                kernel = kernel.T
        else:
            if node.attr["adj_x"].b or node.attr["adj_y"].b:
                return None
            kernel = self.constant(second)
            if kernel is None and self.node(second).op == "Tile":  # one copy of the matrix for each row
                kernel = self.constant(data_inputs(self.node(second))[0])
            if kernel is not None and kernel.ndim == 3 and kernel.shape[0] == 1:
                kernel = kernel[0]
        if kernel is None or kernel.ndim != 2 or self.constant(first) is not None:
            return None
        return self.add("Dense", node.name, [self.visit(first)], variables=self.variables(second),
                        weights={"kernel": kernel}, units=kernel.shape[1], activation=None, use_bias=False)

    def _convolution(self, node: Any, inputs: List[str]) -> Optional[int]:
        window = _window(node)
        kernel = self.constant(inputs[1])
        dilations = list(node.attr["dilations"].list.i) or [1, 1, 1, 1]
        if window is None or kernel is None or kernel.ndim != 4 or dilations[0] != 1 or dilations[window.channels] != 1:
            return None
        more: Dict[str, Any] = dict(kernel_size=kernel.shape[:2], strides=window.strides, padding=window.padding,
                                    dilation_rate=tuple(dilations[k] for k in window.axes), activation=None,
                                    use_bias=False, **window.layout)
        if node.op == "Conv2D":
            shape = self.shape(inputs[0])
            groups = (shape[window.channels] or 0) // kernel.shape[2] or 1 if shape else 1
            return self.add("Conv2D", node.name, [self.visit(inputs[0])], variables=self.variables(inputs[1]),
                            weights={"kernel": kernel}, filters=kernel.shape[3], groups=groups, **more)
        if node.op == "DepthwiseConv2dNative":
            return self.add("DepthwiseConv2D", node.name, [self.visit(inputs[0])], variables=self.variables(inputs[1]),
                            weights={"kernel": kernel}, depth_multiplier=kernel.shape[3], **more)
        before, after = self.shape(inputs[2]), self.shape(node.name)
        for k, size, stride in zip(window.axes, kernel.shape, window.strides):  # the size that Keras would give
            n = before[k] if before else None
            expected = None if n is None else n * stride + (max(size - stride, 0) if window.padding == "valid" else 0)
            if after and after[k] is not None and after[k] != expected:
                return None
        return self.add("Conv2DTranspose", node.name, [self.visit(inputs[2])], variables=self.variables(inputs[1]),
                        weights={"kernel": kernel}, filters=kernel.shape[2], **more)

    def _pooling(self, node: Any, inputs: List[str]) -> Optional[int]:
        window, size = _window(node), list(node.attr["ksize"].list.i)
        if window is None or len(size) != 4 or size[0] != 1 or size[window.channels] != 1:
            return None
        return self.add({"MaxPool": "MaxPooling2D", "AvgPool": "AveragePooling2D"}[node.op], node.name,
                        [self.visit(inputs[0])], pool_size=tuple(size[k] for k in window.axes),
                        strides=window.strides, padding=window.padding, **window.layout)

    def _upsampling(self, node: Any, inputs: List[str]) -> Optional[int]:
        before, after, known = self.shape(inputs[0]), self.constant(inputs[1]), self.shape(node.name)
        if after is None and known is not None and None not in known[1:3]:
            after = np.asarray(known[1:3])
        if after is None and self.node(inputs[1]).op == "Mul":  # Keras multiplies the size of the image itself
            parts = data_inputs(self.node(inputs[1]))
            known_factors = [factor for factor in map(self.constant, parts)
                             if factor is not None and factor.shape == (2,)]
            own = any(self.node(part).op == "StridedSlice" and self.node(data_inputs(self.node(part))[0]).op == "Shape"
                      and self.source(data_inputs(self.node(data_inputs(self.node(part))[0]))[0])
                      == self.source(inputs[0]) for part in parts)
            if own and len(known_factors) == 1 and before is not None and None in before[1:3] \
                    and "Nearest" in node.op and not node.attr["align_corners"].b:
                return self.add("UpSampling2D", node.name, [self.visit(inputs[0])],
                                size=tuple(known_factors[0].tolist()), interpolation="nearest")
            if own and len(known_factors) == 1 and before is not None and None not in before[1:3]:
                after = np.asarray(before[1:3]) * known_factors[0]
        if before is None or after is None or None in before[1:3] or node.attr["align_corners"].b \
                or node.op == "ResizeBilinear" and not node.attr["half_pixel_centers"].b \
                or any(int(new) % old for new, old in zip(after, before[1:3])):  # type: ignore[operator]
            return None
        return self.add("UpSampling2D", node.name, [self.visit(inputs[0])],
                        size=tuple(int(new) // old for new, old in zip(after, before[1:3])),  # type: ignore[operator]
                        interpolation="nearest" if "Nearest" in node.op else "bilinear")

    def _activation(self, activation: str, place: str, tensor: str) -> int:
        number = self.visit(tensor)
        layer = self.layers[number]
        if layer.kind in WITH_BIAS and layer.arguments["activation"] is None and self.n_uses[self.source(tensor)] == 1:
            layer.arguments["activation"] = activation
            return number
        return self.add("Activation", place, [number], activation=activation)

    def _arithmetic(self, node: Any, inputs: List[str]) -> Optional[int]:
        """Recognise a bias, a batch normalisation, a scale, a leaky ReLU, or a merge of two tensors."""
        constants = [self.constant(tensor) for tensor in inputs]
        if all(value is not None for value in constants):
            return None
        if all(value is None for value in constants):
            shapes = [self.shape(tensor) for tensor in inputs]
            if node.op == "Maximum" and len(inputs) == 2:
                for x, scaled in (inputs, inputs[::-1]):
                    factor = self._factor(scaled, x)
                    if factor is not None and 0 <= factor <= 1:
                        return self.add("LeakyReLU", node.name, [self.visit(x)], negative_slope=factor)
            if node.op in MERGES and None not in shapes and len({len(shape or ()) for shape in shapes}) == 1:
                return self.add(MERGES[node.op], node.name, [self.visit(tensor) for tensor in inputs])
            return None
        if len(inputs) != 2:
            return None
        value, tensor = (constants[1], inputs[0]) if constants[0] is None else (constants[0], inputs[1])
        assert value is not None
        other = inputs[1] if tensor == inputs[0] else inputs[0]
        shape, channels = self.shape(tensor), 1 if node.op == "BiasAdd" and _is_nchw(node) else -1
        if shape is None or value.size > 1 and (value.shape[-1] != value.size or shape[channels] != value.size):
            return None  # not one number for each channel
        if channels == 1 and shape[-1] in (None, value.size):  # Keras 3.15 adds a bias of this size along the width
            return self._affine(node.name, tensor, np.ones_like(value), value, self.variables(other), axis=1)
        if node.op in ("BiasAdd", "Add", "AddV2"):
            scaled = self.node(tensor)
            if scaled.op == "Mul" and self.n_uses[self.source(tensor)] == 1:
                x, scale = data_inputs(scaled)
                if self.constant(scale) is None:
                    x, scale = scale, x
                gain = self.constant(scale)
                if gain is not None and gain.size > 1 and value.size > 1:
                    return self._composed_batch_normalization(node.name, x, scale, other)
            number = self.visit(tensor)
            layer = self.layers[number]
            units: Any = shape[channels] if layer.kind == "DepthwiseConv2D" else \
                layer.arguments.get("units", layer.arguments.get("filters"))
            if layer.kind in WITH_BIAS and not layer.arguments["use_bias"] and layer.arguments["activation"] is None \
                    and self.n_uses[self.source(tensor)] == 1 and value.size in (1, units):
                layer.arguments["use_bias"] = True
                layer.weights["bias"] = np.broadcast_to(value.reshape(-1), (units,)).copy()
                layer.variables += self.variables(other)
                return number
            if channels == 1:
                return None
        variables = self.variables(other)
        if value.dtype.kind != "f" or node.op in ("Maximum", "Minimum", "AddN") \
                or node.op == "RealDiv" and tensor != inputs[0]:
            return None
        one, zero = np.ones_like(value), np.zeros_like(value)
        scale_, offset = {"Mul": (value, zero), "RealDiv": (one / value if np.all(value) else one, zero),
                          "Sub": (one, -value) if tensor == inputs[0] else (-one, value)}.get(node.op, (one, value))
        if value.size == 1 and not variables:
            return self.add("Rescaling", node.name, [self.visit(tensor)], scale=float(scale_.reshape(())),
                            offset=float(offset.reshape(())))
        width = shape[-1]
        if width is None:
            return None
        scale_, offset = (np.broadcast_to(part.reshape(-1), (width,)).copy() for part in (scale_, offset))
        return self._affine(node.name, tensor, scale_, offset, variables)

    def _factor(self, tensor: str, x: str) -> Optional[float]:
        """Return the number by which `tensor` is a multiple of `x`, or None."""
        node = self.node(tensor)
        if node.op != "Mul":
            return None
        for value, other in (data_inputs(node), data_inputs(node)[::-1]):
            constant = self.constant(value)
            if constant is not None and constant.size == 1 and self.source(other) == self.source(x):
                return round(float(constant.reshape(())), 7)
        return None

    def _affine(self, place: str, x: str, scale: np.ndarray, offset: np.ndarray, variables: List[str],
                **more: Any) -> int:
        """Add x * scale + offset, as the batch normalisation whose mean is 0 and whose variance is 1."""
        return self.add("BatchNormalization", place, [self.visit(x)], variables=variables, epsilon=0.0, weights={
            "gamma": scale, "beta": offset, "moving_mean": np.zeros_like(scale),
            "moving_variance": np.ones_like(scale)}, **more)

    def _composed_batch_normalization(self, place: str, x: str, scale: str, offset: str) -> int:
        """Recognise x * scale + offset with scale = gamma / sqrt(variance + epsilon), offset = beta - mean * scale."""
        gamma, inverse = None, scale
        if self.node(scale).op == "Mul":
            first, second = data_inputs(self.node(scale))
            inverse, gamma = (first, second) if self.node(first).op == "Rsqrt" else (second, first)
        shift, parts = self.node(offset), None
        if self.node(inverse).op == "Rsqrt" and shift.op == "Sub":
            total = self.node(data_inputs(self.node(inverse))[0])
            product = self.node(data_inputs(shift)[1])
            if total.op in ("Add", "AddV2") and product.op == "Mul":
                variance, epsilon = data_inputs(total)
                mean = [part for part in data_inputs(product) if self.source(part) != self.source(scale)]
                value = self.constant(epsilon)
                if len(mean) == 1 and value is not None and value.size == 1:
                    parts = (gamma, data_inputs(shift)[0], mean[0], variance, round(float(value.reshape(())), 9))
        if parts:
            return self._batch_normalization(place, x, parts[:4], parts[4]) or 0
        values = [self.constant(part) for part in (scale, offset)]
        assert values[0] is not None and values[1] is not None
        return self._affine(place, x, values[0].reshape(-1), values[1].reshape(-1), self.variables(scale, offset))

    def _batch_normalization(self, place: str, x: str, parts: Sequence[Any], epsilon: float,
                             **more: Any) -> Optional[int]:
        """Add a batch normalisation with gamma (or None), beta, mean and variance."""
        values = [None if part is None else self.constant(part) for part in parts]
        if any(value is None for value in values[1:]):
            return None
        weights = {name: value.reshape(-1) for name, value in
                   zip(("gamma", "beta", "moving_mean", "moving_variance"), values) if value is not None}
        more.update({} if "gamma" in weights else {"scale": False})
        return self.add("BatchNormalization", place, [self.visit(x)], weights=weights, epsilon=epsilon,
                        variables=self.variables(*[part for part in parts if part is not None]), **more)

    def _reshape(self, tensor: str, inputs: List[str]) -> Optional[int]:
        """Recognise a reshape that leaves the batch alone, or the reshapes around a product of more than two axes."""
        node, before, after = self.node(tensor), self.shape(inputs[0]), self.shape(tensor)
        if before is None:
            return None
        if node.op == "Squeeze" and after is None and not node.attr["squeeze_dims"].list.i:
            after = [before[0], *(size for size in before[1:] if size != 1)]  # for batches of more than one row
        if node.op == "Reshape":
            product = self._product_over_last_axis(tensor, inputs[0])
            if product is not None:
                return product
            after = self._target_shape(inputs[1]) or after
        if after is None or len(after) < 1:
            return None
        number, n_before = self.visit(inputs[0]), _product(before[1:])
        if n_before is not None and after.count(None) == 2 and after[0] is None:
            rest = _product([size for size in after[1:] if size is not None])
            after = [None if k == 0 else n_before // max(1, rest or 1) if size is None else size
                     for k, size in enumerate(after)]
        if before == after or before[1:] == after[1:] and None not in after[1:]:
            return number
        if n_before is not None and None not in after[1:] and _product(after[1:]) == n_before:
            if len(after) == 2 and len(before) > 2:
                return self.add("Flatten", node.name, [number])
            return self.add("Reshape", node.name, [number], target_shape=tuple(after[1:]))
        if node.op in ("Squeeze", "ExpandDims") and after[0] is None and after[1:].count(None) == 1 \
                and before[1:].count(None) == 1:
            return self.add("Reshape", node.name, [number],
                            target_shape=tuple(-1 if size is None else size for size in after[1:]))
        return None

    def _target_shape(self, tensor: str) -> Optional[List[Optional[int]]]:
        """Return the shape that a Reshape asks for, with None for the batch and for what follows from the rest."""
        wanted, node = self.constant(tensor), self.node(tensor)
        if wanted is not None:
            return [None if k == 0 or size < 0 else int(size) for k, size in enumerate(np.ravel(wanted))]
        if node.op != "Pack":
            return None
        sizes = [self.constant(part) for part in data_inputs(node)]
        if sizes[0] is not None or any(size is None for size in sizes[1:]):
            return None
        return [None, *(int(size) if size >= 0 else None for size in sizes[1:])]  # type: ignore[arg-type, operator]

    def _product_over_last_axis(self, tensor: str, product: str) -> Optional[int]:
        """Recognise reshape(reshape(x, [-1, n]) @ kernel, [..., m]): a Dense layer on the last axis of x."""
        matmul = self.node(product)
        if matmul.op != "MatMul" or self.n_uses[self.source(product)] != 1:
            return None
        flat, kernel_tensor = data_inputs(matmul)
        kernel, reshape = self.constant(kernel_tensor), self.node(flat)
        if kernel is None or reshape.op != "Reshape" or matmul.attr["transpose_a"].b or matmul.attr["transpose_b"].b:
            return None
        x = data_inputs(reshape)[0]
        if self.node(x).op == "Transpose":  # Tensordot's, which here leaves the axes where they are
            axes = self.constant(data_inputs(self.node(x))[1])
            dynamic = axes is None and self.node(data_inputs(self.node(x))[1]).op == "ConcatV2"
            if dynamic or axes is not None and axes.tolist() == list(range(len(axes))):
                x = data_inputs(self.node(x))[0]
        before, after = self.shape(x), self.shape(tensor)
        if before is None or after is None or len(before) != len(after) or len(after) < 3 or before[:-1] != after[:-1] \
                or before[-1] != kernel.shape[0] or after[-1] != kernel.shape[1]:
            return None
        return self.add("Dense", matmul.name, [self.visit(x)], variables=self.variables(kernel_tensor),
                        weights={"kernel": kernel}, units=kernel.shape[1], activation=None, use_bias=False)


def _with_deep_stack(function: Callable[[], None], source: str) -> None:
    """Call a function that goes down the layers by recursion, in a thread whose stack holds thousands of layers.

    Raises:
        UserError: the graph has more layers one upon the other than that.
    """
    errors: List[BaseException] = []

    def run() -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)
    before = threading.stack_size(1 << 26), sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(50_000)
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before[0])
        sys.setrecursionlimit(before[1])
    if errors and isinstance(errors[0], RecursionError):
        raise UserError(f"{source}: the graph is nested too deeply to list; cut it with an --input closer to the "
                        "output") from errors[0]
    if errors:
        raise errors[0]


def _product(shape: Sequence[Optional[int]]) -> Optional[int]:
    return None if None in shape else int(np.prod(shape, dtype=np.int64))  # type: ignore[arg-type]


def _is_nchw(node: Any) -> bool:
    return node.attr["data_format"].s == b"NCHW"


def _window(node: Any) -> Optional[Window]:
    """Return strides and padding of a node, or None for what Keras does not have."""
    strides, padding = list(node.attr["strides"].list.i), node.attr["padding"].s.decode().lower()
    axes, channels = ((2, 3), 1) if _is_nchw(node) else ((1, 2), 3)
    if len(strides) != 4 or strides[0] != 1 or strides[channels] != 1 or padding not in ("same", "valid"):
        return None
    return Window((strides[axes[0]], strides[axes[1]]), padding, axes, channels,
                  {"data_format": "channels_first"} if channels == 1 else {})
