"""datasets.fashion_mnist: copies of the data set are found, downloaded, read, or refused."""
import functools
import gzip
import hashlib
import http.server
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from test_download import send, server

from tf1_autoencoders.datasets import fashion_mnist, locate
from tf1_autoencoders.datasets.download import DownloadError
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.paths import display_path

DEBIAN = Path(fashion_mnist.DEBIAN_FOLDER)  # the real folder, before a fixture replaces it
TRAIN_X, TRAIN_Y, TEST_X, TEST_Y = fashion_mnist.SHAPES
COUNTS = {"train": 61, "test": 17}  # images; so few that a test takes milliseconds
SHAPES = {TRAIN_X: (61, 28, 28), TRAIN_Y: (61,), TEST_X: (17, 28, 28), TEST_Y: (17,)}


def idx(array):
    """Return the content of an IDX file of a uint8 array."""
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def result(shape):
    """Return noise for the shape of an image file, the labels k % 10 for that of a label file."""
    if len(shape) == 1:
        return np.arange(shape[0], dtype=np.uint8) % 10
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


ARRAYS = {name: result(shape) for name, shape in SHAPES.items()}
FILES = {name: idx(array) for name, array in ARRAYS.items()}
PACKED = {name: gzip.compress(content) for name, content in FILES.items()}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Let the official data set be a few images of noise, and repeat a failed download at once."""
    monkeypatch.setattr(fashion_mnist, "SHAPES", SHAPES)
    monkeypatch.setattr(fashion_mnist, "OFFICIAL_SHA256", {name: hashlib.sha256(content).hexdigest()
                                                           for name, content in FILES.items()})
    monkeypatch.setattr(fashion_mnist, "ARCHIVES", {name: (len(content), hashlib.sha256(content).hexdigest())
                                                    for name, content in PACKED.items()})
    monkeypatch.setattr(fashion_mnist, "download", functools.partial(fashion_mnist.download, pause=0.01))


def put(folder, changed=None, packed=True):
    """Write the four files; `changed` {name: bytes} replaces the content of some, and None leaves a file out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {**(PACKED if packed else FILES), **(changed or {})}.items():
        if content is not None:
            (folder / (name + ".gz" if packed else name)).write_bytes(content)
    return folder


def other(name):
    """Return an intact file of the right form whose content is not the official one."""
    array = ARRAYS[name].copy()
    array[0] = 0 if array[0].any() else 1
    return gzip.compress(idx(array))


# Finding a copy

@pytest.mark.parametrize("inner", ["", "fashion-mnist"])
@pytest.mark.parametrize("packed", [True, False])
def test_a_folder_named_by_the_user_is_read_whether_packed_or_not(tmp_path, packed, inner):
    put(tmp_path / inner, packed=packed)
    splits = fashion_mnist.load(data_dir=str(tmp_path))
    assert list(splits) == ["train", "test"]
    for split, (x, y) in {"train": (TRAIN_X, TRAIN_Y), "test": (TEST_X, TEST_Y)}.items():
        np.testing.assert_array_equal(splits[split].x, ARRAYS[x])
        np.testing.assert_array_equal(splits[split].y, ARRAYS[y])
        assert splits[split].x.dtype == splits[split].y.dtype == np.uint8 and splits[split].x.flags.writeable
        assert splits[split].source == ("Fashion-MNIST", "official", display_path(tmp_path / inner))


@pytest.mark.parametrize("packed", [True, False])
def test_the_first_bytes_tell_whether_a_file_is_packed_not_its_name(tmp_path, packed):
    put(tmp_path, FILES if packed else PACKED, packed)
    assert fashion_mnist.load(data_dir=str(tmp_path))["train"].source.kind == "official"


