"""The download path, against a server on 127.0.0.1 that misbehaves in every known way."""

import gzip
import hashlib
import http.server
import os
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from lamina.datasets import MNIST, DrawnDigits, download
from lamina.datasets.download import DownloadError, fetch, md5_of_file, sha256_of_content

CONTENT = bytes(range(256)) * 400
VERIFY = sha256_of_content(hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
PACKED = gzip.compress(CONTENT, mtime=0)
# Of a server on 127.0.0.1 that nobody has signed for. The key opens nothing else.
KEY_AND_CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgrM7oS0rQgdkFM59/
AhJmBPKX2EUMK8ffVy357D8kndqhRANCAASCgXbJMlTZOpaTCPGgH9eOhwSL9nTY
FsccURe38d1n6jVc1gTTMEkdLtnQHjLQQskzE+zes8K0/41QxGf624Ji
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBkDCCATagAwIBAgIUWWs9gbXXvMo6IPeDoQ9ySl3suuEwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyMTIzMjIzM1oYDzIxMjYxMDI4
MjMyMjMzWjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASCgXbJMlTZOpaTCPGgH9eOhwSL9nTYFsccURe38d1n6jVc1gTTMEkd
LtnQHjLQQskzE+zes8K0/41QxGf624Jio2QwYjAdBgNVHQ4EFgQUvspX7z/6l12O
asHBA1sQR+6IQ6IwHwYDVR0jBBgwFoAUvspX7z/6l12OasHBA1sQR+6IQ6IwDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0gAMEUC
IBgGINOXGQbvUdN/MaTNwzEVEtI17GAMp9yJfIUUm3wZAiEAsn5q5UBePSwbCwTL
ZnlWQLiJrhLzztlaoeZvg93w8Uo=
-----END CERTIFICATE-----
"""
BODIES = {
    "good": PACKED,
    "recompressed": gzip.compress(CONTENT, compresslevel=1, mtime=7),
    "labelled": PACKED,
    "tampered": gzip.compress(CONTENT[:-1] + b"!", mtime=0),
    "garbage": bytes(len(PACKED)),
    "bomb": gzip.compress(bytes(50 << 20)),
    "cut": PACKED[: len(PACKED) // 2],
    "truncated": PACKED[: len(PACKED) // 2],
    "stalls": PACKED[: len(PACKED) // 2],
    "flaky": PACKED,
}


class Server(http.server.ThreadingHTTPServer):
    """Counts requests; what it answers is named in the path."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests = []

    def handle_error(self, request, client_address):
        """A client that hangs up is part of the tests."""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append(self.path)
        way = self.path.strip("/").split("/")[0]
        if way.isdigit():
            return self.send_error(int(way))
        if way == "moved":  # /moved/3/good/file.gz: three times, and then good; an endless body
            times, _, rest = self.path.removeprefix("/moved/").partition("/")
            target = f"/moved/{int(times) - 1}/{rest}" if int(times) > 1 else f"/{rest}"
            return self.redirect(target)
        if way == "elsewhere":
            return self.redirect(self.server.elsewhere)
        if way == "endless":
            return self.endless(200)
        if way == "odd":
            self.send_response(200)
            self.send_header("Content-Length", "many")
            self.end_headers()
            return self.wfile.write(PACKED)
        if way in ("negative", "nonsense"):
            self.protocol_version = "HTTP/1.1"
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"3\r\nabc\r\n" + {"negative": b"-5", "nonsense": b"x"}[way] + b"\r\n")
            self.close_connection = True
            return None
        if way in ("drips", "drips-chunks", "hangs-up", "no-status", "two-lengths", "long-header"):
            return getattr(self, way.replace("-", "_"))()
        body = BODIES[way]
        if way == "flaky" and self.server.requests.count(self.path) == 1:
            return self.send_error(503)
        self.send_response(200)
        if way == "labelled":
            self.send_header("Content-Encoding", "gzip")
        length = len(body) if way == "truncated" else max(len(body), len(PACKED))
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)
        if way == "stalls":
            self.wfile.flush()
            time.sleep(3)
        return None

    def drips(self, framed=b"%c"):
        """A byte now and then: never so long that a read would time out."""
        self.protocol_version = "HTTP/1.1"
        self.send_response(200)
        if framed == b"%c":
            self.send_header("Content-Length", str(len(PACKED)))
        else:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for byte in PACKED:
            self.wfile.write(framed % byte)
            self.wfile.flush()
            time.sleep(0.05)

    def drips_chunks(self):
        self.drips(b"1\r\n%c\r\n")

    def hangs_up(self):
        self.connection.shutdown(socket.SHUT_RDWR)

    def no_status(self):
        self.wfile.write(b"HELO -1 \xff\r\n\r\n" + PACKED)

    def two_lengths(self):
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n"
        self.wfile.write(head + PACKED)

    def long_header(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n")

    def redirect(self, target):
        self.endless(302, ("Location", target))

    def endless(self, status, *headers):
        self.send_response(status)
        for header in headers:
            self.send_header(*header)
        self.end_headers()
        while True:  # until the client hangs up
            self.wfile.write(bytes(1 << 16))

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(download, "BACK_OFF_S", 0.01)
    monkeypatch.setattr(download, "TIMEOUT_S", (1.0, 0.3))
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def urls(server, *ways):
    return [f"http://127.0.0.1:{server.server_address[1]}/{way}/file.gz" for way in ways]


def get(path, server, *ways):
    return fetch(path, urls(server, *ways), VERIFY)


def test_the_file_arrives_with_a_bar_and_the_second_time_without_a_request(
    tmp_path, server, capsys
):
    path = tmp_path / "mnist" / "file.gz"
    assert get(path, server, "good") == path
    assert gzip.decompress(path.read_bytes()) == CONTENT
    assert "file.gz: 100%" in capsys.readouterr().err
    get(path, server, "good")
    assert len(server.requests) == 1


@pytest.mark.parametrize("way", ["recompressed", "labelled"])
def test_a_mirror_that_packs_the_file_otherwise_is_good(tmp_path, server, way):
    path = get(tmp_path / "file.gz", server, way)
    assert gzip.decompress(path.read_bytes()) == CONTENT


@pytest.mark.parametrize(
    "way",
    [
        *("403", "404", "500", "tampered", "garbage", "bomb", "cut", "truncated", "stalls"),
        *("negative", "nonsense", "hangs-up", "no-status", "two-lengths", "long-header"),
    ],
)
def test_after_a_bad_mirror_comes_the_next(tmp_path, server, way):
    path = get(tmp_path / "file.gz", server, way, "good")
    assert gzip.decompress(path.read_bytes()) == CONTENT
    assert [p.name for p in tmp_path.iterdir()] == ["file.gz"]


@pytest.mark.parametrize(
    ("way", "words", "requests"),
    [
        ("404", "HTTP 404 Not Found", 1),
        ("500", "HTTP 500 Internal Server Error", 3),
        ("tampered", "wrong SHA-256", 1),
        ("garbage", "not a whole gzip file", 1),
        ("bomb", "longer than 102400 bytes", 1),
        ("cut", "attempts", 3),
        ("truncated", "not a whole gzip file", 1),
        ("stalls", "attempts", 3),
    ],
)
def test_when_all_fail_the_error_says_why_and_nothing_is_left(
    tmp_path, server, way, words, requests
):
    path = tmp_path / "file.gz"
    with pytest.raises(DownloadError, match=words) as raised:
        get(path, server, way)
    assert f"put it at {path}" in str(raised.value)
    assert list(tmp_path.iterdir()) == []
    assert len(server.requests) == requests


def test_a_file_known_by_its_md5_alone(tmp_path, server):
    verify = md5_of_file(hashlib.md5(PACKED).hexdigest())
    path = fetch(tmp_path / "file.gz", urls(server, "recompressed", "good"), verify)
    assert path.read_bytes() == PACKED
    with pytest.raises(DownloadError, match="wrong MD5"):
        fetch(tmp_path / "other.gz", urls(server, "tampered"), verify)


def test_a_passing_failure_is_tried_again(tmp_path, server):
    get(tmp_path / "file.gz", server, "flaky")
    assert len(server.requests) == 2


@pytest.mark.parametrize("way", ["drips", "drips-chunks"])
def test_a_mirror_that_drips_is_left_for_the_next(tmp_path, server, monkeypatch, way):
    monkeypatch.setattr(download, "SLOW_S", 0.5)
    started = time.monotonic()
    assert get(tmp_path / "file.gz", server, way, "good").read_bytes() == PACKED
    assert time.monotonic() - started < 5 < 0.05 * len(PACKED)
    with pytest.raises(DownloadError, match=r"gave \d+ bytes in \d s: too slow"):
        get(tmp_path / "other.gz", server, way)
    assert [p.name for p in tmp_path.iterdir()] == ["file.gz"]
    assert len(server.requests) == 3  # it is not asked again


@pytest.mark.parametrize("way", ["endless", "moved/1/endless"])
def test_a_file_without_end_is_left(tmp_path, server, way):
    with pytest.raises(DownloadError, match="longer than 200000 bytes: a wrong file"):
        fetch(tmp_path / "file.gz", urls(server, way), VERIFY, at_most=200_000)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_says_that_it_is_too_long_is_not_asked_for_again(tmp_path, server):
    with pytest.raises(DownloadError, match="longer than 100 bytes"):
        fetch(tmp_path / "file.gz", urls(server, "good"), VERIFY, at_most=100)
    assert len(server.requests) == 1


def test_a_length_that_is_no_number_is_not_believed(tmp_path, server):
    assert get(tmp_path / "file.gz", server, "odd").read_bytes() == PACKED


def test_redirections_are_followed_but_their_bodies_are_not_read(tmp_path, server):
    """requests itself reads all of them, and these have no end."""
    assert get(tmp_path / "file.gz", server, "moved/5/good").read_bytes() == PACKED
    with pytest.raises(DownloadError, match="leads on more than 5 times"):
        get(tmp_path / "other.gz", server, "moved/6/good")


@pytest.mark.parametrize("target", ["http://[", "ftp://127.0.0.1/", "file:///etc/hosts", "//"])
def test_redirections_to_where_nothing_is(tmp_path, server, target):
    server.elsewhere = target
    with pytest.raises(DownloadError, match="could not be downloaded"):
        get(tmp_path / "file.gz", server, "elsewhere")


@pytest.fixture
def secure(server, tmp_path_factory):
    """The address of the same server by https, and its certificate."""
    certificate = tmp_path_factory.mktemp("tls") / "certificate.pem"
    certificate.write_text(KEY_AND_CERTIFICATE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    second = Server()
    second.socket = context.wrap_socket(second.socket, server_side=True)
    second.elsewhere = urls(server, "good")[0]
    thread = threading.Thread(target=second.serve_forever, args=(0.02,))
    thread.start()
    yield f"https://127.0.0.1:{second.server_address[1]}", certificate
    second.shutdown()
    thread.join()
    second.server_close()


def test_a_server_that_nobody_has_signed_for_is_refused(tmp_path, secure):
    with pytest.raises(DownloadError, match="certificate verify failed"):
        fetch(tmp_path / "file.gz", [f"{secure[0]}/good/file.gz"], VERIFY)
    assert list(tmp_path.iterdir()) == []


def test_from_https_no_way_leads_to_http(tmp_path, secure, server, monkeypatch):
    address, certificate = secure
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    path = fetch(tmp_path / "file.gz", [f"{address}/moved/1/good/file.gz"], VERIFY)
    assert path.read_bytes() == PACKED
    with pytest.raises(DownloadError, match="leads from https to http://"):
        fetch(tmp_path / "other.gz", [f"{address}/elsewhere/file.gz"], VERIFY)
    assert server.requests == []


def test_no_server_at_all(tmp_path, server):
    with pytest.raises(DownloadError, match=r"refused.*\(3 attempts\)"):
        fetch(tmp_path / "file.gz", ["http://127.0.0.1:9/file.gz"], VERIFY)


def test_two_at_once_do_not_harm_each_other(tmp_path, server):
    path = tmp_path / "file.gz"
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: get(path, server, "good"), range(8)))
    assert set(results) == {path}
    assert gzip.decompress(path.read_bytes()) == CONTENT
    assert [p.name for p in tmp_path.iterdir()] == ["file.gz"]


