"""`python -m tests.programs`: the measured cause of other numbers, and the totals above the table."""
import argparse
import dataclasses
import sys
import types

import numpy as np
import pytest

from tests import equal_starts, perturbed_feeds, programs, programs_table

PROGRAM = programs.Program("someone/else", "1234567", "train.py", "", "")


def outcome(printed, *means):
    """A run that printed a number and fetched a result of each mean."""
    runs = [[["loss:0", [], mean, mean, str(mean)]] for mean in means]
    return programs.Outcome(0, f"loss {printed}", "", 1.0, {"runs": runs, "variables": []})


class Runs(programs.Comparison):
    """Outcomes in the place of runs: of the original by the cache's key and the environment, and of this package."""

    def original(self, program, source, clone, again="", variables=None):
        assert ("one-thread" in again) == ("TF_NUM_INTEROP_THREADS" in (variables or {}))
        return ORIGINALS[next((name for name in ("perturbed_feeds", "equal_starts") if name in source), again)]

    def ours(self, program, source, clone, variables=None):
        return OURS["equal_starts" if "equal_starts" in source else bool(variables)]


ORIGINALS: dict = {}
OURS: dict = {}


@pytest.fixture
def row(tmp_path):
    def row_of(originals, ours):
        """The row of a program, from the original's outcomes, and ours without and with one thread."""
        ORIGINALS.clear()
        ORIGINALS.update({"": outcome(2.0, 1, 2), "-again": outcome(2.0, 1, 2), **originals})
        OURS.update({False: ours[0], True: ours[-1]})
        runs = Runs(argparse.Namespace(output=None), tmp_path)
        return runs.row(PROGRAM, "import tensorflow as tf\n", tmp_path)
    return row_of


def test_a_difference_that_the_original_has_with_itself_when_rounding_changes_is_rounding(row):
    cells = row({"-one-kernel-thread": outcome(2.2, 1.0000001, 2.2)}, [outcome(2.1, 1.0000002, 2.1)])
    assert cells[5] == "no" and cells[6] == (
        "rounding: number 1 of 1: 2 then, 2.1 now (results differ by 2e-07 in run 1 of 2, by more than 0.0001 in run 2)"
        "; the original with one thread in each kernel: number 1 of 1: 2 then, 2.2 now "
        "(results differ by 1e-07 in run 1 of 2, by more than 0.0001 in run 2)")


def test_feeds_are_perturbed_where_one_thread_in_each_kernel_changes_nothing(row):
    cells = row({"-one-kernel-thread": outcome(2.0, 1, 2), "perturbed_feeds": outcome(2.3, 1.0000001, 2.3)},
                [outcome(2.1, 1.0000002, 2.1)])
    assert cells[6].startswith("rounding: ") and "the original with feeds one unit in the last place larger" in cells[6]


def test_a_first_difference_of_another_size_is_no_rounding(row):
    cells = row({"-one-kernel-thread": outcome(2.2, 1.0000001, 2.2)}, [outcome(2.1, 1.001, 2.1)])
    assert cells[5] == "no" and cells[6].startswith("number 1 of 1: 2 then, 2.1 now (results differ by 1e-03")


def test_a_program_that_the_original_does_not_print_the_same_under_any_rounding_is_no_rounding(row):
    same = outcome(2.0, 1, 2)
    cells = row({"-one-kernel-thread": same, "perturbed_feeds": same}, [outcome(2.1, 1.0000002, 2.1)])
    assert cells[6].startswith("number 1 of 1") and "the original" not in cells[6]


def test_a_race_is_compared_with_one_thread_for_operations(row):
    again = {"-again": outcome(2.4, 1, 2.4), "-one-thread": outcome(2.5, 1, 2.5)}
    cells = row(again, [outcome(2.1, 1, 2.1), outcome(2.5, 1, 2.5)])
    assert cells[5] == "equal with one thread"
    assert cells[6].startswith("race: ") and cells[6].endswith("one thread: equal")


