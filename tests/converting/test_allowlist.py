"""Graphs that hide an operation: in a function, in a function's attributes, behind a name. None of them may run."""
import time
from pathlib import Path

import pytest

from tests.robustness import hostile_graphs as hostile
from tests.robustness.hostile_files import CANARY
from tf1_autoencoders.converting import proof
from tf1_autoencoders.converting.graph.foreign_graph import ForeignGraph
from tf1_autoencoders.converting.graph.subgraph import output_type
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.frameworks import tf1


@pytest.fixture
def changed(saved):
    """changed(change) gives a checkpoint x -> y, whose graph change(graph_def) has changed."""
    def changed(change):
        path = saved(lambda: tf1.matmul(tf1.placeholder(tf1.float32, [None, 4], name="x"),
                                        tf1.get_variable("w", [4, 3], initializer=tf1.ones_initializer()), name="y"))
        hostile.change_meta(Path(f"{path}.meta"), change)
        return path
    return changed


@pytest.mark.parametrize("name", hostile.CHANGES)
def test_what_a_graph_hides_is_refused_and_nothing_is_written(name, changed, run, in_this_process, tmp_path):
    path = changed(hostile.CHANGES[name])
    code, text = run(path, "--to", "frozen", "--input", "x", "--output", "out", "--out", "out.pb")
    assert not Path(CANARY).exists() and not Path("out.pb").exists()
    assert code == 1 and len(text.splitlines()) == 1, text
    job = {"kind": "original", "path": str(path), "meta": f"{path}.meta", "inputs": ["x"], "outputs": ["out"]}
    with pytest.raises(UserError):
        proof.run_original(job, [[[1.0] * 4]])
    assert not Path(CANARY).exists()


def test_a_function_that_is_not_reached_is_not_written(changed, run, in_this_process):
    def change(graph):
        hostile.evil(graph)
        good = hostile.function(graph, "good")
        hostile.node(good.node_def, "n", "Neg", "a", T=hostile.FLOAT).device = "/job:elsewhere"
        good.ret["o"] = "n:y:0"
        good.attr["_noinline"].b = True
        graph.library.gradient.add(function_name="good", gradient_func="Evil")
        hostile.branches(graph, "If", "good")
        hostile.private_attribute(graph)
        graph.node[-1].input[0] = "branch"
        graph.node[-2].name = "branch"
    code, text = run(changed(change), "--to", "frozen", "--input", "x", "--output", "out", "--out", "out.pb")
    assert code == 0 and "pass" in text, text
    written = tf1.GraphDef.FromString(Path("out.pb").read_bytes())
    assert [function.signature.name for function in written.library.function] == ["good"]
    assert not written.library.gradient and not written.library.function[0].node_def[0].device
    assert not any(name.startswith("_") for node in written.node for name in node.attr)


def test_no_operation_runs_while_the_type_of_an_input_is_inferred(changed):
    graph = ForeignGraph.read(Path(f"{changed(hostile.read_at_import)}.meta"))
    assert output_type(graph, "content", 0)[0] == hostile.STRING
    dtype, shape = output_type(graph, "out", 0)  # /dev/zero would never end
    assert dtype == hostile.FLOAT and shape.unknown_rank


@pytest.mark.parametrize("name", ["a private attribute", "four sums of 300 inputs", "60,000 identities"])
def test_a_graph_whose_harm_falls_away_is_listed_at_once(name, changed, run):
    path = changed(hostile.LIMITED[name] if "identities" not in name else lambda graph: hostile.chain(graph, 10_000))
    begin = time.process_time()
    code, text = run(path, "--output", "out")
    assert code == 0 and not Path(CANARY).exists(), text
    assert time.process_time() - begin < 30  # in proportion to the graph; its square would take minutes
