"""Chunks of a batch on several threads at once.

NumPy lets go of Python's lock while it copies and multiplies, so a pool of threads can work on the
chunks of one batch side by side. Their products then run on one BLAS thread each: two pools at a
time would wait for each other. Whatever the number of threads, the same chunks are computed, and
their results come back in order, so the sums made of them are the same to the bit.
"""

import contextlib
import functools
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np


def in_parallel(function, chunks) -> list:
    """[function(chunk) for chunk in chunks], on as many threads as BLAS may use.

    That needs threadpoolctl (pip install -e '.[fast]'), which tells BLAS to keep to one thread
    meanwhile; without it, or if BLAS has one thread, it is a plain loop.
    """
    with _one_blas_thread() as n:
        return _share_out(function, list(chunks), n)


def _share_out(function, chunks: list, n: int) -> list:
    """Results in order. Our own thread and n - 1 others each take the next chunk that is left."""
    results, left = [None] * len(chunks), iter(enumerate(chunks))

    def work():
        for i, chunk in left:
            results[i] = function(chunk)

    others = [_pool(n - 1).submit(work) for _ in range(min(n, len(chunks)) - 1)]
    try:
        work()
    finally:
        begun = [other for other in others if not other.cancel()]
        wait(begun)
    for other in begun:
        other.result()  # raises what was raised there
    return results


def join(parts):
    """What came from the chunks as one array."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


@contextlib.contextmanager
def _one_blas_thread():
    """Yields how many threads BLAS had; it has one inside."""
    libraries = _blas()
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
def _blas() -> tuple:
    try:
        from threadpoolctl import ThreadpoolController  # late: only convolutions need it
    except ImportError:
        return ()
    found = ThreadpoolController().select(user_api="blas").lib_controllers
    return tuple(library for library in found if "numpy" in library.filepath)


@functools.cache
def _pool(n: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(n, thread_name_prefix="chunks")