@pytest.mark.parametrize("layout", ["FashionMNIST/raw", "fashion-mnist/data/fashion", "my images"])
def test_the_files_are_found_in_the_folders_of_torchvision_and_of_a_clone_of_the_repository(tmp_path, layout):
    folder = put(tmp_path / layout)
    for namesake in ("MNIST/raw", "KMNIST/raw"):
        put(tmp_path / namesake, {name: other(name) for name in SHAPES})
    while folder != tmp_path.parent:
        source = fashion_mnist.load(data_dir=str(folder))["train"].source
        assert source == ("Fashion-MNIST", "official", display_path(tmp_path / layout))
        folder = folder.parent


def test_mnist_below_a_named_folder_is_not_taken_for_fashion_mnist(tmp_path):
    put(tmp_path / "MNIST" / "raw", {name: other(name) for name in SHAPES})
    refused(tmp_path, "expected the four files of Fashion-MNIST")


@pytest.mark.parametrize("file, version", [("fashion-mnist_train.csv", "CSV"),
                                           ("data/train-00000-of-00001.parquet", "parquet")])
def test_another_version_is_named_with_the_files_to_take(tmp_path, file, version):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_bytes(b"x")
    refused(tmp_path, f"this is the {version} version .*{file}.*; expected the four files .*https://github.com/zalando")


def test_a_folder_with_very_many_folders_is_not_searched_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(locate, "MAX_FOLDERS", 5)
    for k in range(9):
        (tmp_path / f"{k}").mkdir()
    put(tmp_path / "3")
    assert fashion_mnist.load(data_dir=str(tmp_path))["test"].source.kind == "official"
    (tmp_path / "3").rename(tmp_path / "99")
    refused(tmp_path, "expected the four files")


def test_all_60000_and_10000_images_are_read(monkeypatch, tmp_path):
    monkeypatch.undo()
    for name, shape in fashion_mnist.SHAPES.items():
        (tmp_path / name).write_bytes(idx(np.full(shape, len(shape), np.uint8)))
    splits = fashion_mnist.load(data_dir=str(tmp_path))
    assert splits["train"].x.shape == (60000, 28, 28) and splits["train"].y.shape == (60000,)
    assert splits["test"].x.shape == (10000, 28, 28) and splits["test"].y.shape == (10000,)
    assert splits["test"].source.kind == "unverified copy"


def test_other_content_in_the_users_folder_is_reported_as_unverified(tmp_path):
    source = fashion_mnist.load(data_dir=str(put(tmp_path, {TEST_X: other(TEST_X)})))["train"].source
    assert source.kind == "unverified copy" and not source.is_sample


def test_a_split_needs_only_its_own_files(tmp_path):
    put(tmp_path, {TRAIN_X: None, TRAIN_Y: None})
    assert list(fashion_mnist.load(("test",), data_dir=str(tmp_path))) == ["test"]


def test_folders_are_searched_in_the_documented_order(tmp_path):
    names = ["mine", "data/fashion-mnist", "keras/datasets/fashion-mnist", "debian"]
    places = [put(tmp_path / name) for name in names]
    assert fashion_mnist.load(data_dir=str(places.pop(0)))["test"].source.where == display_path(tmp_path / "mine")
    for place in places:
        assert fashion_mnist.load(data="real")["test"].source == ("Fashion-MNIST", "official", display_path(place))
        (place / (TRAIN_Y + ".gz")).unlink()


def test_a_copy_with_other_content_is_skipped_with_a_warning(tmp_path, capsys):
    put(tmp_path / "data" / "fashion-mnist", {TEST_Y: other(TEST_Y)})
    put(tmp_path / "keras" / "datasets" / "fashion-mnist", {TEST_Y: PACKED[TEST_Y][:-1]})
    put(tmp_path / "debian")
    assert fashion_mnist.load(data="real")["test"].source.where == display_path(tmp_path / "debian")
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith(f"{TEST_Y}.gz: not the official content (sha256 differs): this copy is skipped")
    assert "not a whole gzip file" in second and second.endswith(": this copy is skipped")