def test_a_data_folder_that_cannot_be_made(tmp_path, server):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DownloadError, match="set LAMINA_DATA to a folder that can be written"):
        get(tmp_path / "file" / "mnist" / "file.gz", server, "good")


def test_where_data_are_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path))
    assert download.data_home() == tmp_path
    monkeypatch.delenv("LAMINA_DATA")
    assert download.data_home().parts[-2:] == (".cache", "lamina")


def test_before_each_further_attempt_comes_a_longer_pause(tmp_path, server, monkeypatch):
    monkeypatch.undo()  # the real pauses, which nobody sits through here
    pauses = []
    monkeypatch.setattr(download.time, "sleep", pauses.append)
    with pytest.raises(DownloadError):
        get(tmp_path / "file.gz", server, "500", "503")
    assert pauses == [0.5, 1.0, 0.5, 1.0]


def test_a_server_that_says_nothing_is_not_waited_for_long(tmp_path, server, monkeypatch):
    import requests

    given, ask = [], requests.Session.get

    def asked(self, url, **options):
        given.append(options["timeout"])
        return ask(self, url, **options)

    monkeypatch.setattr(requests.Session, "get", asked)
    get(tmp_path / "file.gz", server, "good")
    assert given == [download.TIMEOUT_S]
    monkeypatch.undo()
    assert max(download.TIMEOUT_S) <= 60


