"""Which operations and functions of a foreign graph may run: arithmetic on tensors, and control flow between it.

A .meta file is a program. It can read and write files, call Python, load libraries. Only operations on ALLOWED_OPS are
executed or written into a model; everything else must lie outside of what the outputs need, where it is removed.
TensorFlow is given only nodes that `allowed_node` copied, and only functions that `check_operations` returns.
"""
from __future__ import annotations

import functools
from typing import Any, Dict, Iterator, List, Mapping, Optional, Set, Tuple

from tf1_autoencoders.checkpointing.index import BYTES_PER_NUMBER
from tf1_autoencoders.utils.errors import UserError, one_line
from tf1_autoencoders.utils.frameworks import tf1

MAX_UNSTORED_BYTES = 1 << 28  # of all constants together: what their shapes claim beyond what the file holds of them
MAX_CALLED = 100_000  # operations in functions, each counted as often as it is called
OF_OTHER_PROCESSES = (20, 21)  # dtypes resource and variant: a constant of them names an object or is code to decode it

ALLOWED_OPS = frozenset("""
    Abs Acos Acosh Add AddN AddV2 All Angle Any ApproximateEqual ArgMax ArgMin Asin Asinh Atan Atan2 Atanh AvgPool
    AvgPool3D BatchMatMul BatchMatMulV2 BatchMatMulV3 BatchNormWithGlobalNormalization BatchToSpace BatchToSpaceND
    Betainc BiasAdd BiasAddV1 Bitcast BitwiseAnd BitwiseOr BitwiseXor BlockLSTM BlockLSTMV2 BroadcastArgs BroadcastTo
    Bucketize CTCBeamSearchDecoder CTCGreedyDecoder Cast Ceil CheckNumerics Cholesky ClipByValue Complex ComplexAbs
    Concat ConcatOffset ConcatV2 Conj Const ControlTrigger Conv2D Conv2DBackpropInput Conv3D Conv3DBackpropInputV2 Cos
    Cosh CropAndResize Cross Cumprod Cumsum DepthToSpace DepthwiseConv2dNative Dequantize Diag DiagPart Dilation2D Div
    DivNoNan DynamicPartition DynamicStitch EditDistance Einsum Elu EnsureShape Enter Equal Erf Erfc Exit Exp
    ExpandDims Expm1 ExtractImagePatches FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars Fill Floor FloorDiv FloorMod
    FractionalAvgPool FractionalMaxPool FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 GRUBlockCell Gather GatherNd
    GatherV2 Greater GreaterEqual HSVToRGB Identity IdentityN If Igamma Igammac Imag InTopK InTopKV2 Inv Invert
    InvertPermutation IsFinite IsInf IsNan L2Loss LRN LSTMBlockCell LeakyRelu LeftShift Less LessEqual Lgamma LinSpace
    ListDiff Log Log1p LogSoftmax LogicalAnd LogicalNot LogicalOr LoopCond LowerBound MatMul MatrixBandPart
    MatrixDeterminant MatrixDiag MatrixDiagPart MatrixInverse MatrixSetDiag MatrixSolve MatrixTriangularSolve Max
    MaxPool MaxPool3D MaxPoolV2 MaxPoolWithArgmax Maximum Mean Merge Min Minimum MirrorPad Mod Mul MulNoNan
    Multinomial Neg NextIteration NoOp NonMaxSuppression NonMaxSuppressionV2 NonMaxSuppressionV3 NonMaxSuppressionV4
    NonMaxSuppressionV5 NotEqual OneHot OnesLike Pack Pad PadV2 ParallelConcat ParallelDynamicStitch Placeholder
    PlaceholderV2 PlaceholderWithDefault Polygamma Pow PreventGradient Print Prod QuantizeAndDequantize
    QuantizeAndDequantizeV2 RGBToHSV RandomStandardNormal RandomUniform RandomUniformInt Range Rank Real RealDiv
    Reciprocal RefEnter RefExit RefIdentity RefMerge RefNextIteration RefSwitch Relu Relu6 Reshape ResizeArea
    ResizeBicubic ResizeBilinear ResizeNearestNeighbor Reverse ReverseSequence ReverseV2 RightShift Rint Roll Round
    Rsqrt ScatterNd SegmentMax SegmentMean SegmentMin SegmentProd SegmentSum Select SelectV2 Selu Shape ShapeN Sigmoid
    Sign Sin Sinh Size Slice Snapshot Softmax Softplus Softsign SpaceToBatch SpaceToBatchND SpaceToDepth SparseAdd
    SparseConcat SparseCross SparseCrossHashed SparseCrossV2 SparseFillEmptyRows SparseReduceMax SparseReduceSum
    SparseReorder SparseReshape SparseSegmentMean SparseSegmentSqrtN SparseSegmentSum SparseTensorDenseMatMul
    SparseToDense Split SplitV Sqrt Square SquaredDifference Squeeze StatelessIf StatelessRandomNormal
    StatelessRandomUniform StatelessWhile StopGradient StridedSlice StringToHashBucket StringToHashBucketFast
    StringToHashBucketStrong Sub Sum Svd Switch Tan Tanh TensorArrayGatherV3 TensorArrayReadV3 TensorArrayScatterV3
    TensorArraySizeV3 TensorArraySplitV3 TensorArrayV3 TensorArrayWriteV3 TensorListElementShape TensorListFromTensor
    TensorListGetItem TensorListLength TensorListReserve TensorListSetItem TensorListStack Tile TopK TopKV2 Transpose
    TruncateDiv TruncateMod TruncatedNormal Unique UniqueV2 UniqueWithCounts Unpack UnravelIndex UnsortedSegmentSum
    UpperBound Where While Xdivy Xlogy ZerosLike Zeta""".split())

