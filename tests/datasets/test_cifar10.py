"""datasets.cifar10: copies of the data set are found, read, or refused."""
import gzip
import io
import os
import pickle
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import batch_bytes
from tf1_autoencoders.datasets import cifar10
from tf1_autoencoders.datasets.download import DownloadError
from tf1_autoencoders.utils.errors import UserError

X = np.zeros((200, 3072), np.uint8)
LABELS = [k % 10 for k in range(200)]


@pytest.fixture
def official(monkeypatch, cifar_copy):
    """Let the copy of noise be the official one."""
    import hashlib
    checksums = {name: hashlib.md5((cifar_copy / cifar10.FOLDER_NAME / name).read_bytes()).hexdigest()
                 for name in cifar10.OFFICIAL_MD5}
    monkeypatch.setattr(cifar10, "OFFICIAL_MD5", checksums)


def pack(path, members):
    """Write a gzip-compressed tar archive of {name: bytes}."""
    with tarfile.open(str(path), "w:gz", compresslevel=1) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize("inner", [False, True])
def test_a_folder_named_by_the_user_is_read_and_reported_as_unverified(cifar_copy, inner):
    folder = cifar_copy / cifar10.FOLDER_NAME if inner else cifar_copy
    splits = cifar10.load(data_dir=str(folder))
    train, test = splits["train"], splits["test"]
    assert train.x.shape == (1000, 3072) and train.x.dtype == np.uint8
    assert test.x.shape == (200, 3072) and test.y.shape == (200,) and test.y.dtype == np.uint8
    assert train.x[607, :2].tolist() == [3, 7] and train.y[607] == 7 and test.x[42, :2].tolist() == [5, 42]
    assert train.source.kind == "unverified copy" and not train.source.is_sample


@pytest.mark.slow
def test_all_50000_and_10000_images_are_read(tmp_path):
    folder = tmp_path / cifar10.FOLDER_NAME
    folder.mkdir()
    (tmp_path / "batch").write_bytes(batch_bytes(np.zeros((10000, 3072), np.uint8), [k % 10 for k in range(10000)]))
    for name in cifar10.OFFICIAL_MD5:
        (folder / name).symlink_to(tmp_path / "batch")
    splits = cifar10.load(data_dir=str(tmp_path))
    assert splits["train"].x.shape == (50000, 3072) and splits["train"].y.shape == (50000,)
    assert splits["test"].x.shape == (10000, 3072) and np.bincount(splits["test"].y).tolist() == [1000] * 10


def test_official_checksums_are_recognised(cifar_copy, official):
    assert cifar10.load(("test",), data_dir=str(cifar_copy))["test"].source.kind == "official"


def test_an_archive_is_read_without_unpacking_it(cifar_copy, tmp_path):
    copy = cifar_copy / cifar10.FOLDER_NAME
    pack(tmp_path / cifar10.ARCHIVE_NAME, {f"cifar-10-batches-py/{name}": (copy / name).read_bytes()
                                      for name in ("data_batch_1", "test_batch")})
    images = cifar10.load(("test",), data_dir=str(tmp_path))["test"]
    np.testing.assert_array_equal(images.x, cifar10.load(("test",), data_dir=str(cifar_copy))["test"].x)
    assert os.listdir(str(tmp_path)) == [cifar10.ARCHIVE_NAME]


LAYOUTS = ("my-images", "cifar-10-python/cifar-10-batches-py", "a/b/c",
           "datasets/cifar-10-batches-py-target/cifar-10-batches-py")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_batches_are_found_in_a_folder_of_any_name_and_in_folders_within(cifar_copy, tmp_path, layout):
    shutil.copytree(str(cifar_copy / cifar10.FOLDER_NAME), str(tmp_path / "root" / layout))
    folder = tmp_path / "root" / layout
    while folder != tmp_path:
        images = cifar10.load(("test",), data_dir=str(folder))["test"]
        assert images.x[42, :2].tolist() == [5, 42]
        folder = folder.parent
    (tmp_path / "too").mkdir()
    (tmp_path / "root").rename(tmp_path / "too" / "deep")
    if layout.count("/") == 2:
        with pytest.raises(UserError, match="expected a folder with cifar-10-batches-py/"):
            cifar10.load(("test",), data_dir=str(tmp_path))


