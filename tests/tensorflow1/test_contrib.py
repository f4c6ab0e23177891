"""tf.contrib on today's TensorFlow against what TensorFlow 1.15.5 recorded (tests/tf115/contrib_calls.py)."""
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tf_keras")

from tests.tf115 import contrib_calls  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-6  # relative to the largest value: rounding of float32 by other kernels
RECORDED = contrib_calls.load()
# what most programs call; the others are among the slow tests
COMMON = ("fully_connected_regularized", "conv2d", "conv2d_transpose", "dropout", "batch_norm", "initializers",
          "arg_scope", "optimize_loss_options", "embed_sequence", "rnn.static_rnn", "slim", "sequence_loss")
TF115 = os.environ.get("TF1_AUTOENCODERS_TF115")


def all_programs():
    return [name if name in COMMON else pytest.param(name, marks=pytest.mark.slow) for name in contrib_calls.CALLS]


def run(python, command, folder, names=()):
    subprocess.run([python, "-m", "tests.tf115.contrib_calls", command, str(folder), *names], check=True, cwd=ROOT,
                   stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def folder(request, tmp_path_factory):
    """What the package computed, by a process of its own: a TensorFlow 1 program turns eager execution off."""
    folder = tmp_path_factory.mktemp("contrib")
    wanted = {item.callspec.params["name"] for item in request.session.items
              if item.fspath == request.fspath and hasattr(item, "callspec") and "name" in item.callspec.params}
    names = [name for name in contrib_calls.CALLS if name in wanted]
    run(sys.executable, "run", folder, names)
    return folder


@pytest.fixture(scope="module")
def computed(folder):
    return contrib_calls.load(folder / "programs.npz")


@pytest.mark.parametrize("name", all_programs())
def test_a_call_makes_and_computes_what_it_did_in_tensorflow_1(name, computed):
    (facts, values), (made, ours) = RECORDED[name], computed[name]
    for fact in ("variables", "collections", "updates", "output", "operations"):
        assert made[fact] == facts[fact], fact
    assert set(ours) == set(values)
    for key in values:
        if key.startswith("initial/"):
            assert ours[key].tobytes() == values[key].tobytes(), key
    for kind, difference in contrib_calls.relative_differences(ours, values).items():
        assert difference <= TOLERANCE, f"{kind} differs by {difference:.1e}"


@pytest.mark.parametrize("name", [name if name in COMMON else pytest.param(name, marks=pytest.mark.slow)
                                  for name in contrib_calls.SAVED])
def test_a_checkpoint_of_tensorflow_1_is_restored_by_the_same_program(name, folder):
    with np.load(folder / "restored.npz") as restored:
        facts, values = RECORDED[name]
        for variable, _ in facts["variables"]:
            assert restored[f"{name}:{variable}"].tobytes() == values["final/" + variable].tobytes(), variable


@pytest.mark.slow
@pytest.mark.skipif(not TF115, reason="TF1_AUTOENCODERS_TF115 is not set")
def test_tensorflow_1_restores_checkpoints_of_the_package(tmp_path):
    run(sys.executable, "run", tmp_path, contrib_calls.SAVED)
    run(TF115, "restore", tmp_path)
