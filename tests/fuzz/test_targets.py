"""The fuzz targets on their seeds, flipped and cut, without atheris: so that they do not rot."""

import importlib.util
import random
import sys
import tracemalloc
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


@pytest.fixture
def target(request, monkeypatch):
    """A script of this folder as a module."""
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location(request.param, FOLDER / f"{request.param}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop("guard")


@pytest.mark.parametrize(
    "target",
    [
        *("fuzz_idx", "fuzz_npy", "fuzz_npz", "fuzz_text", "fuzz_yaml", "fuzz_checkpoint"),
        *("fuzz_net_file", "fuzz_safetensors", "fuzz_caffe", "fuzz_datum"),
        pytest.param("fuzz_onnx", marks=pytest.mark.needs_onnxruntime),
    ],
    indirect=True,
)
def test_the_seeds_changed_at_random(target):
    rng = random.Random(0)
    for seed in target.seeds():
        target.one_input(seed)
        seed = seed[:4096]
        for _ in range(4):
            target.one_input(seed[: rng.randrange(len(seed) + 1)])
            changed = bytearray(seed)
            for _ in range(rng.choice((1, 1, 4))):
                changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
            target.one_input(bytes(changed))


@pytest.mark.parametrize("target", ["fuzz_idx"], indirect=True)
def test_the_guard_notices(target):
    check, path = target.guard.check, target.guard.file("x", b"")

    def fail(path):
        raise ValueError(f"{path}: no")

    assert check(fail, path, (ValueError,), 1 << 20) is None
    for wrong in (
        lambda path: [][0],
        lambda path: int("x"),  # a ValueError too, but it names no file
        lambda path: bytes(10 << 20),
    ):
        with pytest.raises((AssertionError, IndexError)):
            check(wrong, path, (ValueError,), 1 << 20)
        tracemalloc.stop()
