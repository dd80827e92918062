"""Every call that writes fails once, in turn: the error is clear, and nothing is lost."""

import builtins
import errno
import os

import pytest

from lamina.common import files
from lamina.common import table as table_file
from lamina.common.table import read_table
from lamina.experiment.config import load_config
from lamina.experiment.run import resume, run
from lamina.training.checkpoint import load_checkpoint, saved_checkpoints

CONFIG = """
dataset: {type: DrawnDigits, n_train: 60, n_test: 30, n_validation: 20}
net:
  type: Sequential
  layers: {drop: {type: Dropout, p: 0.2}, affine: {type: Affine, n_out: 10}}
  loss: {type: SoftmaxWithLoss}
optimizer: {type: Momentum, lr: 0.05, schedule: {type: exp, gamma: 0.9}}
training:
  {iterations: 11, batch_size: 10, evaluate_every: 4, threads: 1, keep_best: true,
   record_every: 3, checkpoint: {every: 3, keep: 2, keep_best: true}}
"""
SAME = ("loss.csv", "history.csv", "layers.csv", "parameters.csv", "outputs.csv", "weights.npz")


class Faults:
    """Lets the n-th call that writes fail, half-way where it can."""

    def __init__(self, monkeypatch):
        self.n, self.calls = None, 0
        for module, name in (
            *((os, n) for n in ("fsync", "replace", "truncate", "mkdir", "unlink")),
            (files, "open"),
            (table_file, "open"),
        ):
            function = getattr(module, name, builtins.open)
            monkeypatch.setattr(module, name, self.failing(function), raising=False)

    def failing(self, function):
        def called(*arguments, **options):
            reads = function is builtins.open and arguments[1:2] in ((), ("r",), ("rb",))
            if not reads:
                self.count()
            result = function(*arguments, **options)
            if hasattr(result, "write") and not reads:
                self.break_writes(result)
            return result

        return called

    def break_writes(self, file):
        write = file.write

        def broken(content):
            try:
                self.count()
            except OSError:
                write(content[: len(content) // 2])
                raise
            return write(content)

        # A raw file takes no new attribute; what wraps it does.
        if hasattr(file, "__dict__"):
            file.write = broken

    def count(self):
        self.calls += 1
        if self.calls == self.n:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("every", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_whatever_write_fails_the_run_can_be_taken_up(tmp_path, monkeypatch, every):
    """Each of them, or one in nine, the last ones too."""
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("lamina.experiment.run.glance", lambda run_dir: "")
    (tmp_path / "c.yaml").write_text(CONFIG)

    def begin(name):
        return run(load_config(tmp_path / "c.yaml"), name, tmp_path / name, quiet=True)

    begin("whole")  # which also draws the digits, once and for all
    faults = Faults(monkeypatch)
    begin("counted")
    points = faults.calls
    assert points > 40
    failed, tried = 0, range(points, 0, -every)
    for n in tried:
        faults.n, faults.calls = n, 0
        run_dir = tmp_path / str(n)
        said = None
        try:
            begin(str(n))
        except OSError as error:
            said = str(error)
        faults.n = None
        if said is not None:
            failed += 1
            assert str(run_dir) in said, n
            assert said.endswith("cannot be written: No space left on device"), n
        for path in saved_checkpoints(run_dir).values() if run_dir.is_dir() else ():
            load_checkpoint(path)
        if (run_dir / "config.yaml").exists():
            resume(load_config(run_dir / "config.yaml"), run_dir, quiet=True)
        else:
            begin(str(n))
        for name in SAME:
            assert (run_dir / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), n
        assert not list(run_dir.glob(".*")), n
    assert failed > len(tried) - 5  # hardly any of them does not matter


@pytest.mark.parametrize("n", [1, 2])
def test_a_table_takes_a_write_back_that_fails(tmp_path, monkeypatch, n):
    """When it is opened, or half-way through its rows."""
    table = table_file.Table(tmp_path / "t.csv", ("iteration", "loss"))
    table.write((1, 0.5))
    table.flush()
    table.write((2, 0.25))
    faults = Faults(monkeypatch)
    faults.n = n
    with pytest.raises(OSError, match=r"t\.csv cannot be written: No space left on device"):
        table.flush()
    assert read_table(tmp_path / "t.csv")["iteration"].tolist() == [1]
    table.flush()
    assert read_table(tmp_path / "t.csv")["loss"].tolist() == [0.5, 0.25]
