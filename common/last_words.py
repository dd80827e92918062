"""A line that is said if a process ends without having come to its end, even by kill -9.

A small process of its own waits at the other end of a pipe, which the system closes with whoever
holds it. Launchers of MPI kill what they have started, and so leave nobody else to say anything.
"""

import contextlib
import json
import signal
import subprocess
import sys
import time

PATIENCE_S = 0.5  # so that whoever has failed says first why


class LastWords:
    """`say(text)` sets what is said, on stderr, if this process ends now; "" for nothing."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-E", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # a signal to our group does not reach it
        )

    def say(self, text: str) -> None:
        with contextlib.suppress(OSError):  # it is gone: then nothing will be said
            self._process.stdin.write(f"{json.dumps(text)}\n".encode())
            self._process.stdin.flush()

    def close(self) -> None:
        """We have come to our end: nothing is to be said."""
        if self._process.stdin.closed:
            return
        self.say("")
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait()


def _wait_for_the_end() -> None:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    text = ""
    for line in sys.stdin:
        with contextlib.suppress(ValueError):  # the last line may be cut off
            text = json.loads(line)
    if text:
        time.sleep(PATIENCE_S)
        with contextlib.suppress(OSError):
            print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    _wait_for_the_end()
