"""What a program says beside its result, on stderr: notes, errors, progress bars.

All of it goes through here, since a stderr that is full, closed or a broken pipe must end no run.
"""

import contextlib
import sys

from lamina.common.printable import printable


def note(text: str) -> None:
    """Say a line, or several, if anybody can hear it. What could steer a terminal is escaped, and
    what the terminal has no characters for."""
    if sys.stderr is None:  # closed before Python began; print would take stdout
        return
    text = printable(text, lines=True)
    with contextlib.suppress(OSError, ValueError):  # ValueError: of a file that is closed
        encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
        text = text.encode(encoding, "backslashreplace").decode(encoding)
        print(text, file=sys.stderr, flush=True)


class Bar:
    """A progress bar of tqdm, made with its settings; where nothing can be shown there is none."""

    def __init__(self, **settings):
        from tqdm import tqdm  # late: nobody but a training or a download needs it

        self._bar = None
        if sys.stderr is not None:
            with self._showing():
                self._bar = tqdm(file=sys.stderr, **settings)

    def to(self, n: int) -> None:
        """`n` are done."""
        with self._showing():
            if self._bar is not None:
                self._bar.update(n - self._bar.n)

    def say(self, text: str) -> None:
        """Show a text behind the bar."""
        with self._showing():
            if self._bar is not None:
                self._bar.set_postfix_str(text)

    def close(self) -> None:
        with self._showing():
            if self._bar is not None:
                self._bar.close()

    @contextlib.contextmanager
    def _showing(self):
        """What cannot be shown is not shown any more."""
        try:
            yield
        except (OSError, ValueError):  # ValueError: of a file that is closed
            bar, self._bar = self._bar, None
            if bar is not None:
                bar.disable = True  # or it tries once more when it is deleted