# what reads a variable; converting.graph.inference_graph turns each into a constant or an Identity
VARIABLES = frozenset(("Variable", "VariableV2", "VarHandleOp"))
READS = frozenset(("ReadVariableOp", "ResourceGather", "VariableShape", "VarIsInitializedOp", "IsVariableInitialized"))

PORTING = "docs/porting.md"
# {heading of docs/porting.md: beginnings of the operations that it replaces}
REPLACED = {"recurrent-networks": ("CudnnRNN", "LSTMBlock", "BlockLSTM", "GRUBlock"),
            "input": ("PyFunc", "EagerPyFunc", "Iterator", "OneShotIterator", "Queue", "FIFOQueue",
                      "RandomShuffleQueue", "Reader"),
            "checkpoints": ("Save", "Restore"), "logging-flags-files": ("ReadFile", "WriteFile")}


def page_for(op: str) -> str:
    """Return the place in docs/porting.md that replaces an operation."""
    heading = next((heading for heading, beginnings in REPLACED.items() if op.startswith(beginnings)),
                   "before-you-start-three-ways")
    return f"{PORTING}#{heading}"


@functools.lru_cache(maxsize=1 << 14)
def op_definition(op: str) -> Optional[Any]:
    """Return the OpDef of an operation of the installed TensorFlow, or None if it does not have the operation."""
    with tf1.Graph().as_default() as graph:
        look_up = getattr(graph, "op_def_for_type", None) or graph._get_op_def
        try:
            return look_up(op)
        except Exception:  # LookupError, NotFoundError, RuntimeError, by release
            return None


def allowed_node(node: Any) -> Any:
    """Return a copy of a NodeDef for this machine: without a device, debug information and private attributes.

    Attributes whose names begin with _ belong to TensorFlow itself. Some name a function, a kernel or a compiler. All
    other attributes are declared by the operation: TensorFlow refuses those that are not.
    """
    copy = tf1.NodeDef(name=node.name, op=node.op, input=node.input)
    for name, value in node.attr.items():
        if not name.startswith("_"):
            copy.attr[name].CopyFrom(value)
    return copy


def check_operations(source: str, library: Any, nodes: Mapping[str, Any], also: Any = frozenset()) -> Any:
    """Check nodes and each function that they can call; return the library of these functions, and of no other.

    A node can name a function as its operation, and in any attribute: as `func`, in `list.func`, and in the attributes
    of such a function again. All are followed.

    Args:
        source: the file that the graph came from, for messages.
        library: FunctionDefLibrary of the graph.
        nodes: {name: NodeDef}.
        also: operations that are allowed beside ALLOWED_OPS.

    Raises:
        UserError: an operation is unknown or not allowed; a function is missing, has the name of an operation, takes
            attributes (which its caller could set to another function), calls itself, or its calls have no end; or
            constants claim more than MAX_UNSTORED_BYTES.
    """
    functions = {function.signature.name: function for function in library.function}
    checked = _Check(source, functions, also)
    called = checked.names_in(nodes.items())
    reached: Dict[str, List[str]] = {}  # {function: names of the functions that it calls, each as often as it does}
    pending = list(called)
    while pending:
        name = pending.pop()
        if name not in reached:
            checked.check_function(name)
            reached[name] = checked.names_in((f"{name}/{node.name}", node) for node in functions[name].node_def)
            pending += reached[name]
    if checked.with_attributes:
        raise UserError(f"{source}: what the function {one_line(checked.with_attributes[0])[:80]} runs depends on "
                        "attributes of its caller, which is not supported; cut the graph after it with --input")
    sizes = _sizes(source, reached, {name: len(functions[name].node_def) for name in reached})
    if sum(sizes[name] for name in called) > MAX_CALLED:
        raise UserError(f"{source}: its functions call each other so often that more than {MAX_CALLED:,} operations "
                        "would run; cut the graph with --input and --output")
    allowed = tf1.GraphDef().library
    for name in reached:
        allowed.function.add().CopyFrom(_allowed_function(functions[name]))
    return allowed


