"""datasets.download against a server that the test starts on the loopback address."""
import contextlib
import hashlib
import http.server
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import ROOT
from tf1_autoencoders.datasets.download import ABANDONED_AFTER_SECONDS, BLOCK_SIZE, DownloadError, download

pytestmark = pytest.mark.slow

CONTENT = bytes(range(256)) * 5000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@contextlib.contextmanager
def server(*answers):
    """Run a server that answers each request with the next of `answers`, functions of the handler; yield its URL."""
    waiting = list(answers)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            (waiting.pop(0) if len(waiting) > 1 else waiting[0])(self)

        def log_message(self, *_):
            pass

    http.server.ThreadingHTTPServer.block_on_close = False  # some answers have no end
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.end = time.monotonic() + 5
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{running.server_address[1]}/file"
    finally:
        running.end = 0
        running.shutdown()
        running.server_close()


def send(content=CONTENT, status=200, length=None):
    def answer(handler):
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content) if length is None else length))
        handler.end_headers()
        handler.wfile.write(content)
    return answer


def begin(handler, *headers):
    handler.send_response(200)
    for name, value in headers or [("Content-Length", str(len(CONTENT)))]:
        handler.send_header(name, value)
    handler.end_headers()


def send_without_end(handler, piece, pause=0.0):
    """Send the piece again and again, for much longer than a test waits."""
    with contextlib.suppress(OSError):
        for _ in range(10 ** 6):
            handler.wfile.write(piece)
            time.sleep(pause)
            if time.monotonic() > handler.server.end:
                return


def says_nothing(handler):
    send_without_end(handler, b"", 0.05)


def stall(handler):
    begin(handler)
    handler.wfile.write(CONTENT[:1000])
    send_without_end(handler, b"", 0.05)


def drip(handler):
    begin(handler)
    send_without_end(handler, b"x", 0.02)


def drip_of_headers(handler):
    handler.wfile.write(b"HTTP/1.0 200 OK\r\nX: ")
    send_without_end(handler, b"x", 0.02)


def says_continue_for_ever(handler):
    send_without_end(handler, b"HTTP/1.1 100 Continue\r\n\r\n", 0.001)


def endless(handler):
    begin(handler, ("Content-Type", "text/html"))
    send_without_end(handler, b"<br>" * 10000)


def chunks(*pieces, end=b"0\r\n\r\n"):
    def answer(handler):
        handler.protocol_version = "HTTP/1.1"
        begin(handler, ("Transfer-Encoding", "chunked"))
        for piece in pieces:
            handler.wfile.write(b"%x\r\n" % len(piece) + piece + b"\r\n")
        handler.wfile.write(end)
    return answer


def endless_trailer(handler):
    chunks(CONTENT[:1000], end=b"0\r\n")(handler)
    send_without_end(handler, b"X: y\r\n", 0.001)


def raw(content):
    return lambda handler: handler.wfile.write(content)


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
    download(url, path, size=len(CONTENT), sha256=SHA256, timeout=0.3, pause=0.01, **kwargs)


def test_a_good_answer_is_saved_as_the_file(tmp_path):
    with server(send()) as url:
        get(url, tmp_path / "new" / "file")
    assert (tmp_path / "new" / "file").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]


