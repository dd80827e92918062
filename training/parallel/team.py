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
from lamina.layers.group import Alone
from lamina.training.parallel.between import sum_of


class Team:
    """n shards on `threads` threads at a time (default: as many as BLAS would use), each with one
    thread of BLAS. What is computed does not depend on how many there are."""

    def __init__(self, n: int, threads: int | None = None):
        self.n, self.threads, self._pool = n, threads, None
        self._meeting: _Meeting | None = None  # while a run goes on
        self._of_blas: int | None = None  # threads that BLAS had before it was told to keep to one

    @contextlib.contextmanager
    def one_blas_thread(self):
        """BLAS has one thread inside, also between runs: what is done with the sums of all shards,
        as a norm, does not depend on the threads then."""
        with one_blas_thread() as of_blas:
            before, self._of_blas = self._of_blas, self._of_blas or of_blas
            try:
                yield
            finally:
                self._of_blas = before

    def run(self, function, n: int | None = None, total=sum_of) -> list:
        """[function(0), function(1), ...] for the first n shards. Raises what the first of them
        that failed has raised, once all have ended. `total` gives the sum of what all of them
        bring to a meeting."""
        n = self.n if n is None else n
        if not n:
            return []
        with self.one_blas_thread():
            self._meeting = meeting = _Meeting(n, self.threads or self._of_blas or 1, total)
            results: list = [None] * n
            errors: list[BaseException | None] = [None] * n

            def work(k: int) -> None:
                try:
                    with meeting.turn:
                        results[k] = function(k)
                except BaseException as error:
                    errors[k] = error
                finally:
                    meeting.leave()

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


class Member(Alone):
    """One shard of a team, as the group of its layers."""

    def __init__(self, team: Team, k: int):
        self.team, self.k = team, k

    def sum(self, array):
        return self.team.meet(self.k, array)


class LeftAlone(RuntimeError):
    """A shard waits for others that have ended."""


class _Meeting:
    """n threads that add up arrays, of which up to `turns` work at a time."""

    def __init__(self, n: int, turns: int, total):
        self._parts, self._total, self._sum_of = [None] * n, None, total
        self._changed = threading.Condition()
        self._arrived = self._sums = 0
        self._over = False
        self._waits = turns < n
        self.turn = threading.Semaphore(turns) if self._waits else contextlib.nullcontext()

    def sum(self, k: int, array):
        with self._turn_given_up(), self._changed:
            self._parts[k] = array
            self._arrived += 1
            if self._arrived == len(self._parts):
                self._add_up()
            else:
                now = self._sums
                self._changed.wait_for(lambda: self._sums > now or self._over)
                if self._sums == now:
                    raise LeftAlone(
                        "a layer adds up over the whole batch in some of its shards only: every "
                        "shard must call group.sum as often as the others"
                    )
        return self._total  # read before the next sum begins, which waits for all again

    def leave(self) -> None:
        """One has ended, or failed: those that wait for it would wait forever."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

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
        self._total = self._sum_of(self._parts)
        self._arrived, self._sums = 0, self._sums + 1
        self._changed.notify_all()


def raise_first(errors: list) -> None:
    """Raise the first error that is one of its own, not of waiting for another that failed."""
    raised = [error for error in errors if error is not None]
    own = [error for error in raised if not isinstance(error, LeftAlone)]
    for error in own or raised:
        raise error