@pytest.mark.parametrize("name", ["cifar-10-python.tar", "cifar-10-python.tar.gz", "cifar-10-batches-py.tar.gz",
                                  "sub/cifar-10-python.tgz", "cifar-10-python (1).tar.gz",
                                  "cifar-10-batches-py-target_archive"])
@pytest.mark.parametrize("packed", [True, False])
def test_an_archive_is_read_under_each_usual_name_packed_or_not(cifar_copy, tmp_path, name, packed):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    content = write_archive(tmp_path / name, cifar_copy)
    (tmp_path / name).write_bytes(content if packed else gzip.decompress(content))
    assert cifar10.load(("test",), data_dir=str(tmp_path))["test"].x[42, :2].tolist() == [5, 42]


def test_six_batches_come_before_an_archive_and_an_archive_before_fewer_batches(cifar_copy, tmp_path):
    write_archive(tmp_path / cifar10.ARCHIVE_NAME, cifar_copy)
    shutil.copytree(str(cifar_copy / cifar10.FOLDER_NAME), str(tmp_path / "within" / "batches"))
    assert f"the copy in {tmp_path}/within/batches, to be" in cifar10.plan(data_dir=str(tmp_path))
    (tmp_path / "within" / "batches" / "data_batch_3").unlink()
    assert f"the copy in {tmp_path}/{cifar10.ARCHIVE_NAME}, to be" in cifar10.plan(data_dir=str(tmp_path))


@pytest.mark.parametrize("file, version", [
    ("cifar-10-batches-bin/data_batch_1.bin", "binary"), ("cifar-10-binary.tar.gz", "binary"),
    ("cifar-10-batches-mat/data_batch_1.mat", "Matlab"), ("cifar-10-matlab.tar.gz", "Matlab"),
    ("train.csv", "CSV"), ("plain_text/train-00000-of-00001.parquet", "parquet")])
def test_another_version_is_named_with_the_one_to_take(tmp_path, file, version):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_bytes(b"x")
    with pytest.raises(UserError, match=f"this is the {version} version .*{Path(file).name}.*; expected a folder with "
                                        ".*cifar-10-python.tar.gz in it, which is the Python version at https://www.cs"):
        cifar10.load(data_dir=str(tmp_path))


def test_no_path_in_an_archive_is_ever_written(cifar_copy, tmp_path):
    content = (cifar_copy / cifar10.FOLDER_NAME / "test_batch").read_bytes()
    pack(tmp_path / cifar10.ARCHIVE_NAME, {"../../evil": b"x", "/tmp/evil-cifar": b"x", "../test_batch": content})
    cifar10.load(("test",), data_dir=str(tmp_path))
    assert not (tmp_path.parent / "evil").exists() and not os.path.exists("/tmp/evil-cifar")


def test_keras_cache_is_used_only_with_official_content(cifar_copy, official, tmp_path, monkeypatch, capsys):
    datasets = tmp_path / "keras" / "datasets"
    datasets.mkdir(parents=True)
    (datasets / cifar10.FOLDER_NAME).symlink_to(cifar_copy / cifar10.FOLDER_NAME)
    assert cifar10.load(("test",), data="real")["test"].source.kind == "official"
    monkeypatch.setitem(cifar10.OFFICIAL_MD5, "test_batch", "0" * 32)
    monkeypatch.setattr(cifar10, "download", no_network)
    with pytest.raises(UserError, match="no copy of CIFAR-10 here, and the download failed"):
        cifar10.load(("test",), data="real")
    assert "test_batch is not the official file (md5 differs): this copy is skipped" in capsys.readouterr().err


def no_network(*_, **__):
    raise DownloadError("https://example.org/x: no route to host")


def test_auto_without_network_prints_one_line_and_continues_with_the_sample(monkeypatch, capsys):
    monkeypatch.setattr(cifar10, "download", no_network)
    monkeypatch.setattr(cifar10.drawn_sample, "cifar10", lambda split: (X[:3], np.array([7, 1, 2], np.uint8)))
    splits = cifar10.load()
    assert splits["train"].source.is_sample
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "no route to host): the drawn sample is used instead" in error


def test_real_refuses_the_sample_and_sample_searches_no_folder(monkeypatch):
    monkeypatch.setattr(cifar10, "download", no_network)
    monkeypatch.setattr(cifar10.drawn_sample, "cifar10", lambda split: (X[:3], np.array([7, 1, 2], np.uint8)))
    with pytest.raises(UserError, match="name a folder that holds one with --data-dir"):
        cifar10.load(data="real")
    assert cifar10.load(data="sample", data_dir="/nowhere")["test"].source.is_sample