def unstored_bytes(tensor: Any) -> int:
    """Return how many bytes the shape of a TensorProto claims beyond those that the file holds of it."""
    n = BYTES_PER_NUMBER.get(tensor.dtype, 16)
    for dimension in tensor.tensor_shape.dim:
        n *= max(0, dimension.size)
    return max(0, n - tensor.ByteSize())


class _Check:
    """What a check has found so far: `with_attributes` names functions that take attributes."""

    def __init__(self, source: str, functions: Mapping[str, Any], also: Any) -> None:
        self._source, self._functions, self._also = source, functions, also
        self._n_unstored, self.with_attributes = 0, []  # type: int, List[str]

    def names_in(self, nodes: Any) -> List[str]:
        """Check the (place, NodeDef) pairs; return the names of the functions that they name."""
        names: List[str] = []
        for place, node in nodes:
            if node.op in self._functions:
                names.append(node.op)
            else:
                self._check_operation(place, node.op)
            for value in _values(node.attr[name] for name in node.attr if not name.startswith("_")):
                kind = value.WhichOneof("value")
                for function in [value.func] if kind == "func" else value.list.func if kind == "list" else ():
                    if function.name not in self._functions:
                        raise UserError(f"{self._source}: {one_line(place)[:80]} calls the function "
                                        f"{one_line(function.name)[:80]}, which the file does not have; cut the graph "
                                        "after it with --input")
                    names.append(function.name)
                    self.with_attributes += [function.name] if function.attr else []
                for tensor in [value.tensor] if kind == "tensor" else value.list.tensor if kind == "list" else ():
                    self._check_constant(place, tensor)
                if kind == "placeholder":
                    self.with_attributes.append(place)
        return names

    def _check_operation(self, place: str, op: str) -> None:
        known = op_definition(op) is not None
        if known and (op in ALLOWED_OPS or op in self._also):
            return
        problem = "which is not on the list of allowed operations" if known else \
            "which the installed TensorFlow does not have"
        raise UserError(f"{self._source}: the outputs need {one_line(op)[:80]} (at {one_line(place)[:80]}), {problem}; "
                        f"cut the graph after it with --input, or see {page_for(op)}")

    def _check_constant(self, place: str, tensor: Any) -> None:
        if tensor.dtype in OF_OTHER_PROCESSES or tensor.resource_handle_val or tensor.variant_val:
            raise UserError(f"{self._source}: the constant {one_line(place)[:80]} is no array; cut the graph after it "
                            "with --input")
        self._n_unstored += unstored_bytes(tensor)
        if self._n_unstored > MAX_UNSTORED_BYTES:
            raise UserError(f"{self._source}: the constant {one_line(place)[:80]} claims more numbers than the file "
                            "holds; name the .meta file that TensorFlow wrote")

    def check_function(self, name: str) -> None:
        """Check a function itself, without its operations."""
        if op_definition(name) is not None:
            raise UserError(f"{self._source}: the function {one_line(name)[:80]} has the name of an operation; name "
                            "the .meta file that TensorFlow wrote")
        self.with_attributes += [name] if self._functions[name].signature.attr else []


def _values(values: Any) -> Iterator[Any]:
    """Yield AttrValues, and those inside of the functions that they name."""
    for value in values:
        yield value
        kind = value.WhichOneof("value")
        for function in [value.func] if kind == "func" else value.list.func if kind == "list" else ():
            yield from _values(function.attr[name] for name in function.attr)


def _sizes(source: str, calls: Mapping[str, List[str]], own: Mapping[str, int]) -> Dict[str, int]:
    """Return how many operations a call of each function runs, with those of the functions that it calls.

    Raises:
        UserError: a function calls itself.
    """
    sizes: Dict[str, int] = {}
    for start in calls:
        pending: List[Tuple[str, bool]] = [(start, False)]
        above: Set[str] = set()
        while pending:
            name, below_done = pending.pop()
            if below_done:
                sizes[name] = own[name] + sum(sizes[called] for called in calls[name])
                above.discard(name)
            elif name in above:
                raise UserError(f"{source}: the function {one_line(name)[:80]} calls itself; cut the graph after it "
                                "with --input")
            elif name not in sizes:
                above.add(name)
                pending.append((name, True))
                pending += [(called, False) for called in dict.fromkeys(calls[name]) if called not in sizes]
    return sizes


def _allowed_function(function: Any) -> Any:
    """Return a copy of a FunctionDef with nothing but its arguments, its operations and its results."""
    copy = type(function)()
    signature = function.signature
    copy.signature.name, copy.signature.is_stateful = signature.name, signature.is_stateful
    for arguments, copies in ((signature.input_arg, copy.signature.input_arg),
                              (signature.output_arg, copy.signature.output_arg)):
        for argument in arguments:
            copies.add(name=argument.name, type=argument.type)
    copy.node_def.extend(allowed_node(node) for node in function.node_def)
    for name in function.ret:
        copy.ret[name] = function.ret[name]
    return copy
