"""How the process gets memory for its arrays."""

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


def keep_memory() -> None:
    """Let glibc keep the memory of arrays that are freed, for the next ones.

    It hands large blocks back to the system otherwise, and maps the next array anew: a page fault
    for every 4 KB, which takes longer than most element-wise operations on it. What the process
    needs at most stays the same. Elsewhere than on glibc nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 1 << 25)  # the largest that glibc takes, 32 MB
        mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1)
