"""Penn Treebank: fetched from its mirrors, compared with its sums, read as words."""

import functools
import hashlib
import http.server
import threading

import pytest

from lamina.datasets import PennTreebank, Streams, penn_treebank
from lamina.datasets.download import DownloadError

PATH = PennTreebank._path  # before the small files of tests/conftest.py take its place
SENTENCES = {
    "ptb.train.txt": " the <unk> of N years \n no it was n't black monday \n" * 20,
    "ptb.valid.txt": " consumers may want to move \n" * 3,
    "ptb.test.txt": " the years of monday \n" * 3,
}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Small files on a server, and an empty data folder."""
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    for name, text in SENTENCES.items():
        (mirror / name).write_text(text)
    handler = functools.partial(Quiet, directory=mirror)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}/"
    monkeypatch.setattr(PennTreebank, "_path", PATH)
    monkeypatch.setattr(PennTreebank, "mirrors", (address,))
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path / "data"))
    yield tmp_path / "data" / "penn_treebank"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def known(monkeypatch):
    """The sums of the small files instead of the real ones."""
    for name, text in SENTENCES.items():
        monkeypatch.setitem(penn_treebank.FILE_MD5, name, hashlib.md5(text.encode()).hexdigest())


def test_it_is_downloaded_once_and_read_as_words(home, known, monkeypatch):
    data = PennTreebank(length=4)
    assert sorted(path.name for path in home.iterdir()) == sorted(SENTENCES)
    words = set(SENTENCES["ptb.train.txt"].split()) | {"<eos>"}
    assert data.task.vocabulary[:2] == ("<unk>", "<eos>")
    assert set(data.task.vocabulary) == words
    read = data.task.decode(data.train.X[:3])
    assert read == "the <unk> of N years\nno it was n't black monday"
    assert data.task.decode(data.validation.X[0]) == "<unk> " * 3 + "<unk>"
    assert data.task.decode(data.test.X[0]) == "the years of monday"
    assert isinstance(data.sampler(3, 0), Streams)
    monkeypatch.setattr(PennTreebank, "mirrors", ())
    again = PennTreebank(length=4, streams=False)
    assert again.train.fingerprint() == data.train.fingerprint()
    assert not isinstance(again.sampler(3, 0), Streams)


def test_a_mirror_with_other_files_is_refused(home):
    with pytest.raises(DownloadError, match=r"ptb\.train\.txt.*\n.*wrong MD5") as raised:
        PennTreebank()
    assert f"put it at {home / 'ptb.train.txt'}" in str(raised.value)
    assert list(home.iterdir()) == []


def test_a_file_that_was_changed_meanwhile_is_refused(home, known):
    PennTreebank(length=4)
    path = home / "ptb.valid.txt"
    path.write_text("somebody else's")
    with pytest.raises(ValueError, match=r"valid\.txt: is not the file .* take dataset: {type: Te"):
        PennTreebank(length=4)


def test_the_sums_are_three_different_ones():
    assert len(set(penn_treebank.FILE_MD5.values())) == 3
    assert {len(md5) for md5 in penn_treebank.FILE_MD5.values()} == {32}
    assert all(mirror.startswith("https:") for mirror in PennTreebank.mirrors)
