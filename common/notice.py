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
            self._bar = tqdm(file=_Whatever(sys.stderr), **settings)

    def to(self, n: int) -> None:
        """`n` are done."""
        if self._bar is not None:
            self._bar.update(n - self._bar.n)

    def say(self, text: str) -> None:
        """Show a text behind the bar."""
        if self._bar is not None:
            self._bar.set_postfix_str(text)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class _Whatever:
    """A stream that takes what it can and raises nothing. tqdm writes with a lock in its hand, and
    keeps it if that raises: the bars of all other threads would wait forever."""

    def __init__(self, stream):
        self._stream, self.encoding = stream, getattr(stream, "encoding", None)

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):  # ValueError: of a file that is closed
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()

    def isatty(self) -> bool:
        with contextlib.suppress(OSError, ValueError):
            return self._stream.isatty()
        return False

    def fileno(self) -> int:
        return self._stream.fileno()  # tqdm knows streams without one
