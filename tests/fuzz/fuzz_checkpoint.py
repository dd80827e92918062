"""Checkpoints whose file is whole and whose content is wrong: a trainer that works, or one error.

Reading the file is the matter of fuzz_npz.py; here the arrays are as they come from there.
"""

import atexit
import contextlib
import io
import tempfile
from functools import partial
from pathlib import Path

import guard

with guard.instrumented("training", "datasets", "layers", "optimizers", "nets"):
    import numpy as np

    from lamina.experiment.build_trainer import build_run
    from lamina.experiment.config import load_config
    from lamina.experiment.resume import provenance, put_back
    from lamina.training.checkpoint import CheckpointError

CONFIG = """
dataset: {type: CSV, path: d.csv, validation_share: 0.2}
net:
  type: Sequential
  layers:
    affine1: {type: Affine, n_out: 3}
    norm: {type: BatchNormalization}
    drop: {type: Dropout, p: 0.2}
    affine2: {type: Affine, n_out: 2}
  loss: {type: SoftmaxWithLoss}
optimizer: {type: Momentum, lr: 0.05}
training: {iterations: 50, batch_size: 4, keep_best: true, threads: 1}
"""
DTYPES = ("f4", "f8", "i8", "u1", "?", "c8", "U3", "S2", "f2", ">i4")

_folder = tempfile.TemporaryDirectory()
atexit.register(_folder.cleanup)
(Path(_folder.name) / "c.yaml").write_text(CONFIG)
rows = [f"{i},{i * i % 7},{'ab'[i % 2]}\n" for i in range(20)]
(Path(_folder.name) / "d.csv").write_text("x,y,label\n" + "".join(rows))
TRAINER, C = build_run(load_config(Path(_folder.name) / "c.yaml"), quiet=True)
for _ in range(3):
    TRAINER.history.add_loss(TRAINER.iteration + 1, TRAINER.step())
TRAINER.best.note({"validation_accuracy": 0.5, "iteration": 2}, TRAINER.net)
GOOD = {**TRAINER.state(), "provenance": provenance(TRAINER, C)}
NAMES = sorted((part, name) for part, state in GOOD.items() for name in state)


def restore(parts: dict, path: Path) -> None:
    with contextlib.redirect_stderr(io.StringIO()):
        put_back(parts, path, TRAINER, C)
    with np.errstate(all="ignore"), contextlib.suppress(FloatingPointError):
        TRAINER.step()


def seeds() -> list[bytes]:
    """Which array to replace, its dtype, its number of axes, the first of them, its bytes."""
    found = [b"\xff", b"\xfe\0\0\0"]
    for i, (part, name) in enumerate(NAMES):
        array = np.asarray(GOOD[part][name])
        text = array.dtype.kind == "U"
        content = str(array).encode() if text else array.tobytes()
        code = 250 if text else DTYPES.index(array.dtype.str[1:].replace("b1", "?"))
        first = array.shape[0] if array.ndim else 0
        found.append(bytes([i, code, array.ndim, first % 256]) + content)
    return found


def one_input(data: bytes) -> None:
    if len(data) < 4 or data[0] >= 250:  # an array, or a whole part, is missing
        parts = {part: dict(state) for part, state in GOOD.items()}
        part, name = NAMES[sum(data) % len(NAMES)]
        del parts[part][name]
        if len(data) % 2 or not parts[part]:
            del parts[part]
    else:
        part, name = NAMES[data[0] % len(NAMES)]
        parts = {**GOOD, part: {**GOOD[part], name: _array(data[1], data[2], data[3], data[4:])}}
    path = Path("runs") / "checkpoint.npz"
    guard.check(partial(restore, parts), path, (CheckpointError,), 0, measured=False)


def _array(code: int, axes: int, first: int, content: bytes) -> np.ndarray:
    if code >= 200:
        return np.array(content.decode("latin-1" if code % 2 else "utf-8", "replace"))
    dtype = np.dtype(DTYPES[code % len(DTYPES)])
    if dtype.kind == "U":  # read_npz lets only characters through that exist
        return np.array([content.decode("utf-8", "replace")[:3]] * max(first, 1))
    array = np.frombuffer(content[: len(content) // dtype.itemsize * dtype.itemsize], dtype)
    if axes % 4 == 0 and array.size:
        return array[:1].reshape(())
    if axes % 4 == 2 and first and array.size % first == 0:
        return array.reshape(first, -1)
    return array


if __name__ == "__main__":
    guard.fuzz(one_input, seeds())
