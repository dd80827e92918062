"""How many threads the matrix products use.

The number is part of a run's configuration, since sums taken in another order round differently:
the same seed gives the same bits only at the same thread count. BLAS libraries read it from the
environment when NumPy is imported, so it is set before that.
"""

import os

VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def set_threads(n: int) -> None:
    """Let BLAS use n threads; call it before NumPy is imported."""
    for name in VARIABLES:
        os.environ[name] = str(n)


def current_threads() -> int:
    """The thread count in force: what the environment says, else the cores that we may use."""
    for name in VARIABLES:
        if os.environ.get(name, "").isdigit():
            return int(os.environ[name])
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