def test_a_redirect_is_followed(tmp_path):
    with server(send()) as target, server(redirect_to(target)) as url:
        get(url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


GOOD = {
    "chunked": chunks(CONTENT[:70000], CONTENT[70000:]),
    "without a length": lambda handler: (begin(handler, ("Connection", "close")), handler.wfile.write(CONTENT)),
    "with a length that is not a number": lambda handler: (
        begin(handler, ("Content-Length", "many")), handler.wfile.write(CONTENT)),
    "with a length that is too large": send(length=10 ** 15),
    "followed by more": send(CONTENT + b"more"),
    "in pieces": lambda handler: (begin(handler), [
        (handler.wfile.write(CONTENT[k:k + 300000]), time.sleep(0.02)) for k in range(0, len(CONTENT), 300000)])}


@pytest.mark.parametrize("name", GOOD)
def test_the_right_content_is_accepted_in_whatever_way_it_is_sent(tmp_path, name):
    with server(GOOD[name]) as url:
        get(url, tmp_path / "file", attempts=1)
    assert (tmp_path / "file").read_bytes() == CONTENT and len(os.listdir(str(tmp_path))) == 1


@pytest.mark.parametrize("first", [stall, reset, drip, send(b"", 503), send(CONTENT[:100]), send(CONTENT[:-1] + b"?"),
                                   send(CONTENT[:100], length=len(CONTENT))])
def test_a_download_is_tried_again_after_a_bad_answer(tmp_path, first):
    with server(first, send()) as url:
        get(url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


BAD = {
    "says nothing": (says_nothing, "timed out"), "stalls": (stall, "timed out"),
    "sends a byte now and then": (drip, "timed out after 0 of 1280000 bytes"),
    "sends a header's byte now and then": (drip_of_headers, "timed out"),
    "says 100 Continue for ever": (says_continue_for_ever, "timed out"),
    "sends trailers for ever": (endless_trailer, "timed out"),
    "sends a body without end": (endless, "sha256 .* expected"),
    "resets": (reset, "[Cc]onnection|closed"), "says nothing and closes": (raw(b""), "closed"),
    "not found": (send(b"no", 404), "Not Found"), "an error of its own": (send(b"no", 500), "Internal Server Error"),
    "unavailable": (send(b"no", 503), "Service Unavailable"), "no content": (send(b"", 204), "received 0 bytes"),
    "a web page": (send(b"<html>log in</html>"), "received 19 bytes, expected"),
    "a long web page": (send(b"<html>log in</html>" * 10 ** 5), "sha256"),
    "another protocol": (raw(b"220 ftp.example.org FTP server\x1b[2J\r\n"), "220 ftp"),
    "a status line of a megabyte": (raw(b"HTTP/1.0 " + b"2" * (1 << 20)), "too long|status line|2222|reset"),
    "a long reason": (raw(b"HTTP/1.0 404 " + b"\x1b[2J" * 9000 + b"\r\n\r\n"), "2J"),
    "a thousand headers": (raw(b"HTTP/1.0 200 OK\r\n" + b"A: b\r\n" * 1000 + b"\r\n"), "100 headers|reset"),
    "malformed chunks": (chunks(end=b"zz\r\n"), "IncompleteRead"),
    "a chunk of 2 ** 60": (chunks(end=b"1000000000000000\r\nabc"), "IncompleteRead|bytes came"),
    "truncated": (send(CONTENT[:7000], length=len(CONTENT)), "7000 bytes|IncompleteRead|more expected"),
    "truncated without an error": (send(CONTENT[:7000]), "received 7000 bytes, expected 1280000"),
    "with a length that is too small": (send(length=1000), "received 1000 bytes, expected 1280000"),
    "wrong bytes": (send(b"?" + CONTENT[1:]), "sha256 .* expected " + SHA256[:12]),
    "another file before it": (send(b"other" + CONTENT), "sha256 .* expected " + SHA256[:12]),
    "to itself": (redirect_to("/file"), "infinite loop"),
    "to a file": (redirect_to("file:///etc/passwd"), "not allowed"),
    "to ftp": (redirect_to("ftp://127.0.0.1:9/file"), "unknown url type: ftp"),
    "to data": (redirect_to("data:text/plain,x"), "not allowed"),
    "to no address": (redirect_to("http://[::1"), "IPv6"), "to no port": (redirect_to("http://127.0.0.1:x/"), "port"),
    "to a name too long": (redirect_to(f"http://{'a' * 70}.example/"), "label|idna|resol|not known|timed out"),
    "to a port too long": (redirect_to("http://127.0.0.1:1234567890123456789012/"), "."),
    "to nowhere": (redirect_to(""), "infinite loop|Found")}


@pytest.mark.parametrize("name", BAD)
def test_repeated_bad_answers_are_an_error_and_leave_no_file_behind(tmp_path, name):
    answer, message = BAD[name]
    with server(answer) as url, pytest.raises(DownloadError, match=message) as error:
        get(url, tmp_path / "file", attempts=1)
    assert not list(tmp_path.iterdir())
    assert str(error.value).isprintable() and len(str(error.value)) < 300


def test_no_server_is_an_error_in_one_sentence(tmp_path):
    with pytest.raises(DownloadError, match="http://127.0.0.1:9/file: .*refused"):
        get("http://127.0.0.1:9/file", tmp_path / "file")


def test_an_existing_file_is_unchanged_if_the_download_fails(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    with server(send(b"bad")) as url, pytest.raises(DownloadError):
        get(url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_download_ends_when_it_is_complete_even_if_the_server_keeps_sending(tmp_path):
    def answer(handler):
        begin(handler, ("Connection", "close"))
        handler.wfile.write(CONTENT)
        send_without_end(handler, b"x" * 10000)
    with server(answer) as url:
        get(url, tmp_path / "file", attempts=1)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_the_receiving_thread_ends_if_the_download_fails(tmp_path):
    before = threading.active_count()
    with server(endless) as url, pytest.raises(DownloadError):
        get(url, tmp_path / "file", attempts=1)
    for _ in range(200):
        if threading.active_count() <= before:
            break
        time.sleep(0.02)
    assert threading.active_count() <= before


def test_simultaneous_downloads_do_not_disturb_each_other(tmp_path):
    with server(GOOD["in pieces"]) as url, ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda _: get(url, tmp_path / "file", attempts=1), range(5)))
    assert (tmp_path / "file").read_bytes() == CONTENT and len(os.listdir(str(tmp_path))) == 1


@pytest.fixture
def killed(tmp_path):
    """Kill a download in the middle; return its folder."""
    def half(handler):
        begin(handler)
        handler.wfile.write(CONTENT[:BLOCK_SIZE + 1000])
        send_without_end(handler, b"", 0.05)
    code = ("import sys; from tf1_autoencoders.datasets.download import download; "
            f"download(sys.argv[1], sys.argv[2], size={len(CONTENT)}, sha256='{SHA256}', timeout=60)")
    with server(half) as url:
        process = subprocess.Popen([sys.executable, "-c", code, url, str(tmp_path / "file")], cwd=str(ROOT))
        for _ in range(500):
            if any(part.stat().st_size for part in tmp_path.iterdir()):
                break
            time.sleep(0.02)
        process.kill()
        process.wait()
    return tmp_path


def test_a_killed_download_leaves_no_incomplete_file_under_the_name_and_the_next_one_starts_again(killed):
    part, = killed.iterdir()
    assert part.name.endswith(".part") and 0 < part.stat().st_size < len(CONTENT)
    with server(send()) as url:
        get(url, killed / "file", attempts=1)
        assert (killed / "file").read_bytes() == CONTENT and part.exists()  # it may be another process's
        os.utime(str(part), (time.time() - ABANDONED_AFTER_SECONDS - 9,) * 2)
        get(url, killed / "file", attempts=1)
    assert [path.name for path in killed.iterdir()] == ["file"]


def test_a_full_disk_is_reported_and_leaves_no_file_behind(tmp_path, monkeypatch):
    def fsync_on_a_full_disk(_):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(os, "fsync", fsync_on_a_full_disk)
    with server(send()) as url, pytest.raises(OSError, match="No space left"):
        get(url, tmp_path / "file")
    assert not list(tmp_path.iterdir())
