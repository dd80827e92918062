"""Ctrl-C asks a run to stop at the end of its iteration; a second one stops it at once."""

import contextlib
import signal
import threading


class Interrupt:
    """`requested` turns true with the first SIGINT inside `with Interrupt() as interrupt:`."""

    def __init__(self):
        self.requested = False

    def __enter__(self):
        self._previous = None
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._request)
        return self

    def __exit__(self, *exception):
        if self._previous is not None:
            with contextlib.suppress(ValueError):
                signal.signal(signal.SIGINT, self._previous)

    def _request(self, number, frame):
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
