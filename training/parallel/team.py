"""Threads that work on the shards of a batch side by side, and meet where a layer needs all of it.

NumPy lets go of Python's lock while it copies and multiplies, so threads gain wherever arrays are
large. Every shard has a thread of its own, the first one ours; with fewer threads wanted than there
are shards, each waits for its turn, and gives it up while it waits for the others.
"""

import contextlib
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor, wait

from lamina.common.threads import one_blas_thread


class Team:
    """n shards on `threads` threads at a time (default: as many as BLAS would use), each with one
    thread of BLAS. What is computed does not depend on how many there are."""

    def __init__(self, n: int, threads: int | None = None):
        self.n, self.threads, self._pool = n, threads, None
        self._meeting: _Meeting | None = None  # while a run goes on

    def run(self, function, n: int | None = None) -> list:
        """[function(0), function(1), ...] for the first n shards. Raises what the first of them
        that failed has raised, once all have ended."""
        n = self.n if n is None else n
        with one_blas_thread() as of_blas:
            self._meeting = meeting = _Meeting(n, self.threads or of_blas)
            results, errors = [None] * n, [None] * n

            def work(k: int) -> None:
                try:
                    with meeting.turn:
                        results[k] = function(k)
                except BaseException as error:
                    errors[k] = error
                    meeting.call_off()

            # Copied: how NumPy answers an overflow, np.errstate, is a matter of the context.
            others = [self._submit(contextvars.copy_context().run, work, k) for k in range(1, n)]
            try:
                work(0)
            finally:
                wait(others)
                self._meeting = None
        raise_first(errors)
        return results

    def member(self, k: int) -> "Member":
        """What the layers of shard k add up with: see lamina.layers.group."""
        return Member(self, k)

    def meet(self, k: int, array):
        """The sum of what all the shards that run bring here, in their order; outside of a run the
        net is used by itself, and its batch is whole."""
        return array if self._meeting is None else self._meeting.sum(k, array)

    def _submit(self, *call):
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.n - 1, thread_name_prefix="shard")
        return self._pool.submit(*call)

    def __reduce__(self):  # a copy has threads of its own
        return Team, (self.n, self.threads)


class Member:
    """One shard of a team, as the group of its layers."""

    def __init__(self, team: Team, k: int):
        self.team, self.k = team, k

    def sum(self, array):
        return self.team.meet(self.k, array)


class _Meeting:
    """n threads that add up arrays, of which up to `turns` work at a time."""

    def __init__(self, n: int, turns: int):
        self._parts, self._total = [None] * n, None
        self._barrier = threading.Barrier(n, self._add_up)
        self._waits = turns < n
        self.turn = threading.Semaphore(turns) if self._waits else contextlib.nullcontext()

    def sum(self, k: int, array):
        self._parts[k] = array
        with self._turn_given_up():
            self._barrier.wait()
        return self._total  # read before the next sum begins, which waits for all again

    def call_off(self) -> None:
        """One has failed: those that wait for it would wait forever."""
        self._barrier.abort()

    @contextlib.contextmanager
    def _turn_given_up(self):
        if not self._waits:
            yield
            return
        self.turn.release()
        try:
            yield
        finally:
            self.turn.acquire()

    def _add_up(self) -> None:
        first, *others = self._parts
        self._total = sum(others, first)


def raise_first(errors: list) -> None:
    """Raise the first error that is one of its own, not of waiting for another that failed."""
    raised = [error for error in errors if error is not None]
    own = [error for error in raised if not isinstance(error, threading.BrokenBarrierError)]
    for error in own or raised:
        raise error