def test_a_download_is_unpacked_into_the_cache_and_used_from_there(cifar_copy, official, tmp_path, monkeypatch):
    def fetch(url, path, size, sha256):
        assert (url, size, sha256) == (cifar10.URL, 170498071, cifar10.ARCHIVE_SHA256)
        path.parent.mkdir(parents=True)
        pack(path, {f"cifar-10-batches-py/{name}": (cifar_copy / cifar10.FOLDER_NAME / name).read_bytes()
                    for name in cifar10.OFFICIAL_MD5})
    monkeypatch.setattr(cifar10, "download", fetch)
    assert cifar10.load(("test",), data="real")["test"].source.kind == "official"
    assert sorted(os.listdir(str(tmp_path / "data" / cifar10.FOLDER_NAME))) == sorted(cifar10.OFFICIAL_MD5)
    assert os.listdir(str(tmp_path / "data")) == [cifar10.FOLDER_NAME]
    monkeypatch.setattr(cifar10, "download", no_network)
    assert cifar10.load(("test",), data="real")["test"].source.kind == "official"


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match="--data-dir .*: the folder is empty; name the folder that holds the data set"):
        cifar10.load(data_dir=str(tmp_path))
    with pytest.raises(UserError, match="--data-dir .*nowhere: no such folder; "):
        cifar10.load(data_dir=str(tmp_path / "nowhere"))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError, match="file: a file, expected the folder that holds the data set"):
        cifar10.load(data_dir=str(tmp_path / "file"))
    with pytest.raises(UserError, match="expected a folder with cifar-10-batches-py/ or cifar-10-python.tar.gz"):
        cifar10.load(data_dir=str(tmp_path))  # with another file in it


def test_the_error_for_an_unreadable_file_asks_to_make_it_readable_not_to_unpack_again(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar10, "open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")),
                        raising=False)
    (tmp_path / cifar10.FOLDER_NAME).mkdir()
    (tmp_path / cifar10.FOLDER_NAME / "data_batch_1").write_bytes(b"")
    with pytest.raises(UserError, match="data_batch_1: Permission denied; make the file readable"):
        cifar10.load(data_dir=str(tmp_path))


def test_a_home_directory_is_expanded_and_a_second_folder_is_read(cifar_copy, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(cifar_copy.parent))
    (tmp_path / "other").write_bytes(b"")
    images = cifar10.load(("test",), data_dir=[str(tmp_path), "~/" + cifar_copy.name])
    assert images["test"].source.kind == "unverified copy"


def test_the_usual_places_are_searched_if_the_folder_holds_only_the_other_data_set(
        cifar_copy, tmp_path, monkeypatch, capsys):
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"")
    monkeypatch.setattr(cifar10, "DATA", tmp_path / "cache")
    monkeypatch.setattr(cifar10, "_download", lambda: (_ for _ in ()).throw(OSError("no network")))
    monkeypatch.setattr(cifar10.locate, "keras_cache", lambda: tmp_path / "keras")
    with pytest.raises(UserError, match="no copy of CIFAR-10 here, and the download failed"):
        cifar10.load(("test",), data="real", data_dir=str(tmp_path))
    assert "--data-dir holds Fashion-MNIST and no CIFAR-10: CIFAR-10 is looked for in the usual places" in \
        capsys.readouterr().err


def test_a_missing_file_is_named(tmp_path):
    (tmp_path / cifar10.FOLDER_NAME).mkdir()
    (tmp_path / cifar10.FOLDER_NAME / "test_batch").write_bytes(b"")
    with pytest.raises(UserError, match="data_batch_1: No such file or directory; a copy of CIFAR-10 has 6 "):
        cifar10.load(data_dir=str(tmp_path))


