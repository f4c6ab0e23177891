"""Hostile files: a short run of fuzz, and a test of every crafted file."""
import os

import pytest

from tests.robustness import fuzz
from tests.robustness import hostile_files as crafted
from tf1_autoencoders.datasets import cifar10, fashion_mnist
from tf1_autoencoders.reporting import html_report
from tf1_autoencoders.utils.errors import UserError

pytestmark = pytest.mark.slow

CASES = 150  # mutated files for each reader
CRAFTED = {"CIFAR batch": crafted.pickles(10), "CIFAR archive": crafted.archives(10), "IDX": crafted.idx_files(10),
           "transcript": crafted.documents(), "bands": crafted.documents(), "settings": crafted.documents(),
           "progress": crafted.documents()}
ACCEPTED = {  # crafted files that are read, because their odd part is outside the batch
    "an absolute path", "a path upwards", "a link out of it", "a pax header of length 0",
    "a pax header without a number", "an unknown kind", "junk after the end", "twice the batch"}


@pytest.fixture(scope="module")
def reader_of(tmp_path_factory):
    """Return a function of a name in fuzz.READERS that returns the reader and its folder."""
    result = {}

    def reader_of(name):
        if name not in result:
            folder = tmp_path_factory.mktemp("reader")
            function, n = fuzz.READERS[name]
            result[name] = function(folder, n), folder
            for which, base in enumerate(result[name][0].bases):
                result[name][0].read(which, base)  # imports the modules that it needs
        return result[name]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cifar10, "IMAGES_PER_BATCH", cifar10.IMAGES_PER_BATCH)  # restores what the readers set
        patch.setattr(fashion_mnist, "SHAPES", fashion_mnist.SHAPES)
        patch.chdir(tmp_path_factory.mktemp("working"))  # a payload would leave its file there
        yield reader_of


@pytest.mark.parametrize("name", [*CRAFTED, "checkpoint", "anybody's checkpoint", "graph", "picture"])
def test_mutated_files_are_refused_with_a_user_error_or_read_correctly(reader_of, name):
    reader, folder = reader_of(name)
    cases = [fuzz.case(name, reader, 1, len(reader.crafted) + k) for k in range(CASES)]
    found = [fuzz.outcome(reader, which, content, folder) for _, which, content in cases]
    assert set(found) == {"refused", "accepted"}, [(k, output) for k, output in enumerate(found) if ":" in output]


NAMES = [(reader, name) for reader, files in CRAFTED.items() for name in files]


@pytest.mark.parametrize("reader, name", NAMES, ids=[" - ".join(pair) for pair in NAMES])
def test_a_crafted_file_is_refused_and_has_no_effect(reader_of, reader, name):
    result, folder = reader_of(reader)
    found = fuzz.outcome(result, 0, CRAFTED[reader][name], folder)
    assert found == ("accepted" if name in ACCEPTED else "refused")


def test_crafted_indexes_of_a_checkpoint_are_refused_and_do_not_end_the_process(reader_of):
    reader, folder = reader_of("checkpoint")
    found = {name: fuzz.outcome(reader, 0, content, folder) for name, content in reader.crafted.items()}
    assert {name: output for name, output in found.items() if output != "refused"} == {"version 99": "accepted"}


def test_a_case_is_the_same_for_the_same_seed_and_number(reader_of):
    for name in CRAFTED:
        reader, _ = reader_of(name)
        first, again, other = (fuzz.case(name, reader, seed, 1000) for seed in (1, 1, 2))
        assert first == again != other


