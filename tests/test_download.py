"""datasets.download, against a server that the test starts on loopback."""
import contextlib
import hashlib
import http.server
import threading

import pytest

from tf1_autoencoders.datasets.download import DownloadError, fetch

CONTENT = bytes(range(256)) * 5000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@contextlib.contextmanager
def server(*answers):
    """A server that gives each request the next of `answers`, functions of the handler; yields its address."""
    waiting = list(answers)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            (waiting.pop(0) if len(waiting) > 1 else waiting[0])(self)

        def log_message(self, *_):
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{running.server_address[1]}/file"
    finally:
        running.shutdown()
        running.server_close()


def send(content=CONTENT, status=200, length=None):
    def answer(handler):
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content) if length is None else length))
        handler.end_headers()
        handler.wfile.write(content)
    return answer


def stall(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(CONTENT)))
    handler.end_headers()
    handler.wfile.write(CONTENT[:1000])
    handler.wfile.flush()
    threading.Event().wait(1.5)


def reset(handler):
    import socket
    import struct
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def redirect_to(url):
    def answer(handler):
        handler.send_response(302)
        handler.send_header("Location", url)
        handler.end_headers()
    return answer


def get(url, path, **kwargs):
    fetch(url, path, size=len(CONTENT), sha256=SHA256, timeout=0.5, pause=0.01, **kwargs)


def test_a_good_answer_becomes_the_file(tmp_path):
    with server(send()) as url:
        get(url, tmp_path / "new" / "file")
    assert (tmp_path / "new" / "file").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]


def test_a_redirect_is_followed(tmp_path):
    with server(send()) as target, server(redirect_to(target)) as url:
        get(url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize("first", [stall, reset, send(b"", 503), send(CONTENT[:100]), send(CONTENT[:-1] + b"?")])
def test_one_bad_answer_is_tried_again(tmp_path, first):
    with server(first, send()) as url:
        get(url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


BAD = {
    "stalls": (stall, "timed out"), "resets": (reset, "[Cc]onnection|closed"),
    "not found": (send(b"no", 404), "Not Found"),
    "a web page": (send(b"<html>log in</html>"), "19 bytes came, expected"),
    "truncated": (send(CONTENT[:7000], length=len(CONTENT)), "7000 bytes|IncompleteRead|more expected"),
    "too long": (send(CONTENT + b"x"), "more bytes came, expected 1280000"),
    "wrong bytes": (send(b"?" + CONTENT[1:]), "sha256 .* expected " + SHA256[:12])}


@pytest.mark.parametrize("name", BAD)
def test_what_stays_bad_is_an_error_and_leaves_nothing_behind(tmp_path, name):
    answer, message = BAD[name]
    with server(answer) as url, pytest.raises(DownloadError, match=message):
        get(url, tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_no_server_is_an_error_in_one_sentence(tmp_path):
    with pytest.raises(DownloadError, match="http://127.0.0.1:9/file: .*refused"):
        get("http://127.0.0.1:9/file", tmp_path / "file")


def test_a_file_that_was_there_stays_when_the_download_fails(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    with server(send(b"bad")) as url, pytest.raises(DownloadError):
        get(url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"old"
