"""A run is worth more than its progress bar."""

import errno
import io
import os
import sys

import pytest

from lamina.experiment.build_trainer import build_trainer

TEXT = """
dataset: {type: Tiny}
net: {type: Sequential, layers: {a: {type: Affine, n_out: 3}}, loss: {type: SoftmaxWithLoss}}
optimizer: {type: SGD, lr: 0.05}
training: {iterations: 200, batch_size: 10, evaluate_every: 50, threads: 1}
"""


class Broken(io.StringIO):
    """Lets the n-th write and all after it fail."""

    def __init__(self, error, n):
        super().__init__()
        self.error, self.left = error, n

    def write(self, text):
        self.left -= 1
        if self.left < 0:
            raise self.error
        return super().write(text)


@pytest.mark.parametrize("n", [0, 1, 3])
@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)),
        ValueError("I/O operation on closed file"),
    ],
)
def test_a_bar_that_cannot_be_shown_does_not_end_the_run(
    tiny, config_of, tmp_path, monkeypatch, error, n
):
    trainer = build_trainer(config_of(TEXT), run_dir=tmp_path / "run")
    broken = Broken(error, n)
    monkeypatch.setattr(sys, "stderr", broken)
    monkeypatch.setattr("tqdm.tqdm.monitor_interval", 0)
    trainer.run()
    assert broken.left < 0, "nothing was tried"
    assert trainer.iteration == 200
    assert (tmp_path / "run" / "weights.npz").exists()
    assert (tmp_path / "run" / "checkpoint-00000200.npz").exists()


def test_without_stderr_there_is_no_bar(tiny, config_of, tmp_path, monkeypatch):
    trainer = build_trainer(config_of(TEXT), run_dir=tmp_path / "run")
    monkeypatch.setattr(sys, "stderr", None)
    trainer.run()
    assert (tmp_path / "run" / "weights.npz").exists()


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        *((0.06123, "0.0612"), (0.0, "0.0000"), (6.2e-12, "6.2e-12"), (5.068e12, "5.068e+12")),
        *((123.456, "123.4560"), (float("nan"), "nan")),
    ],
)
def test_a_loss_is_shown_in_digits_that_say_something(tiny, config_of, loss, said):
    trainer = build_trainer(config_of(TEXT))
    row = dict.fromkeys(trainer.evaluator.columns, 0.5) | {"loss": loss}
    assert trainer.figures(row).startswith(f"loss {said}, ")