def test_mirrors_are_asked_in_their_order(tmp_path, server):
    get(tmp_path / "file.gz", server, "404", "good", "recompressed")
    assert server.requests == ["/404/file.gz", "/good/file.gz"]


def test_what_a_killed_download_left_is_removed_and_no_other_files(tmp_path, server):
    old, fresh, other = (
        tmp_path / name
        for name in (".file.gz.a.unfinished", ".file.gz.b.unfinished", ".more.gz.a.unfinished")
    )
    for path in (old, fresh, other):
        path.write_bytes(b"half")
    for path in (old, other):
        os.utime(path, (1e9, 1e9))
    get(tmp_path / "file.gz", server, "good")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["file.gz", fresh.name, other.name])


def test_a_user_without_a_home_draws_digits_and_is_told_more(monkeypatch, tmp_path):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setenv("LAMINA_DATA", str(tmp_path))
    kept = DrawnDigits(n_train=20, n_test=10)
    expected = kept.train.X.copy()
    monkeypatch.delenv("LAMINA_DATA")
    monkeypatch.setattr(Path, "home", nowhere)
    np.testing.assert_array_equal(DrawnDigits(n_train=20, n_test=10).train.X, expected)
    with pytest.raises(OSError, match="no home folder to keep data in; set LAMINA_DATA"):
        MNIST().train  # noqa: B018
