"""Changes that an attacker would make to the graph x -> matmul -> y of a .meta file, whose output "out" then does harm.

A payload is the function Evil, which writes a file CANARY to the working directory.
"""
from __future__ import annotations

from tests.robustness.hostile_files import CANARY
from tf1_autoencoders.utils.frameworks import tf1

FLOAT, INT, STRING, BOOL, RESOURCE, VARIANT = 1, 3, 7, 10, 20, 21


def node(nodes, name, op, *inputs, **types):
    """Add a node with inputs and with attributes that are types; return it."""
    added = nodes.add(name=name, op=op, input=inputs)
    for key, dtype in types.items():
        added.attr[key].type = dtype
    return added


def const(nodes, name, dtype, field, *values, shape=()):
    """Add a constant; return it."""
    added = node(nodes, name, "Const", dtype=dtype)
    tensor = added.attr["value"].tensor
    tensor.dtype = dtype
    tensor.tensor_shape.SetInParent()
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)
    getattr(tensor, field).extend(values)
    return added


def function(graph, name, *, inputs=1):
    """Add a function of floats without operations; return it."""
    added = graph.library.function.add()
    added.signature.name = name
    for k in range(inputs):
        added.signature.input_arg.add(name="ab"[k], type=FLOAT)
    added.signature.output_arg.add(name="o", type=FLOAT)
    return added


def evil(graph, name="Evil", op="WriteFile", attr=None):
    """Add the function that holds the payload."""
    added = function(graph, name)
    if attr:
        added.signature.attr.add(name=attr, type="type")
    const(added.node_def, "file", STRING, "string_val", CANARY.encode())
    const(added.node_def, "text", STRING, "string_val", b"owned")
    node(added.node_def, "w", op, "file:output:0", *["text:output:0"] * (op == "WriteFile"))
    node(added.node_def, "i", "Identity", "a", "^w", T=FLOAT)
    added.ret["o"], added.control_ret["w"], added.signature.is_stateful = "i:output:0", "w", True
    added.signature.control_output.append("w")


def conditional(nodes, name, op, inputs):
    """Add a condition with a constant predicate; return it, without its branches."""
    added = node(nodes, name, op, *inputs, Tcond=BOOL)
    for key in ("Tin", "Tout"):
        added.attr[key].list.type.append(FLOAT)
    added.attr["output_shapes"].list.shape.add(unknown_rank=True)
    return added


def middle(graph, name="Mid", attr="f", inner="If"):
    """Add a function whose body calls the function that its caller gives as an attribute."""
    added = function(graph, name)
    added.signature.attr.add(name=attr, type="func")
    const(added.node_def, "c", BOOL, "bool_val", True)
    branch = conditional(added.node_def, "n", inner, ["c:output:0", "a"])
    branch.attr["then_branch"].placeholder = branch.attr["else_branch"].placeholder = attr
    added.ret["o"] = "n:output:0"


def branches(graph, op="If", then="Identity"):
    """Add a condition "out" whose branches are functions of this name; return their AttrValues."""
    const(graph.node, "cond", BOOL, "bool_val", True)
    out = conditional(graph.node, "out", op, ["cond", "y"])
    for key in ("then_branch", "else_branch"):
        out.attr[key].func.name = then
    return [out.attr[key].func for key in ("then_branch", "else_branch")]


def nested(graph, outer="If", inner="If", depth=1):
    evil(graph)
    middle(graph, inner=inner)
    for value in branches(graph, outer, "Mid"):
        for _ in range(depth - 1):
            value.attr["f"].func.name = "Mid"
            value = value.attr["f"].func
        value.attr["f"].func.name = "Evil"


def called_with_attribute(graph):
    evil(graph)
    middle(graph)
    node(graph.node, "out", "Mid", "y").attr["f"].func.name = "Evil"


def default_of_attribute(graph):
    evil(graph)
    middle(graph)
    graph.library.function[-1].signature.attr[0].default_value.func.name = "Evil"
    node(graph.node, "out", "Mid", "y")


def in_a_list(graph):
    evil(graph)
    out = node(graph.node, "out", "Identity", "y", T=FLOAT)
    out.attr["functions"].list.func.add(name="Evil")


def case_of_list(graph):
    evil(graph)
    const(graph.node, "k", INT, "int_val", 0)
    out = node(graph.node, "out", "Case", "k", "y")
    out.attr["branches"].list.func.add(name="Evil")
    for key in ("Tin", "Tout"):
        out.attr[key].list.type.append(FLOAT)


