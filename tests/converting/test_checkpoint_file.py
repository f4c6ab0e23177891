"""Anybody's checkpoint is read to the byte, or refused in one sentence."""
import shutil
import time
import tracemalloc

import numpy as np
import pytest

from tests.conftest import slow
from tests.robustness import hostile_files
from tf1_autoencoders.checkpointing.checkpoint_file import CheckpointFile, decompress_snappy, part_of
from tf1_autoencoders.checkpointing.index import read_index
from tf1_autoencoders.checkpointing.saver import save_arrays
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.frameworks import tf1


def test_the_v1_format_has_the_variables_of_the_v2_format(foreign_folder):
    first, second = (CheckpointFile(foreign_folder / "dense" / name) for name in ("model.ckpt", "v1.ckpt"))
    assert (first.form, second.form) == ("V2", "V1") and list(first.variables) == list(second.variables)
    for name, value in first.read_all().items():
        assert value.tobytes() == second.read(name).tobytes()


def test_an_object_based_checkpoint_has_the_names_that_the_program_gave(foreign_folder):
    checkpoint = CheckpointFile(foreign_folder / "object_based")
    answers = np.load(str(foreign_folder / "object_based" / "answers.npz"))
    assert checkpoint.form == "V2, object-based"
    assert {name.replace("/", "|") for name in checkpoint.variables} == set(answers.files)
    for name in checkpoint.variables:
        assert np.array_equal(checkpoint.read(name), answers[name.replace("/", "|")])


def test_a_partitioned_variable_is_whole(foreign):
    checkpoint = CheckpointFile(foreign("partitioned").path)
    assert checkpoint.variables["big/kernel"].n_parts == 3 and checkpoint.read("big/kernel").shape == (10, 5)


def test_a_part_of_a_variable_is_the_one_that_the_saver_names():
    rows = np.arange(50).reshape(10, 5)
    assert np.array_equal(part_of(rows, "10 5 4,3:-"), rows[4:7]) and part_of(rows, "") is rows
    with pytest.raises(ValueError, match="a part of"):
        part_of(rows, "9 5 0,3:-")


def test_snappy_copies_that_overlap_repeat():
    assert decompress_snappy(bytes([9, 0 << 2, ord("a"), (7 << 2) | 2, 1, 0])) == b"a" * 9


@pytest.mark.parametrize("block", [b"\xff\xff\xff\xff\x0f\x00a", b"\x05\x02\x01\x00", b"\x05\x00a", b""])
def test_damaged_snappy_is_refused_without_a_large_allocation(block):
    with pytest.raises((ValueError, IndexError)):
        decompress_snappy(block)


def test_a_folder_names_its_newest_checkpoint(foreign, tmp_path):
    for file in foreign("gru").path.parent.glob("model.ckpt.*"):
        for step in (1, 2):
            shutil.copy(str(file), str(tmp_path / file.name.replace("model.ckpt", f"model.ckpt-{step}")))
    with pytest.raises(UserError, match="one checkpoint, found model.ckpt-1, model.ckpt-2"):
        CheckpointFile(tmp_path)
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "/home/somebody/model.ckpt-2"\n')
    assert CheckpointFile(tmp_path).path.name == "model.ckpt-2"
    assert CheckpointFile(tmp_path / "model.ckpt-1.meta").path.name == "model.ckpt-1"


def copied(foreign_folder, tmp_path, name):
    for file in (foreign_folder / "dense").iterdir():
        shutil.copy(str(file), str(tmp_path / file.name))
    return tmp_path / name


