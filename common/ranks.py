"""The processes that train one net together, if a launcher of MPI has started several; else one.

mpi4py is imported only where the environment says that there are several of us; NumPy never, since
the thread count is set after this. What one rank does alone and what all do together is said here:
the others of this house ask a `Ranks`, or `Alone`, which has the same methods.
"""

import atexit
import contextlib
import os
import pickle
import socket
import sys
import time
import warnings

from lamina.common.last_words import LastWords
from lamina.common.notice import note

# (number of ranks, which of them we are), as launchers tell their processes. The first that is set
# decides: MPICH, Intel MPI and srun with PMI; Open MPI; other srun. SLURM_NTASKS alone says nothing
# of us: a batch script has it too, and is one process.
VARIABLES = (
    ("PMI_SIZE", "PMI_RANK"),
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
    ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
)
TOGETHER_S = 5.0  # after an error: so long we wait for the others to come to the same end
_LONGEST = 1 << 14  # bytes of what a rank says at its end
HEARD_S = 0.5  # until a launcher has passed on what was said: it drops the rest at an abort
_NAP_S = 0.002  # MPI waits busily, on cores that the others could use


class RankError(ValueError):
    """Ranks that cannot train together; says which of them, and why."""


class Alone:
    """One process: what all ranks have to do together is what it does."""

    rank, size, is_first = 0, 1, True

    def __init__(self):
        self.asked: int | None = None  # the number of the signal that asks us to stop

    @property
    def heard(self) -> int | None:
        """The number of the signal that asks any of us to stop, as far as all know of it."""
        return self.asked

    def begin_to_hear(self) -> None:
        """Signals count from here on."""
        self.asked = None

    def all(self, value, what: str = "") -> list:
        """What every rank gives, in their order. All must call it. Signals travel with it. Raises
        RuntimeError, on all, if some ask for another thing (`what`) than the others."""
        return [value]

    def on_first(self, function):
        """What the function gives, called on rank 0 alone; None on others. What it raises there is
        raised on all."""
        return function()

    def from_first(self, function):
        """As `on_first`, but all get what it gives."""
        return function()

    def once_per_machine(self, function):
        """Called by one rank of each machine first: its files are there for the others then."""
        return function()

    def apart(self):
        """A context in which rank 0 does what the others do not: what needs all is an error."""
        return contextlib.nullcontext()

    def to_go_on(self, text: str) -> None:
        """Set what is said if a rank ends before the end, for all of them."""

    def refuse_unlike(self, told: dict[str, str]) -> None:
        """Raises RankError, which names the first that differs, unless all tell the same."""