def write_archive(path, cifar_copy):
    """Write an intact archive with one batch; return its content."""
    pack(path, {"cifar-10-batches-py/test_batch": (cifar_copy / cifar10.FOLDER_NAME / "test_batch").read_bytes()})
    return path.read_bytes()


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("fraction", [0.0, 0.00001, 0.5, 0.9])
def test_a_truncated_archive_is_refused(cifar_copy, tmp_path, fraction, packed):
    path = tmp_path / cifar10.ARCHIVE_NAME
    content = write_archive(path, cifar_copy)
    content = content if packed else gzip.decompress(content)
    path.write_bytes(content[:int(fraction * len(content))])
    with pytest.raises(UserError, match="not a whole tar archive|no test_batch in it"):
        cifar10.load(("test",), data_dir=str(tmp_path))


def test_a_tampered_or_renamed_archive_is_refused(cifar_copy, tmp_path):
    path = tmp_path / cifar10.ARCHIVE_NAME
    content = bytearray(write_archive(path, cifar_copy))
    content[len(content) // 2] ^= 255
    path.write_bytes(bytes(content))
    with pytest.raises(UserError, match="not a whole tar archive|not a CIFAR-10 batch"):
        cifar10.load(("test",), data_dir=str(tmp_path))
    path.write_bytes(b"PK\x03\x04 this is another kind of file")
    with pytest.raises(UserError, match="not a whole tar archive"):
        cifar10.load(("test",), data_dir=str(tmp_path))
    pack(path, {"readme.txt": b"not CIFAR-10"})
    with pytest.raises(UserError, match="no test_batch in it; this is not the CIFAR-10 archive"):
        cifar10.load(("test",), data_dir=str(tmp_path))


def test_an_archive_whose_member_claims_a_gigabyte_is_refused(tmp_path):
    with tarfile.open(str(tmp_path / cifar10.ARCHIVE_NAME), "w:gz") as archive:
        member = tarfile.TarInfo("test_batch")
        member.size = 1 << 30
        archive.addfile(member)  # the header alone
    with pytest.raises(UserError, match="claims 1073741824 bytes"):
        cifar10.load(("test",), data_dir=str(tmp_path))


class RunsCode:
    def __reduce__(self):
        return os.system, ("touch evil-from-a-pickle",)


def test_a_pickle_that_calls_a_function_is_refused_and_runs_no_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="it asks for (posix|nt).system, which no batch of images needs"):
        cifar10.read_batch(pickle.dumps({b"data": RunsCode(), b"labels": LABELS}), "test_batch")
    assert not os.listdir(str(tmp_path))


class MakesAnArray:
    def __init__(self, *state):
        self.state = state

    def __reduce__(self):
        return np.frombuffer, self.state


@pytest.mark.parametrize("content", [
    b"", b"\x80\x02", b"not a pickle", pickle.dumps(3), pickle.dumps({}), pickle.dumps([1]),
    pickle.dumps({b"data": X.tobytes(), b"labels": LABELS}), batch_bytes(X[:199], LABELS),
    batch_bytes(X[:, :3071], LABELS),
    batch_bytes(X.astype(np.int16), LABELS), batch_bytes(np.asfortranarray(X), LABELS), batch_bytes(X, LABELS[:-1]),
    batch_bytes(X, [10] * 200), batch_bytes(X, [-1] * 200), batch_bytes(X, [1.0] * 200),
    batch_bytes(X, [True] * 200), batch_bytes(np.array([[None] * 2]), LABELS),
    pickle.dumps({b"data": MakesAnArray(b"x"), b"labels": LABELS}), batch_bytes(X, LABELS)[:-100]], ids=range(19))
def test_a_file_that_is_not_a_batch_is_refused_in_one_sentence(cifar_copy, content):
    with pytest.raises(UserError, match="test_batch: not a CIFAR-10 batch .*unpack the official archive") as error:
        cifar10.read_batch(content, "test_batch")
    assert "\n" not in str(error.value) and len(str(error.value)) < 300


def test_a_file_of_a_wrong_size_is_refused_without_reading_it(tmp_path):
    (tmp_path / cifar10.FOLDER_NAME).mkdir()
    with open(str(tmp_path / cifar10.FOLDER_NAME / "test_batch"), "wb") as file:
        file.truncate(cifar10.MAX_FILE_BYTES + 1)
    with pytest.raises(UserError, match="expected a file of about 31 million"):
        cifar10.load(("test",), data_dir=str(tmp_path))


def test_the_real_test_image_13_is_a_horse(real_cifar):
    images = cifar10.load(data_dir=real_cifar)
    assert images["test"].y[13] == 7
    assert np.bincount(images["train"].y).tolist() == [5000] * 10
