"""Chunks on several threads: the same results in the same order, and BLAS as it was."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from lamina.layers import Convolution
from lamina.layers.kernels import workers as workers_module
from lamina.layers.kernels.windows import chunks
from lamina.layers.kernels.workers import in_parallel


class FakeBlas:
    """A library that is told how many threads to use, as threadpoolctl's controllers are."""

    def __init__(self, num_threads):
        self.num_threads, self.told = num_threads, []

    def set_num_threads(self, n):
        self.num_threads = n
        self.told.append(n)


@pytest.fixture
def blas(monkeypatch):
    def of(n):
        library = FakeBlas(n)
        monkeypatch.setattr(workers_module, "_blas", lambda: (library,))
        return library

    return of


def test_results_come_in_order_from_several_threads(blas):
    library = blas(3)
    barrier = threading.Barrier(3, timeout=10)  # passes only if three threads are here at once

    def work(i):
        barrier.wait()
        return i, threading.current_thread().name, library.num_threads

    results = in_parallel(work, range(3))
    assert [i for i, _, _ in results] == [0, 1, 2]
    assert len({name for _, name, _ in results}) == 3
    assert {n for _, _, n in results} == {1}
    assert library.num_threads == 3


def test_one_thread_or_one_chunk_is_a_plain_loop(blas):
    for n, tasks in ((1, range(5)), (4, [7])):
        blas(n)
        names = in_parallel(lambda _: threading.current_thread().name, tasks)
        assert set(names) == {threading.main_thread().name}


def test_an_error_comes_through_and_blas_gets_its_threads_back(blas):
    library = blas(2)

    def work(i):
        if i == 1:
            raise ValueError("chunk 1")

    with pytest.raises(ValueError, match="chunk 1"):
        in_parallel(work, range(4))
    assert library.num_threads == 2


def test_without_threadpoolctl_there_is_one_thread(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    assert workers_module._blas.__wrapped__() == ()


def test_work_inside_of_work_does_not_wait_for_a_thread_that_is_busy(blas):
    blas(2)
    results = in_parallel(lambda i: in_parallel(lambda j: (i, j), range(3)), range(3))
    assert results == [[(i, j) for j in range(3)] for i in range(3)]


def test_slices_are_of_equal_size_and_even_in_number():
    def sizes(n, step):
        return [s.stop - s.start for s in chunks(n, step)]

    assert sizes(64, 36) == [32, 32]
    assert sizes(10, 4) == [2, 3, 2, 3]
    assert sizes(3, 0) == [1, 1, 1]
    assert sizes(5, 9) == [5]
    assert sizes(0, 9) == [0]


def test_layers_give_the_same_bits_on_one_thread_and_on_two():
    code = (
        "import numpy as np; from lamina.layers import Convolution, MaxPooling; import hashlib\n"
        "from lamina.layers.kernels.pooling import PlacedWindows\n"
        "PlacedWindows.chunk_bytes = 1 << 12\n"
        "c = Convolution(3, 8, 3, padding=1, rng=0); c.chunk_bytes = 1 << 14; p = MaxPooling(2)\n"
        "X = np.random.default_rng(0).random((16, 3, 12, 12), dtype=np.float32)\n"
        "Y = p.forward(c.forward(X)); dX = c.backward(p.backward(Y))\n"
        "arrays = map(np.ascontiguousarray, (Y, dX, c.W.grad, c.b.grad))\n"
        "print(hashlib.sha256(b''.join(a.tobytes() for a in arrays)).hexdigest())"
    )
    prints = []
    for n in ("1", "2"):
        env = os.environ | {"OPENBLAS_NUM_THREADS": n, "OMP_NUM_THREADS": n}
        done = subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
        )
        prints.append(done.stdout)
    assert prints[0] == prints[1]


def test_chunks_of_any_size_give_the_same_convolution():
    whole, cut = (Convolution(2, 3, 3, padding=1, rng=0, dtype=np.float64) for _ in range(2))
    cut.chunk_bytes = 1
    X = np.random.default_rng(0).random((5, 2, 6, 6))
    np.testing.assert_allclose(whole.forward(X), cut.forward(X), rtol=1e-12)
    dout = np.random.default_rng(1).random((5, 3, 6, 6))
    np.testing.assert_allclose(whole.backward(dout), cut.backward(dout), rtol=1e-12)
    np.testing.assert_allclose(whole.W.grad, cut.W.grad, rtol=1e-12)
