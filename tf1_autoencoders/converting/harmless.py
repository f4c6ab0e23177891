"""Which operations of a foreign graph may run: arithmetic on tensors, and the flow of control between it.

A .meta file is a program. It can read and write files, call Python, load libraries. Only what is listed here is
executed or written into a model; everything else must lie outside of what the outputs need, where it is stripped.
"""
from __future__ import annotations

HARMLESS = frozenset("""
    Abs Acos Acosh Add AddN AddV2 All Angle Any ApproximateEqual ArgMax ArgMin Asin Asinh Atan Atan2 Atanh AvgPool
    AvgPool3D BatchMatMul BatchMatMulV2 BatchMatMulV3 BatchNormWithGlobalNormalization BatchToSpace BatchToSpaceND
    Betainc BiasAdd BiasAddV1 Bitcast BitwiseAnd BitwiseOr BitwiseXor BlockLSTM BlockLSTMV2 BroadcastArgs
    BroadcastTo Bucketize CTCBeamSearchDecoder CTCGreedyDecoder Cast Ceil CheckNumerics Cholesky ClipByValue Complex
    ComplexAbs Concat ConcatOffset ConcatV2 Conj Const ControlTrigger Conv2D Conv2DBackpropInput Conv3D
    Conv3DBackpropInputV2 Cos Cosh CropAndResize Cross Cumprod Cumsum DepthToSpace DepthwiseConv2dNative Dequantize
    Diag DiagPart Dilation2D Div DivNoNan DynamicPartition DynamicStitch EditDistance Einsum Elu EnsureShape Enter
    Equal Erf Erfc Exit Exp ExpandDims Expm1 ExtractImagePatches FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars
    Fill Floor FloorDiv FloorMod FractionalAvgPool FractionalMaxPool FusedBatchNorm FusedBatchNormV2
    FusedBatchNormV3 GRUBlockCell Gather GatherNd GatherV2 Greater GreaterEqual HSVToRGB Identity IdentityN If
    Igamma Igammac Imag InTopK InTopKV2 Inv Invert InvertPermutation IsFinite IsInf IsNan L2Loss LRN LSTMBlockCell
    LeakyRelu LeftShift Less LessEqual Lgamma LinSpace ListDiff Log Log1p LogSoftmax LogicalAnd LogicalNot LogicalOr
    LoopCond LowerBound MatMul MatrixBandPart MatrixDeterminant MatrixDiag MatrixDiagPart MatrixInverse
    MatrixSetDiag MatrixSolve MatrixTriangularSolve Max MaxPool MaxPool3D MaxPoolV2 MaxPoolWithArgmax Maximum Mean
    Merge Min Minimum MirrorPad Mod Mul MulNoNan Multinomial Neg NextIteration NoOp NonMaxSuppression
    NonMaxSuppressionV2 NonMaxSuppressionV3 NonMaxSuppressionV4 NonMaxSuppressionV5 NotEqual OneHot OnesLike Pack
    Pad PadV2 ParallelConcat ParallelDynamicStitch Placeholder PlaceholderV2 PlaceholderWithDefault Polygamma Pow
    PreventGradient Print Prod QuantizeAndDequantize QuantizeAndDequantizeV2 RGBToHSV RandomStandardNormal
    RandomUniform RandomUniformInt Range Rank Real RealDiv Reciprocal RefEnter RefExit RefIdentity RefMerge
    RefNextIteration RefSwitch Relu Relu6 Reshape ResizeArea ResizeBicubic ResizeBilinear ResizeNearestNeighbor
    Reverse ReverseSequence ReverseV2 RightShift Rint Roll Round Rsqrt ScatterNd SegmentMax SegmentMean SegmentMin
    SegmentProd SegmentSum Select SelectV2 Selu Shape ShapeN Sigmoid Sign Sin Sinh Size Slice Snapshot Softmax
    Softplus Softsign SpaceToBatch SpaceToBatchND SpaceToDepth SparseFillEmptyRows SparseReshape SparseSegmentMean
    SparseSegmentSqrtN SparseSegmentSum SparseTensorDenseMatMul SparseToDense Split SplitV Sqrt Square
    SquaredDifference Squeeze StatelessIf StatelessRandomNormal StatelessRandomUniform StatelessWhile StopGradient
    StridedSlice StringToHashBucketFast Sub Sum Svd Switch Tan Tanh TensorArrayGatherV3 TensorArrayReadV3
    TensorArrayScatterV3 TensorArraySizeV3 TensorArraySplitV3 TensorArrayV3 TensorArrayWriteV3
    TensorListElementShape TensorListFromTensor TensorListGetItem TensorListLength TensorListReserve
    TensorListSetItem TensorListStack Tile TopK TopKV2 Transpose TruncateDiv TruncateMod TruncatedNormal Unique
    UniqueV2 UniqueWithCounts Unpack UnravelIndex UnsortedSegmentSum UpperBound Where While Xdivy Xlogy ZerosLike
    Zeta""".split())

# what reads a variable; converting.inference_graph turns each into a constant or an Identity
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