class Ranks(Alone):
    """The ranks of a communicator of mpi4py, of which we are one: see Alone."""

    def __init__(self, comm):
        from mpi4py import MPI

        super().__init__()
        self.comm, self._ends = comm, comm.Dup()  # errors meet on one of their own
        self._machine = comm.Split_type(MPI.COMM_TYPE_SHARED)
        self.rank, self.size = comm.rank, comm.size
        self.is_first = self.rank == 0
        self.hosts = comm.allgather(socket.gethostname())
        self._heard: int | None = None
        self._apart = False
        self._last_words = LastWords() if self.is_first else None
        if self._last_words is not None:
            atexit.register(self._last_words.close)
        self.to_go_on("")

    @property
    def heard(self):
        return self._heard

    def begin_to_hear(self):
        self.asked = self._heard = None

    @property
    def cores(self) -> int:
        """The cores that there are for each rank of this machine."""
        if hasattr(os, "sched_getaffinity"):
            ours = set().union(*self._machine.allgather(os.sched_getaffinity(0)))
        else:
            ours = set(range(os.cpu_count() or 1))
        return max(len(ours) // self._machine.size, 1)

    def name(self, rank: int) -> str:
        return f"rank {rank} of {self.size} ({self.hosts[rank]})"

    def check_together(self) -> None:
        """Raises RuntimeError where rank 0 does something alone."""
        if self._apart:
            raise RuntimeError(
                "a callback, which runs on rank 0 alone, has called what all ranks must call "
                "together (trainer.worker, trainer.evaluator, trainer.state, ...); trainer.net "
                "can be used alone"
            )

    def all(self, value, what=""):
        self.check_together()
        asked, values, whats = zip(*self.comm.allgather((self.asked, value, what)), strict=True)
        self._heard = self._heard or next(filter(None, asked), None)
        if other := next((rank for rank, one in enumerate(whats) if one != whats[0]), 0):
            raise RuntimeError(
                f"the ranks go different ways: rank 0 is at {whats[0] or 'something else'}, "
                f"{self.name(other)} at {whats[other] or 'something else'}; layers must call "
                "group.sum as often in every shard"
            )
        return list(values)

    def on_first(self, function):
        value, error = self._first(function, send=False)
        if error is not None:
            raise error
        return value

    def from_first(self, function):
        value, error = self._first(function, send=True)
        if error is not None:
            raise error
        return value

    def _first(self, function, send: bool) -> tuple:
        self.check_together()
        mine = None, None
        if self.is_first:
            with self.apart():
                mine = _outcome(function)
        _wait(self.comm.Ibarrier())
        sent = (mine[0] if send else None, _portable(mine[1])) if self.is_first else None
        there = self.comm.bcast(sent)
        return mine if self.is_first else there

    def once_per_machine(self, function):
        self.check_together()
        value = error = None
        leads = self._machine.rank == 0
        if leads:
            value, error = _outcome(function)
        _wait(self._machine.Ibarrier())
        there = self._machine.bcast(_portable(error) if leads else None)
        if (error := error or there) is not None:
            raise error
        return value if leads else function()

    @contextlib.contextmanager
    def apart(self):
        before, self._apart = self._apart, True
        try:
            yield
        finally:
            self._apart = before

    def to_go_on(self, text):
        self._to_go_on = "; ".join(filter(None, (f"all {self.size} ranks have ended", text)))
        if self._last_words is not None:
            self._last_words.say(f"one was killed, or has failed: {self._to_go_on}")

    def refuse_unlike(self, told):
        first, *others = self.all(told)
        for rank, other in enumerate(others, start=1):
            for name in first | other:
                if first.get(name) != other.get(name):
                    here, there = (str(told.get(name, "none")) for told in (first, other))
                    raise RankError(
                        f"{self.name(rank)} has other {name} than rank 0 ({self.hosts[0]}): "
                        f"{there:.200}, not {here:.200}; all ranks need the same"
                    )

    def leave(self, status: int, said: str, program: str) -> tuple[int, str]:
        """The end of this rank, with what there is to say of it: waits for that of the others, and
        returns the status of all, and what rank 0 is to say, once if all have failed alike. If this
        one has failed, and the others do not come to an end soon, it says so itself, and ends them
        all."""
        mine = f"{status} {said}".encode(errors="backslashreplace")[:_LONGEST].ljust(_LONGEST)
        everyone = bytearray(_LONGEST * self.size)
        if not self._meet(mine, everyone, TOGETHER_S if said else None):
            sys.stderr = sys.__stderr__
            note(f"{self._of_rank(self.rank, said, program)}\n{program}: {self._to_go_on}")
            time.sleep(HEARD_S)
            self.comm.Abort(status or 1)
            os._exit(status or 1)  # MPICH may come back from there
        if self._last_words is not None:
            self._last_words.close()
        ends = [
            bytes(everyone[i : i + _LONGEST]).decode(errors="replace").rstrip().partition(" ")
            for i in range(0, len(everyone), _LONGEST)
        ]
        lines = [ends[0][2]] if ends[0][2] else []
        said_already = ends[0][2].splitlines()
        for rank, (_, _, text) in enumerate(ends):
            if text and not {text.splitlines()[0], text.splitlines()[-1]} <= {*said_already}:
                lines.append(self._of_rank(rank, text, program))
        return max((int(number) for number, _, _ in ends), key=abs), "\n".join(lines)

    def end_all(self, kind, error, trace) -> None:
        """An error that nobody has caught: the others would wait for this rank."""
        sys.__excepthook__(kind, error, trace)
        time.sleep(HEARD_S)
        self.comm.Abort(1)
        os._exit(1)

    def _meet(self, mine: bytes, everyone: bytearray, seconds: float | None) -> bool:
        """Whether all have told each other how they have ended, in so many seconds."""
        try:
            return _wait(self._ends.Iallgather(mine, everyone), seconds)
        except Exception as error:
            if not is_lost(error):
                raise
            return False

    def _of_rank(self, rank: int, said: str, program: str) -> str:
        """What a rank says, with its name."""
        return f"{program}: {self.name(rank)}: {said.removeprefix(f'{program}: ')}"


_found: Ranks | None = None


def launched() -> tuple[int, int] | None:
    """(our rank, the number of ranks), as the environment says; None if we are alone."""
    for of_size, of_rank in VARIABLES:
        size = os.environ.get(of_size, "")
        if size.isdigit():
            return (int(os.environ.get(of_rank) or 0), int(size)) if int(size) > 1 else None
    return None


def find_ranks() -> Alone:
    """The ranks that we are one of. Raises RankError without mpi4py, or with one that knows of
    other ranks than the launcher has started."""
    global _found
    started = launched()
    if started is None:
        return Alone()
    size = started[1]
    try:
        with warnings.catch_warnings():  # of another launcher's variables: see below
            warnings.simplefilter("ignore", RuntimeWarning)
            from mpi4py import MPI  # late: one process alone needs none
    except (ImportError, RuntimeError) as error:
        raise RankError(
            f"a launcher of MPI has started {size} processes, but mpi4py, by which they talk, "
            f"cannot be imported ({error}): pip install -e '.[mpi]', or start one without it"
        ) from None
    if MPI.COMM_WORLD.size != size:
        raise RankError(
            f"the launcher says {size} ranks, and mpi4py {MPI.COMM_WORLD.size}: it was built for "
            "another MPI than the launcher belongs to (python -m mpi4py --mpi-lib-version says "
            "which); use that one's mpiexec, or, with srun, the --mpi=... that fits"
        )
    if MPI.Query_thread() < MPI.THREAD_SERIALIZED:
        raise RankError("this MPI was built without support for threads, which shards need")
    _found = Ranks(MPI.COMM_WORLD)
    sys.excepthook = _found.end_all
    return _found


def is_lost(error: BaseException) -> bool:
    """Does MPI say that another rank is gone?"""
    return type(error).__module__ == "mpi4py.MPI"


def several() -> bool:
    """Have we found that there are several ranks?"""
    return _found is not None


def leave(status: int, said: str, program: str) -> tuple[int, str]:
    """(status, what is to be said) of the whole, at the end: see Ranks.leave."""
    return (status, said) if _found is None else _found.leave(status, said, program)


def hush() -> None:
    """From here on nothing is shown of this process: rank 0 speaks for all."""
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115  (as long as we live)


def _outcome(function) -> tuple:
    try:
        return function(), None
    except Exception as error:
        return None, error


def _portable(error: Exception | None) -> Exception | None:
    """The error as it can be sent; in words, if it cannot."""
    try:
        pickle.loads(pickle.dumps(error))
        return error
    except Exception:
        return RankError(f"{type(error).__name__}: {error}")


def _wait(request, seconds: float | None = None) -> bool:
    """Whether the request was done in time; without a limit, wait until it is."""
    end = None if seconds is None else time.monotonic() + seconds
    while not request.Test():
        if end is not None and time.monotonic() > end:
            return False
        time.sleep(_NAP_S)
    return True
