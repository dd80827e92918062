"""How many threads the matrix products use.

The number is part of a run's configuration, since sums taken in another order round differently:
the same seed gives the same bits only at the same thread count. BLAS libraries read it from the
environment when NumPy is imported, so it is set before that.
"""

import contextlib
import functools
import os
import sys

# Which variables each BLAS library reads, the one that wins first.
VARIABLES = {
    "openblas": ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS"),
    "mkl": ("MKL_NUM_THREADS", "OMP_NUM_THREADS"),
    "accelerate": ("VECLIB_MAXIMUM_THREADS",),
}


def stop_waiting_early() -> None:
    """Let idle threads of OpenBLAS go to sleep after about a millisecond instead of 20: they wait
    busily, on cores that other work could use, such as the chunks of a convolution. It has an
    effect only before NumPy is imported."""
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "20")  # 2^20 processor cycles


def set_threads(n: int) -> None:
    """Let BLAS use n threads. Raises RuntimeError once NumPy is imported: it would have no effect
    then."""
    if "numpy" in sys.modules:
        raise RuntimeError("the thread count must be set before NumPy is imported")
    for names in VARIABLES.values():
        for name in names:
            os.environ[name] = str(n)


def share_threads(n: int) -> None:
    """Let BLAS use n threads, unless the environment says how many, as several ranks of one machine
    do. Only before NumPy is imported, as set_threads."""
    for names in VARIABLES.values():
        if not any(name in os.environ for name in names):
            os.environ[names[0]] = str(n)


def blas() -> str:
    """Name and version of the library that NumPy multiplies with."""
    import numpy as np  # late: see set_threads

    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{built.get('name', '')} {built.get('version', '')}".strip()


def current_threads() -> int:
    """The thread count in force: what NumPy's BLAS finds in the environment, else the cores that
    we may use."""
    for library, names in VARIABLES.items():
        if library in blas().lower():
            for name in names:
                if os.environ.get(name, "").isdigit() and int(os.environ[name]) > 0:
                    return int(os.environ[name])
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def blas_in_force() -> str:
    """Name, version and the processor's kernels that NumPy multiplies by, as far as can be found:
    other kernels round differently."""
    kernels = {getattr(library, "architecture", "") for library in _libraries()}
    return " ".join([blas(), *sorted(filter(None, kernels))])


@contextlib.contextmanager
def one_blas_thread():
    """Yields how many threads NumPy's BLAS had; it has one inside, for threads of our own."""
    libraries = _libraries()
    before = [library.num_threads for library in libraries]
    n = max(before, default=1) or 1
    if n == 1:
        yield 1
        return
    try:
        for library in libraries:
            library.set_num_threads(1)
        yield n
    finally:
        for library, threads in zip(libraries, before, strict=True):
            library.set_num_threads(threads)


@functools.cache
def _libraries() -> tuple:
    from threadpoolctl import ThreadpoolController  # late: only shards need it

    found = ThreadpoolController().select(user_api="blas").lib_controllers
    return tuple(library for library in found if "numpy" in library.filepath)