def partitioned(graph, op="PartitionedCall"):
    evil(graph)
    out = node(graph.node, "out", op, "y")
    out.attr["f"].func.name = "Evil"
    for key in ("Tin", "Tout"):
        out.attr[key].list.type.append(FLOAT)


def loop(graph):
    evil(graph)
    condition = function(graph, "Once")
    const(condition.node_def, "c", BOOL, "bool_val", False)
    condition.ret["o"], condition.signature.output_arg[0].type = "c:output:0", BOOL
    out = node(graph.node, "out", "While", "y")
    out.attr["cond"].func.name, out.attr["body"].func.name = "Once", "Evil"
    out.attr["T"].list.type.append(FLOAT)


def symbolic_gradient(graph):
    evil(graph)
    function(graph, "Square").ret["o"] = "a"
    graph.library.gradient.add(function_name="Square", gradient_func="Evil")
    out = node(graph.node, "out", "SymbolicGradient", "y", "y")
    out.attr["f"].func.name = "Square"
    out.attr["Tin"].list.type.extend([FLOAT, FLOAT])
    out.attr["Tout"].list.type.append(FLOAT)


def private_attribute(graph, key="_forward_func"):
    evil(graph)
    out = node(graph.node, "out", "Identity", "y", T=FLOAT)
    out.attr[key].func.name = "Evil"
    out.attr["_implements"].s = b"Evil"


def named_like_an_operation(graph, name="WriteFile"):
    added = function(graph, name)
    node(added.node_def, "i", "Identity", "a", T=FLOAT)
    added.ret["o"] = "i:output:0"
    node(graph.node, "out", name, "y")


def deeply_called(graph):
    evil(graph)
    for k in range(50):
        added = function(graph, f"F{k}")
        node(added.node_def, "n", f"F{k + 1}" if k < 49 else "Evil", "a")
        added.ret["o"] = "n:o:0"
    node(graph.node, "out", "F0", "y")


def calls_itself(graph, n=1):
    for k in range(n):
        added = function(graph, f"R{k}")
        node(added.node_def, "n", f"R{(k + 1) % n}", "a")
        added.ret["o"] = "n:o:0"
    node(graph.node, "out", "R0", "y")


def doubles(graph, n=40):
    for k in range(n):
        added = function(graph, f"D{k}")
        if k == n - 1:
            node(added.node_def, "n1", "Neg", "a", T=FLOAT)
            added.ret["o"] = "n1:y:0"
            continue
        node(added.node_def, "n1", f"D{k + 1}", "a")
        node(added.node_def, "n2", f"D{k + 1}", "n1:o:0")
        added.ret["o"] = "n2:o:0"
    node(graph.node, "out", "D0", "y")


def doubles_in_attributes(graph, n=40):
    for k in range(n):
        added = function(graph, f"D{k}")
        const(added.node_def, "c", BOOL, "bool_val", True)
        branch = conditional(added.node_def, "n", "If", ["c:output:0", "a"])
        branch.attr["then_branch"].func.name = branch.attr["else_branch"].func.name = f"D{min(k + 1, n - 1)}" \
            if k < n - 1 else "Last"
        added.ret["o"] = "n:output:0"
    node(function(graph, "Last").node_def, "i", "Identity", "a", T=FLOAT)
    graph.library.function[-1].ret["o"] = "i:output:0"
    branches(graph, "If", "D0")


def wide_sums(graph, n=300):
    """Four sums of n inputs each, one upon the other, as the mask of a dropout might be."""
    const(graph.node, "zero", FLOAT, "float_val", 0)
    below = "zero"
    for k in range(4):
        node(graph.node, f"sum{k}", "Add", *[below] * n, T=FLOAT)
        below = f"sum{k}"
    node(graph.node, "floor", "Floor", below, T=FLOAT)
    node(graph.node, "mask", "GreaterEqual", below, below, T=FLOAT)
    node(graph.node, "cast", "Cast", "mask", SrcT=BOOL, DstT=FLOAT)
    node(graph.node, "out", "Mul", "y", "cast", T=FLOAT)


def chain(graph, n=60_000, op="Identity"):
    """Nodes one after the other that pass a tensor on."""
    below = "y"
    for k in range(n):
        node(graph.node, f"i{k}", op, below, T=FLOAT)
        below = f"i{k}"
    node(graph.node, "out", "Identity", below, T=FLOAT)


