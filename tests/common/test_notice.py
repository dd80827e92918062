"""What is said on stderr ends nothing, whatever stderr is."""

import errno
import functools
import io
import os
import re
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lamina.common.notice import Bar, note
from lamina.datasets.download import fetch

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    *("autodiff", "commands", "common", "datasets", "diagnosis", "experiment", "layers"),
    *("metrics", "nets", "optimizers", "training", "lamina"),
)


class Full(io.StringIO):
    def write(self, text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stderr", [Full(), closed(), None])
def test_a_note_that_cannot_be_shown(monkeypatch, capsys, stderr):
    monkeypatch.setattr(sys, "stderr", stderr)
    note("nobody hears this")
    assert capsys.readouterr().out == ""


def test_a_note_steers_no_terminal_and_fits_its_characters(monkeypatch):
    content = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(content, encoding="ascii"))
    note("a\x1b[2J\nGröße \udcff")
    assert content.getvalue() == b"a\\x1b[2J\nGr\\xf6\\xdfe \\udcff\n"


def test_nothing_else_writes_to_stderr():
    """One place knows how; whatever else does it can end a run."""
    # The last words come from a process of their own; ranks but the first are told to be silent.
    allowed = {"common/notice.py", "commands/frame.py", "common/last_words.py", "common/ranks.py"}
    writes = re.compile(r"sys\.stderr|print_exc\(|warnings\.warn\(|tqdm\(")
    files = (path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    found = {p.relative_to(ROOT).as_posix() for p in files if writes.search(p.read_text("utf-8"))}
    assert found == allowed
    frame = (ROOT / "commands" / "frame.py").read_text("utf-8")
    assert len(writes.findall(frame)) == 1  # where its encoding is set


def test_a_download_without_its_bar(tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "f.gz").write_bytes(b"x" * 100_000)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    handler = functools.partial(Quiet, directory=tmp_path / "there")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        monkeypatch.setattr(sys, "stderr", Full())
        url = f"http://127.0.0.1:{server.server_address[1]}/f.gz"
        path = fetch(tmp_path / "data" / "f.gz", [url], lambda name: None)
        server.shutdown()
    assert path.read_bytes() == b"x" * 100_000


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
@pytest.mark.parametrize("stderr", ["2>/dev/full", "2>&-", "2>&1 >/dev/null | true"])
def test_a_command_ends_with_its_own_status(tmp_path, stderr):
    if "/dev/full" in stderr and not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for arguments, status in (("doctor nothing-here", 2), ("dotcor x", 2)):
        command = f"{sys.executable} -m lamina {arguments} {stderr}; exit ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, check=False)
        assert done.returncode == status


def test_a_bar_that_cannot_be_shown_holds_up_no_other_thread(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Full())
    bar = Bar(total=3, mininterval=0)
    bar.to(1)
    bar.say("text")

    def other():
        again = Bar(total=3, mininterval=0)
        again.to(2)
        again.close()

    thread = threading.Thread(target=other, daemon=True)
    thread.start()
    thread.join(20)
    bar.close()
    assert not thread.is_alive()
