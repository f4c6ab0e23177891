"""tensorflow.examples.tutorials.mnist.input_data: the batches of 1.15.5, and the verified download."""
import gzip
import hashlib
import http.server
import threading

import numpy as np
import pytest

pytest.importorskip("tf_keras")

from tests.tensorflow1.test_seeds import tf  # noqa: E402

input_data = tf.examples.tutorials.mnist.input_data
# labels of five batches of 12 with seed 5, from the 40 images of `write_files` that validation_size=10 leaves, as
# TensorFlow 1.15.5 gives them; the fourth batch joins the rest of the first epoch with the second one's beginning
BATCHES_OF_1_15 = [
    [30, 32, 34, 13, 33, 16, 14, 49, 38, 15, 10, 36], [12, 44, 48, 35, 29, 20, 46, 28, 39, 11, 21, 23],
    [43, 42, 41, 31, 27, 25, 22, 17, 47, 40, 37, 18], [19, 26, 24, 45, 33, 42, 10, 17, 39, 19, 25, 43],
    [20, 30, 12, 26, 38, 40, 44, 34, 16, 21, 35, 14]]


def write_files(folder):
    """Write MNIST's four files with 50 and 10 images, whose labels and pixels are their numbers; return the bytes."""
    contents = {}
    for name, n in (("train", 50), ("t10k", 10)):
        labels = np.arange(n, dtype=np.uint8)
        images = np.repeat(labels, 784)
        for kind, header, values in (("images-idx3", [2051, n, 28, 28], images), ("labels-idx1", [2049, n], labels)):
            path = folder / f"{name}-{kind}-ubyte.gz"
            path.write_bytes(gzip.compress(np.array(header, ">u4").tobytes() + values.tobytes(), mtime=0))
            contents[path.name] = path.read_bytes()
    return contents


def test_batches_have_the_order_of_1_15_and_an_epochs_rest_is_joined_with_the_next(tmp_path, capsys):
    write_files(tmp_path)
    with tf.Graph().as_default():
        tf.set_random_seed(5)
        data = input_data.read_data_sets(str(tmp_path), validation_size=10)
        batches = [data.train.next_batch(12) for _ in range(5)]
    assert [labels.tolist() for _, labels in batches] == BATCHES_OF_1_15
    for images, labels in batches:
        np.testing.assert_array_equal(images, np.repeat(labels[:, None], 784, 1) * np.float32(1 / 255))
    assert data.train.epochs_completed == 1
    assert [data.train.num_examples, data.validation.num_examples, data.test.num_examples] == [40, 10, 10]
    assert capsys.readouterr().out.splitlines()[0] == f"Extracting {tmp_path / 'train-images-idx3-ubyte.gz'}"


def test_no_image_may_be_left_for_validation(tmp_path):
    write_files(tmp_path)
    data = input_data.read_data_sets(str(tmp_path), validation_size=0)
    assert data.validation.images.shape == (0, 784) and data.train.images.shape == (50, 784)


def test_batches_of_before_1_0_have_the_files_order_first_and_leave_an_epochs_rest_out(tmp_path, monkeypatch):
    write_files(tmp_path)
    monkeypatch.setattr(input_data.DataSet, "of_before_1", True)
    data = input_data.read_data_sets(str(tmp_path), validation_size=10)
    np.random.seed(1)
    order = np.random.permutation(40) + 10
    np.random.seed(1)
    labels = [data.train.next_batch(12)[1].tolist() for _ in range(4)]
    assert labels == [list(range(10, 22)), list(range(22, 34)), list(range(34, 46)), order[:12].tolist()]


def test_options_of_read_data_sets(tmp_path):
    write_files(tmp_path)
    data = input_data.read_data_sets(str(tmp_path), validation_size=0, reshape=False, dtype=tf.uint8)
    images, labels = data.train.next_batch(3, shuffle=False)
    assert images.shape == (3, 28, 28, 1) and images.dtype == np.uint8 and labels.tolist() == [0, 1, 2]
    fake = input_data.read_data_sets(str(tmp_path), fake_data=True, one_hot=True)
    assert fake.train.next_batch(2, fake_data=True) == ([[1] * 784] * 2, [[1] + [0] * 9] * 2)
    assert input_data.dense_to_one_hot(np.array([1, 0]), 3).tolist() == [[0, 1, 0], [1, 0, 0]]
    with pytest.raises(ValueError, match="Validation size should be between 0 and 50. Received: 51"):
        input_data.read_data_sets(str(tmp_path), validation_size=51)
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(b"<html>")
    with pytest.raises(ValueError, match="not an IDX file of bytes, expected one of MNIST's four files"):
        input_data.read_data_sets(str(tmp_path))


@pytest.fixture
def server(tmp_path):
    """Serve MNIST's small files on the loopback; yield (address, contents, paths that were asked for)."""
    (tmp_path / "source").mkdir()
    contents, asked = write_files(tmp_path / "source"), []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            content = contents.get(self.path.rpartition("/")[2])
            self.send_response(200 if content else 404)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *args):
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}/mnist/", contents, asked
    running.shutdown()
    running.server_close()


def test_missing_files_are_downloaded_once_and_verified(tmp_path, server, monkeypatch):
    address, contents, asked = server
    examples = tf.examples
    monkeypatch.setattr(examples, "FILES", {name: (len(contents[name]), hashlib.sha256(contents[name]).hexdigest())
                                            for name in examples.FILES})
    for _ in range(2):
        data = input_data.read_data_sets(str(tmp_path / "new" / "folder"), validation_size=10, source_url=address)
        assert data.test.labels.tolist() == list(range(10))
    assert asked == [f"/mnist/{name}" for name in examples.FILES]


def test_a_file_with_another_checksum_is_not_kept(tmp_path, server, monkeypatch):
    address, contents, _ = server
    monkeypatch.setattr("tf1_autoencoders.datasets.download.time.sleep", lambda seconds: None)
    monkeypatch.setattr(tf.examples, "FILES", {name: (len(contents[name]), "0" * 64) for name in tf.examples.FILES})
    with pytest.raises(FileNotFoundError, match="is missing and cannot be downloaded .*put MNIST's four files"):
        input_data.read_data_sets(str(tmp_path / "new"), source_url=address)
    assert list((tmp_path / "new").iterdir()) == []