@pytest.mark.parametrize("name", ["model.ckpt.index", "v1.ckpt", "model.ckpt.data-00000-of-00001"])
@pytest.mark.parametrize("change", ["cut", "flipped", "emptied"])
def test_a_damaged_file_is_refused_in_one_sentence(foreign_folder, tmp_path, name, change):
    file = copied(foreign_folder, tmp_path, name)
    content = bytearray(file.read_bytes())
    if change == "flipped":
        content[len(content) // 3] ^= 255
    file.write_bytes({"cut": content[:-100], "flipped": content, "emptied": b""}[change])
    with pytest.raises(UserError, match="not a TensorFlow checkpoint, or a damaged one"):
        CheckpointFile(tmp_path / ("v1.ckpt" if name == "v1.ckpt" else "model.ckpt")).read_all()


@pytest.mark.parametrize("seed", range(60))
def test_random_damage_never_ends_the_process(foreign_folder, tmp_path, seed):
    random = np.random.default_rng(seed)
    name = ("model.ckpt.index", "v1.ckpt")[seed % 2]
    file = copied(foreign_folder, tmp_path, name)
    content = bytearray(file.read_bytes())
    for _ in range(random.integers(1, 4)):
        content[random.integers(len(content))] = random.integers(256)
    file.write_bytes(content)
    try:
        CheckpointFile(file).read_all()
    except UserError as error:
        assert "\n" not in str(error)


def test_a_claim_beyond_the_file_is_refused(tmp_path):
    """A V2 index whose partitioned variable claims more than its parts hold."""
    def field(number, value):
        return bytes([number << 3]) + varint(value)

    def varint(value):
        return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)

    def message(number, content):
        return bytes([number << 3 | 2]) + varint(len(content)) + content
    huge = field(1, 1) + message(2, message(2, field(1, 1 << 33))) + message(7, b"")
    tf1.raw_ops.SaveV2(prefix=str(tmp_path / "model.ckpt"), tensor_names=["a"], shape_and_slices=[""],
                       tensors=[tf1.constant([1.0])])
    entries = [(b"", field(1, 1)), (b"huge", huge)]
    block = b"".join(b"\0" + varint(len(key)) + varint(len(value)) + key + value for key, value in entries)
    block += b"\0\0\0\0\1\0\0\0"
    place = varint(0) + varint(len(block))
    pointer = b"\0" + varint(1) + varint(len(place)) + b"z" + place + b"\0\0\0\0\1\0\0\0"
    start = len(block) + 5
    footer = (varint(0) + varint(0) + varint(start) + varint(len(pointer))).ljust(40, b"\0")
    magic = (tmp_path / "model.ckpt.index").read_bytes()[-8:]
    (tmp_path / "model.ckpt.index").write_bytes(block + bytes(5) + pointer + bytes(5) + footer + magic)
    with pytest.raises(UserError, match="claim 34359738368 bytes, the parts have 0"):
        CheckpointFile(tmp_path / "model.ckpt")


@pytest.mark.parametrize("name", [
    slow(name) if name == "many keys" else name for name in hostile_files.small_indexes_of_much(1 << 18)])
def test_a_small_index_takes_no_large_memory(name, tmp_path):
    index = hostile_files.small_indexes_of_much(1 << 18)[name]
    (tmp_path / "model.ckpt.index").write_bytes(index)
    (tmp_path / "model.ckpt.data-00000-of-00001").write_bytes(bytes(100))
    for read in (lambda: read_index(index[:], 100), lambda: CheckpointFile(tmp_path / "model.ckpt")):
        tracemalloc.start()
        try:
            with pytest.raises((ValueError, UserError)):
                read()
            assert tracemalloc.get_traced_memory()[1] < 100 << 20
        finally:
            tracemalloc.stop()


def test_decompression_takes_time_in_proportion_to_the_block():
    n = 1 << 19  # copies of four bytes from half a megabyte back
    block = hostile_files.varint(n + 4 * n) + b"\xfc" + (n - 1).to_bytes(4, "little") + bytes(n) + (
        b"\x0f" + n.to_bytes(4, "little")) * n
    begin = time.process_time()
    assert len(decompress_snappy(block)) == 5 * n
    assert time.process_time() - begin < 20  # copying the half megabyte each time takes minutes


def test_a_variable_of_texts_has_its_bytes_in_the_list(tmp_path, run):
    with tf1.Graph().as_default(), tf1.Session() as session:
        tf1.get_variable("words", initializer=tf1.constant(["a", "bcd"]))
        session.run(tf1.global_variables_initializer())
        tf1.train.Saver().save(session, str(tmp_path / "model.ckpt"))
    code, text = run(tmp_path / "model.ckpt", "--no-meta")
    assert code == 0 and "  words |" in text and "string" in text


def test_a_name_that_safetensors_reserves_is_refused(tmp_path, run):
    save_arrays({"__metadata__": np.zeros(3, np.float32)}, tmp_path)
    code, text = run(tmp_path / "model.ckpt", "--to", "safetensors")
    assert code == 1 and "__metadata__ is a variable's name" in text and "--to npz" in text