def test_a_race_that_one_thread_does_not_end_is_no_rounding(row):
    again = {"-again": outcome(2.4, 1, 2.4), "-one-thread": outcome(2.5, 1, 2.5),
             "-again-one-thread": outcome(2.6, 1, 2.6)}
    cells = row(again, [outcome(2.1, 1, 2.1), outcome(2.7, 1, 2.7)])
    assert cells[5] == "no" and cells[6].startswith("race: ") and cells[6].endswith("2.5 then, 2.6 now")


def test_rounding_may_be_left_where_one_thread_ends_a_race(row):
    one = outcome(2.5, 1, 2.5)
    again = {"-again": outcome(2.4, 1, 2.4), "-one-thread": one, "-again-one-thread": one,
             "-one-kernel-thread-one-thread": outcome(2.6, 1.0000001, 2.6)}
    cells = row(again, [outcome(2.1, 1, 2.1), outcome(2.7, 1.0000001, 2.7)])
    assert cells[5] == "no" and cells[6].startswith("race and rounding: ")


@pytest.mark.parametrize("line", ["import tensorflow as tf", '    "import tensorflow as tf\\n",'])
def test_perturbed_sources_start_the_perturbation_in_programs_and_notebooks(line):
    changed = programs.started(f"import os\n{line}\nimport tensorflow as tf\n", "perturbed_feeds")
    begin = line.replace(" as tf", " as tf; import perturbed_feeds; perturbed_feeds.start()")
    assert changed == f"import os\n{begin}\nimport tensorflow as tf\n"


def test_feeds_of_arrays_for_floating_point_placeholders_are_one_unit_in_the_last_place_larger():
    floats = types.SimpleNamespace(dtype=types.SimpleNamespace(is_floating=True, as_numpy_dtype=np.float32))
    integers = types.SimpleNamespace(dtype=types.SimpleNamespace(is_floating=False))
    larger = perturbed_feeds.perturb(floats, [0.0, 1.0, 3.0])
    assert larger.dtype == np.float32
    np.testing.assert_array_equal(larger, np.nextafter(np.float32([0, 1, 3]), np.float32([0, 2, 4])))
    assert perturbed_feeds.perturb(floats, 0.75) == 0.75 and perturbed_feeds.perturb(integers, [1, 2]) == [1, 2]


@pytest.mark.parametrize("line", ["    tf.reset_default_graph()", '    "        tf.reset_default_graph()\\n",'])
def test_a_new_default_graph_gets_the_seed_in_programs_and_notebooks(line, tmp_path):
    source = PROGRAM.edit(f"import tensorflow as tf\n{line}\n", tmp_path, None)
    assert "tf.reset_default_graph(); tf.set_random_seed(1)" in source.splitlines()[1]


def test_other_draws_of_before_1_0_are_told_from_other_causes_by_the_same_initial_values(row, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "PROGRAM", dataclasses.replace(PROGRAM, original="0.12.1"))
    for printed, cause in ((3.0, "draws: "), (3.5, "number 1")):
        OURS["equal_starts"] = outcome(printed, 1, 3)
        same = {name: outcome(2.0) for name in ("-one-kernel-thread", "perturbed_feeds")}
        cells = row({"equal_starts": outcome(3.0, 1, 3), **same}, [outcome(2.1, 1, 2.1)])
        assert cells[2] == "0.12.1" and cells[5] == "no" and cells[6].startswith(cause)


def test_equal_starts_depend_on_the_shapes_and_the_order_only():
    variables = [types.SimpleNamespace(get_shape=lambda: types.SimpleNamespace(as_list=lambda: [2, 3]))] * 2
    first, second = equal_starts.values(variables)
    assert first.shape == (2, 3) and abs(first).max() <= 0.1 and (first != second).all()
    np.testing.assert_array_equal(first, equal_starts.values(variables)[0])


def test_totals_count_each_cause_once():
    base = ["a/b", "p.py", "yes", "yes", "equal"]
    rows = [[*base, "equal", ""], [*base, "no", "rounding: number 1"], [*base, "no", "race: number 1"],
            [*base, "no", "number 1"], [*base, "equal with one thread", "race: number 2"]]
    assert programs_table.totals(rows)[4] == (
        "2 of 5 print the same numbers to 0.0001, 1 of them with one thread for operations. "
        "Causes of the others: rounding 1, race 1, other causes 1.")
