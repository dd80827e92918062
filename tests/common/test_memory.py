"""Arrays that come and go cost no page faults once the process keeps its memory."""

import subprocess
import sys

import pytest

CODE = """
import resource, sys
import numpy as np
from lamina.common.memory import keep_memory
if sys.argv[1] == "kept":
    keep_memory()
X = np.ones((1000, 500))  # 4 MB
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        a = X + 1.0
        b = a * 2.0
        del a, b
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(faults())
"""


def faults(mode: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", CODE, mode], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="glibc's settings exist on Linux alone"
)
def test_arrays_are_made_without_page_faults():
    assert faults("kept") < 200  # 40 arrays of 1,000 pages each
    assert faults("kept") <= faults("as it is")


def test_it_may_be_called_anywhere_and_twice():
    """In a process of its own: it is a setting of all that follows."""
    twice = "from lamina.common.memory import keep_memory; keep_memory(); keep_memory(); print(7)"
    done = subprocess.run([sys.executable, "-c", twice], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("7", "")