def huge_constants(graph, n=100):
    for k in range(n):
        const(graph.node, f"c{k}", FLOAT, "float_val", 1, shape=(1 << 26,))
        node(graph.node, f"s{k}" if k < n - 1 else "out", "AddV2", f"s{k - 1}" if k else "y", f"c{k}", T=FLOAT)


def object_constant(graph, dtype=RESOURCE):
    added = const(graph.node, "handle", dtype, "float_val")
    if dtype == RESOURCE:
        added.attr["value"].tensor.resource_handle_val.add(name="w", container="localhost")
    else:
        added.attr["value"].tensor.variant_val.add(type_name="tensorflow::TensorList", metadata=b"\xff" * 100)
    node(graph.node, "seen", "Identity", "handle", T=dtype)
    node(graph.node, "size", "TensorListLength", "seen")
    node(graph.node, "real", "Cast", "size", SrcT=INT, DstT=FLOAT)
    node(graph.node, "out", "Mul", "y", "real", T=FLOAT)


def filled(graph, n=1 << 40):
    """A constant size, which TensorFlow may fill while it reads the graph."""
    const(graph.node, "size", 9, "int64_val", n, shape=(1,))
    const(graph.node, "one", FLOAT, "float_val", 1)
    node(graph.node, "fill", "Fill", "size", "one", T=FLOAT, index_type=9)
    const(graph.node, "axis", INT, "int_val", 0, shape=(1,))
    node(graph.node, "sum", "Sum", "fill", "axis", T=FLOAT, Tidx=INT)
    node(graph.node, "out", "AddV2", "y", "sum", T=FLOAT)


def read_at_import(graph):
    """A shape that is computed from a file, which TensorFlow would read while it infers shapes."""
    const(graph.node, "file", STRING, "string_val", b"/dev/zero")
    node(graph.node, "content", "ReadFile", "file")
    node(graph.node, "shape", "DecodeRaw", "content", out_type=INT)
    node(graph.node, "out", "Reshape", "y", "shape", T=FLOAT, Tshape=INT)


CHANGES = {
    **{f"a function in the attribute of a branch ({outer}, {inner})": lambda graph, outer=outer, inner=inner:
       nested(graph, outer, inner) for outer in ("If", "StatelessIf") for inner in ("If", "StatelessIf")},
    "a function in an attribute five deep": lambda graph: nested(graph, depth=5),
    "a function in the attribute of a call": called_with_attribute,
    "a function as the default of an attribute": default_of_attribute,
    "a function in a list": in_a_list, "a function in the list of Case": case_of_list,
    "a function of PartitionedCall": partitioned,
    "a function of StatefulPartitionedCall": lambda graph: partitioned(graph, "StatefulPartitionedCall"),
    "a function of RemoteCall": lambda graph: partitioned(graph, "RemoteCall"),
    "a function of a loop": loop, "a function as a gradient": symbolic_gradient,
    "a branch that reads a file": lambda graph: branches(graph, then="ReadFile") and None,
    "a branch that the file does not have": lambda graph: branches(graph, then="nowhere") and None,
    "a function named like an operation": named_like_an_operation,
    "a function named like an allowed operation": lambda graph: named_like_an_operation(graph, "Neg"),
    "a function called through fifty": deeply_called,
    "a function that calls itself": calls_itself,
    "a circle of 1000 functions": lambda graph: calls_itself(graph, 1000),
    "functions that call each other twice": doubles,
    "functions whose branches double": doubles_in_attributes,
    "a resource as a constant": object_constant,
    "a variant as a constant": lambda graph: object_constant(graph, VARIANT),
    "constants of 25 GB": huge_constants,
    "a file that is read while shapes are inferred": read_at_import}
# accepted, because the harm falls away; or refused later, by a limit
LIMITED = {"a private attribute": private_attribute, "four sums of 300 inputs": wide_sums,
           "60,000 identities": chain, "a Fill of 4 TB": filled,
           "a Fill of 1.6 GB": lambda graph: filled(graph, 400 << 20)}


def change_meta(file, change):
    """Change the graph in a .meta file."""
    meta_graph = tf1.MetaGraphDef.FromString(file.read_bytes())
    change(meta_graph.graph_def)
    file.write_bytes(meta_graph.SerializeToString())
