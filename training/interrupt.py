"""Ctrl-C, or SIGTERM, asks a run to stop at the end of its iteration; a second Ctrl-C at once."""

import contextlib
import signal
import threading

from lamina.common.ranks import Alone


class Interrupted(Exception):
    """Raised by `Interrupt.check` where work can be left as it is."""


class Interrupt:
    """Inside `with Interrupt() as interrupt:`, `interrupt.signal` is the number of the first SIGINT
    or SIGTERM, None before. A SIGINT after it raises KeyboardInterrupt. With several ranks it is
    that of any of them, as soon as all know of it."""

    def __init__(self, ranks: Alone | None = None):
        self._ranks = ranks or Alone()

    @property
    def signal(self) -> int | None:
        return self._ranks.heard

    def __enter__(self):
        self._ranks.begin_to_hear()
        self._previous = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._request)
        return self

    def __exit__(self, *exception):
        for number, handler in self._previous.items():
            with contextlib.suppress(ValueError, TypeError):  # one that Python did not set
                signal.signal(number, handler)

    def check(self) -> None:
        """Raise Interrupted if a signal has come."""
        if self.signal is not None:
            raise Interrupted

    def _request(self, number, frame):
        if self._ranks.asked is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._ranks.asked = self._ranks.asked or number