def test_a_folder_without_the_files_is_skipped_without_a_warning(tmp_path, capsys):
    put(tmp_path / "data" / "fashion-mnist", {TEST_Y: None})
    (tmp_path / "keras").write_bytes(b"a file where Keras has a folder")
    put(tmp_path / "debian")
    assert fashion_mnist.load(data="real")["test"].source.where == display_path(tmp_path / "debian")
    assert capsys.readouterr().err == ""


def test_keras_cache_is_below_the_home_folder_if_keras_home_is_not_set(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = put(tmp_path / ".keras" / "datasets" / "fashion-mnist")
    assert fashion_mnist.load(data="real")["test"].source.where == display_path(folder)


def test_an_unreadable_folder_is_skipped_with_a_warning(capsys):
    def read(folder, splits, must_be_official):
        if folder == "closed":
            raise PermissionError(13, "Permission denied", folder)
        return {split: folder for split in splits}
    found = locate.find_dataset("Anything", ("test",), data="real", data_dir=None, folders=("closed", "open"),
                                read=read, download=None, draw=None)
    assert found == {"test": "open"}
    assert capsys.readouterr().err == "[Errno 13] Permission denied: 'closed': this copy is skipped\n"


def no_network(*_, **__):
    raise DownloadError("https://example.org/x: no route to host")


@pytest.fixture
def few_drawn(monkeypatch):
    drawn = {split: (np.zeros((n, 28, 28), np.uint8), np.zeros(n, np.uint8)) for split, n in COUNTS.items()}
    monkeypatch.setattr(fashion_mnist.drawn_sample, "fashion_mnist", drawn.__getitem__)


def test_auto_without_network_prints_one_line_and_continues_with_the_sample(monkeypatch, few_drawn, capsys):
    monkeypatch.setattr(fashion_mnist, "download", no_network)
    splits = fashion_mnist.load()
    assert splits["train"].source.is_sample and splits["train"].x.shape == (61, 28, 28)
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("No copy of Fashion-MNIST here, and the download failed (")
    assert "no route to host): the drawn sample is used instead (--data-dir" in error


def test_real_refuses_the_sample(monkeypatch, capsys):
    monkeypatch.setattr(fashion_mnist, "download", no_network)
    with pytest.raises(UserError, match=r"no copy of Fashion-MNIST here, .* name a folder that holds one with --data"):
        fashion_mnist.load(data="real")
    assert capsys.readouterr().err == ""


def test_sample_searches_no_folder(monkeypatch, few_drawn, tmp_path):
    put(tmp_path / "data" / "fashion-mnist")
    monkeypatch.setattr(fashion_mnist, "_read_copy", None)
    monkeypatch.setattr(fashion_mnist, "_download", None)
    assert fashion_mnist.load(data="sample", data_dir="/nowhere")["test"].source.is_sample


# Downloading

def mirror(monkeypatch, *addresses):
    monkeypatch.setattr(fashion_mnist, "MIRRORS", tuple(address[:-len("file")] for address in addresses))


def files_only(*names, changed=None, asked=None):
    """Return an answer for test_download.server: the packed files of these names, and 404 for any other name.

    `asked` is a list to which the answer appends the name of each request.
    """
    def answer(handler):
        name = Path(handler.path).name[:-len(".gz")]
        if asked is not None:
            asked.append(name)
        content = {**PACKED, **(changed or {})}
        send(content[name])(handler) if name in names else send(b"no", 404)(handler)
    return answer


def test_a_download_goes_into_the_cache_and_is_used_from_there(monkeypatch, tmp_path, capsys):
    asked = []
    with server(files_only(*SHAPES, asked=asked)) as url:
        mirror(monkeypatch, url)
        for _ in range(2):
            source = fashion_mnist.load(("test",), data="real")["test"].source
            assert source == ("Fashion-MNIST", "official", display_path(tmp_path / "data" / "fashion-mnist"))
    assert asked == list(SHAPES) and capsys.readouterr().err == ""
    assert {path.name: path.read_bytes() for path in (tmp_path / "data" / "fashion-mnist").iterdir()} == {
        name + ".gz": content for name, content in PACKED.items()}


@pytest.mark.parametrize("first", [send(b"no", 404), send(b"<html>log in</html>"), files_only(*SHAPES, changed={
    name: content[:-1] + b"?" for name, content in PACKED.items()})], ids=["404", "a web page", "wrong bytes"])
def test_the_second_mirror_is_asked_if_the_first_fails(monkeypatch, first):
    asked = []

    def counted(handler):
        asked.append(handler.path)
        first(handler)
    with server(counted) as bad, server(files_only(*SHAPES)) as good:
        mirror(monkeypatch, bad, good)
        assert fashion_mnist.load(data="real")["test"].source.kind == "official"
    assert len(asked) == 2  # two attempts for the first file, none for the other three


def test_an_interrupted_download_keeps_its_files_and_continues_with_the_others(monkeypatch, tmp_path, capsys):
    with server(files_only(TRAIN_X, TRAIN_Y)) as url:
        mirror(monkeypatch, url)
        with pytest.raises(UserError, match=f"{TEST_X}.gz: Not Found"):
            fashion_mnist.load(data="real")
    assert len(list((tmp_path / "data" / "fashion-mnist").iterdir())) == 2
    asked = []
    with server(files_only(*SHAPES, asked=asked)) as url:
        mirror(monkeypatch, url)
        assert fashion_mnist.load(data="real")["train"].source.kind == "official"
    assert asked == [TEST_X, TEST_Y] and capsys.readouterr().err == ""


def test_a_damaged_file_in_the_cache_is_downloaded_again(monkeypatch, tmp_path, capsys):
    put(tmp_path / "data" / "fashion-mnist", {TRAIN_Y: PACKED[TRAIN_Y][:20]})
    with server(files_only(TRAIN_Y)) as url:
        mirror(monkeypatch, url)
        assert fashion_mnist.load(data="real")["train"].source.kind == "official"
    assert capsys.readouterr().err.count("\n") == 1


def test_a_damaged_unpacked_file_is_replaced_by_the_download(monkeypatch, tmp_path):
    put(tmp_path / "data" / "fashion-mnist", {TRAIN_Y: b"damaged"}, packed=False)
    with server(files_only(*SHAPES)) as url:
        mirror(monkeypatch, url)
        assert fashion_mnist.load(data="real")["train"].source.kind == "official"


def test_the_sample_is_used_if_the_cache_cannot_be_written_to(tmp_path, few_drawn, capsys):
    (tmp_path / "data").write_bytes(b"a file where the cache should be")
    assert fashion_mnist.load()["test"].source.is_sample
    assert capsys.readouterr().err.count("\n") == 1


def test_the_error_for_unreachable_mirrors_names_them_all(monkeypatch):
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as closed_server:
        address = f"http://127.0.0.1:{closed_server.server_address[1]}/"
    monkeypatch.setattr(fashion_mnist, "MIRRORS", (address, "http://127.0.0.1:9/"))
    with pytest.raises(UserError, match=f"failed .{address}{TRAIN_X}.*refused; http://127.0.0.1:9/.*refused") as error:
        fashion_mnist.load(data="real")
    assert "\n" not in str(error.value)


# Refusing damaged copies

def refused(folder, match, splits=("train", "test")):
    """Assert that the copy is refused in one sentence that names the next step; return the sentence."""
    with pytest.raises(UserError, match=match) as error:
        fashion_mnist.load(splits, data_dir=str(folder))
    message = str(error.value)
    assert "\n" not in message and len(message) < 350 + len(str(folder)) and "--data-dir" in message
    return message


def test_an_empty_and_a_missing_folder_are_refused(tmp_path):
    (tmp_path / "fashion-mnist").mkdir()
    message = refused(tmp_path, "expected the four files of Fashion-MNIST, train-images-idx3-ubyte.gz and so on, which")
    assert message.startswith(f"{tmp_path}: expected")
    assert refused(tmp_path / "fashion-mnist", "the folder is empty; ") and \
        refused(tmp_path / "nowhere", "no such folder; ")


@pytest.mark.parametrize("name", SHAPES)
def test_a_missing_file_is_named(tmp_path, name):
    refused(put(tmp_path, {name: None}), f"no {name}.gz in it")


PACKED_DAMAGE = {
    "empty": (lambda content: b"", "not the Fashion-MNIST file of that name .it starts with b''"),
    "ten bytes": (lambda content: content[:10], "not a whole gzip file"),
    "half": (lambda content: content[:len(content) // 2], "not a whole gzip file"),
    "without its checksum": (lambda content: content[:-8], "not a whole gzip file"),
    "the last byte missing": (lambda content: content[:-1], "not a whole gzip file"),
    "another checksum": (lambda content: content[:-8] + bytes(4) + content[-4:],
                         "not a whole gzip file .*incorrect data check"),
    "a flipped byte": (lambda content: content[:len(content) // 2] + bytes([content[len(content) // 2] ^ 255])
                       + content[len(content) // 2 + 1:], "not a whole gzip file|not the Fashion-MNIST file"),
    "more after its end": (lambda content: content + b"and more", "not a whole gzip file"),
    "a web page": (lambda content: b"<!DOCTYPE html><title>Sign in</title>", "it starts with b'<!DO'"),
    "packed twice": (gzip.compress, r"it starts with b'\\x1f\\x8b"),
    "of several members": (lambda content: content + gzip.compress(b"x"), "not a whole gzip file .there is more")}


@pytest.mark.parametrize("name", [TRAIN_X, TEST_Y])
@pytest.mark.parametrize("damage", PACKED_DAMAGE)
def test_a_damaged_gzip_file_is_refused_and_named(tmp_path, name, damage):
    change, message = PACKED_DAMAGE[damage]
    refused(put(tmp_path, {name: change(PACKED[name])}), f"{name}.gz: .*({message})")


def claims(name, *shape):
    """Return the content of a file with another shape in its header."""
    return FILES[name][:4] + struct.pack(f">{len(shape)}I", *shape) + FILES[name][4 + 4 * len(shape):]


DAMAGE = {
    "empty": (TRAIN_X, b"", "it starts with b''"),
    "the magic number alone": (TRAIN_X, FILES[TRAIN_X][:4], "it starts with"),
    "half a header": (TRAIN_X, FILES[TRAIN_X][:15], "it starts with"),
    "a byte short": (TRAIN_X, FILES[TRAIN_X][:-1], "47839 bytes in it, expected 47840"),
    "a byte long": (TEST_Y, FILES[TEST_Y] + b"\0", "more bytes in it, expected 25"),
    "a web page": (TEST_X, b"<!DOCTYPE html><title>Sign in</title>", "it starts with b'<!DO'"),
    "packed twice": (TEST_X, gzip.compress(PACKED[TEST_X]), r"it starts with b'\\x1f\\x8b"),
    "labels named images": (TRAIN_X, FILES[TRAIN_Y], "it starts with .*, expected"),
    "images named labels": (TEST_Y, FILES[TEST_X][:20], "it starts with .*, expected"),
    "test named train": (TRAIN_X, FILES[TEST_X], "its header claims 17 x 28 x 28 bytes, expected 61 x 28 x 28"),
    "train labels named test": (TEST_Y, FILES[TRAIN_Y], "its header claims 61 bytes, expected 17"),
    "signed bytes": (TEST_X, b"\0\0\x09\x03" + FILES[TEST_X][4:], "it starts with"),
    "numbers of 4 bytes": (TEST_X, b"\0\0\x0c\x03" + FILES[TEST_X][4:], "it starts with"),
    "rows and columns mixed up": (TEST_X, claims(TEST_X, 17, 14, 56), "claims 17 x 14 x 56 bytes"),
    "no images": (TEST_X, claims(TEST_X, 0, 28, 28)[:16], "claims 0 x 28 x 28 bytes"),
    "a claim of 2 ** 40 bytes": (TEST_X, claims(TEST_X, 1 << 30, 32, 32), "claims 1073741824 x 32 x 32 bytes"),
    "the largest claim": (TEST_X, claims(TEST_X, *[(1 << 32) - 1] * 3), "claims 4294967295 x 4294967295 x"),
    "a label 10": (TEST_Y, FILES[TEST_Y][:-1] + b"\x0a", "it has a label 10, expected 0 to 9"),
    "a label 255": (TRAIN_Y, FILES[TRAIN_Y][:-1] + b"\xff", "it has a label 255, expected 0 to 9")}


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_file_whose_content_does_not_belong_to_its_name_is_refused_and_named(tmp_path, damage, packed):
    name, content, message = DAMAGE[damage]
    put(tmp_path, {name: gzip.compress(content) if packed else content}, packed)
    refused(tmp_path, f"{name}(.gz)?: not the Fashion-MNIST file of that name .*{message}")


def test_a_gzip_bomb_is_refused_without_unpacking_all_of_it(tmp_path):
    put(tmp_path, {TEST_X: gzip.compress(FILES[TEST_X] + bytes(128 << 20))})
    assert (tmp_path / (TEST_X + ".gz")).stat().st_size < 1 << 18
    tracemalloc.start()
    try:
        refused(tmp_path, "more bytes in it", ("test",))
        assert tracemalloc.get_traced_memory()[1] < 2 << 20  # bytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("packed", [True, False])
def test_a_file_that_is_far_too_large_is_refused_without_reading_it(tmp_path, packed):
    put(tmp_path, packed=packed)
    with open(str(tmp_path / (TEST_Y + ".gz" * packed)), "r+b") as file:
        file.truncate(1 << 24)
    refused(tmp_path, f"{TEST_Y}.*: 16777216 bytes, expected at most 25;")


def test_a_folder_in_place_of_a_file_is_refused(tmp_path):
    put(tmp_path, {TEST_X: None})
    (tmp_path / (TEST_X + ".gz")).mkdir()
    refused(tmp_path, f"no {TEST_X}.gz in it")


def test_an_unreadable_file_is_refused_and_named(tmp_path, monkeypatch):
    def forbidden(*_):
        raise PermissionError(13, "Permission denied")
    put(tmp_path)
    monkeypatch.setattr(fashion_mnist, "open", forbidden, raising=False)
    refused(tmp_path, f"{TRAIN_X}.gz: Permission denied; make the file readable")


# The real images

@pytest.fixture
def real(monkeypatch):
    """Use the real shapes and checksums; return Debian's folder, or skip the test if its package is not installed."""
    if not DEBIAN.is_dir():
        pytest.skip(f"needs the real images: install Debian's package dataset-fashion-mnist ({DEBIAN})")
    monkeypatch.undo()
    return DEBIAN


def test_debians_images_are_the_official_ones(real):
    splits = fashion_mnist.load(data_dir=str(real))
    assert splits["train"].source == splits["test"].source == ("Fashion-MNIST", "official", str(real))
    for split in splits.values():
        assert len(set(np.bincount(split.y))) == 1
    assert splits["train"].y[:5].tolist() == [9, 0, 0, 3, 0] and round(splits["train"].x.mean(), 2) == 72.94


def test_debians_files_with_the_original_gzip_headers_are_the_official_ones(real):
    for name, (size, sha256) in fashion_mnist.ARCHIVES.items():
        time = 1504176606 if name.startswith("train") else 1504176627
        header = b"\x1f\x8b\x08\x08" + struct.pack("<I", time) + b"\0\x03" + name.encode() + b"\0"
        content = header + (real / (name + ".gz")).read_bytes()[10:]
        assert (len(content), hashlib.sha256(content).hexdigest()) == (size, sha256)