def test_fuzz_detects_the_failures_of_a_careless_reader(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def outcome(read, content=b""):
        return fuzz.outcome(fuzz.Reader([], read, None, {}), 0, content, tmp_path)

    def refuses(message):
        raise UserError(message)

    def runs(which, content):
        with fuzz.armed():
            exec("pass")

    def writes(which, content):
        with fuzz.armed():
            open("somewhere", "w").close()
    assert outcome(lambda which, content: refuses("no")) == "refused"
    assert outcome(lambda which, content: refuses("x" * 501)).startswith("a message of 501 characters")
    assert outcome(lambda which, content: {}["x"]).startswith("KeyError")
    assert outcome(runs).startswith("it did ") and outcome(writes).startswith("it did open")
    assert outcome(lambda which, content: os.mkdir(crafted.CANARY)) == "its code has run"


# Devices, pipes and folders in place of files

@pytest.fixture
def wrong_kinds(tmp_path):
    """Return the paths of an endless device, of a pipe without a writer, and of a folder."""
    os.mkfifo(str(tmp_path / "pipe"))
    return ["/dev/zero", str(tmp_path / "pipe"), str(tmp_path)]


@pytest.mark.parametrize("k", range(3), ids=["a device", "a pipe", "a folder"])
def test_a_device_a_pipe_and_a_folder_are_not_read_as_a_batch(tmp_path, wrong_kinds, k):
    (tmp_path / cifar10.FOLDER_NAME).mkdir()
    (tmp_path / cifar10.FOLDER_NAME / "test_batch").symlink_to(wrong_kinds[k])
    with pytest.raises(UserError, match="expected a folder with cifar-10-batches-py/"):
        cifar10.load(("test",), data_dir=str(tmp_path))


@pytest.mark.parametrize("k", range(3), ids=["a device", "a pipe", "a folder"])
def test_a_device_a_pipe_and_a_folder_are_not_read_as_a_transcript_or_a_figure(reader_of, wrong_kinds, k):
    reader, folder = reader_of("transcript")
    transcript = folder / "section2" / "transcript.json"
    figure = folder / "section2" / "a.png"
    content = figure.read_bytes()
    try:
        reader.read(0, reader.bases[0])
        figure.unlink()
        figure.symlink_to(wrong_kinds[k])
        with pytest.raises(UserError, match="its figure a.png is not a file of a figure"):
            html_report.write_html_report(folder)
        transcript.unlink()
        transcript.symlink_to(wrong_kinds[k])
        with pytest.raises(UserError, match="transcript.json: not the transcript of a run .it is not a file"):
            html_report.write_html_report(folder)
    finally:
        transcript.unlink()
        figure.unlink()
        figure.write_bytes(content)


@pytest.mark.parametrize("name", ["a.png", "c.png"], ids=["a figure", "a slider's frame"])
@pytest.mark.parametrize("file", ["/etc/passwd", "../secret.png", "../section2/a.png", "", "..", "./a.png"])
def test_a_page_shows_only_figures_in_the_folder_of_the_run(reader_of, file, name):
    reader, folder = reader_of("transcript")
    (folder / "secret.png").write_bytes(b"secret")
    with pytest.raises(UserError, match="transcript.json: .*is not a file of a figure"):
        reader.read(0, reader.bases[0].replace(b'"%s"' % name.encode(), b'"%s"' % file.encode()))


def test_a_transcript_that_shows_a_figure_twice_is_refused(reader_of):
    reader, _ = reader_of("transcript")
    figure = b'{"kind": "figure", "file": "a.png", "caption": "A figure"}'
    with pytest.raises(UserError, match="it shows a figure twice"):
        reader.read(0, reader.bases[0].replace(figure, figure + b", " + figure))
    with pytest.raises(UserError, match="it shows a figure twice"):
        reader.read(0, reader.bases[0].replace(b'"c.png"', b'"a.png"'))


@pytest.mark.parametrize("entry", [b'"section": "<script>"', b'"seed": "<script>"', b'"n_input": "<script>"',
                                   b'"title": "<script>"', b'"kind": "<script>"', b'"numpy": "<script>"'])
def test_no_text_of_a_transcript_becomes_a_script(reader_of, entry):
    reader, folder = reader_of("transcript")
    name = entry.partition(b":")[0]
    before, _, after = reader.bases[0].partition(name + b": ")
    value_ends = min(k for k in (after.find(b","), after.find(b"}")) if k >= 0)
    try:
        reader.read(0, before + entry + after[value_ends:])  # asserts that there is no script
    except UserError:
        assert b"section" in entry or b"kind" in entry


@pytest.mark.parametrize("value", ["1e19", "NaN", "Infinity", "9" * 400, "true", "null", '"1"', "[1]", "{}"])
def test_a_band_with_a_value_that_is_not_a_finite_number_is_refused(reader_of, value):
    reader, _ = reader_of("bands")
    with pytest.raises(UserError, match="bands.json: not the bands .*epoch 0 Train MSE is not a list of numbers"):
        reader.read(0, reader.bases[0].replace(b"2850.5", value.encode()))
