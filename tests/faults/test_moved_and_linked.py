"""Run directories whose names lead elsewhere: by links, or because they were moved meanwhile."""

import os

import pytest

from lamina.common.errors import RunError
from lamina.common.files import no_link
from lamina.common.table import Table
from lamina.experiment.config import load_config
from lamina.experiment.run import resume, run

CONFIG = """
dataset: {type: Tiny}
net:
  type: Sequential
  layers: {affine: {type: Affine, n_out: 3}}
  loss: {type: SoftmaxWithLoss}
optimizer: {type: SGD, lr: 0.05}
training:
  {iterations: 30, batch_size: 10, evaluate_every: 5, threads: 1, record_every: 3,
   checkpoint: {every: 5}, callbacks: [{type: own.py:Act}]}
"""
ACT = """
import pathlib, shutil
from lamina.training.callbacks import Callback

class Act(Callback):
    def evaluated(self, trainer, row):
        if row["iteration"] == 10:
            at = trainer.run_dir
"""
TABLES = ("loss.csv", "history.csv", "timing.csv", "layers.csv", "parameters.csv", "outputs.csv")

pytestmark = [
    pytest.mark.usefixtures("tiny"),
    pytest.mark.skipif(os.name == "nt", reason="links need rights, open folders cannot be moved"),
]


@pytest.fixture
def trained(tmp_path):
    """Trains into tmp_path/run, doing `act` (Python, `at` is the run directory) at iteration 10."""

    def begin(act="pass"):
        (tmp_path / "c.yaml").write_text(CONFIG)
        (tmp_path / "own.py").write_text(f"{ACT}            {act}\n")
        return run(load_config(tmp_path / "c.yaml"), "c", tmp_path / "run", quiet=True)

    return begin


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("there", [b"export A=1", None])
def test_nothing_is_written_through_a_link(trained, tmp_path, name, there):
    trained()
    run_dir, target = tmp_path / "run", tmp_path / "profile"
    if there is not None:
        target.write_bytes(there)
    (run_dir / name).unlink()
    (run_dir / name).symlink_to("../profile")
    config = load_config(run_dir / "config.yaml")
    config.set("training.iterations=40")
    with pytest.raises((OSError, RunError), match=name):
        resume(config, run_dir, quiet=True)
    assert (target.read_bytes() if target.exists() else None) == there


def test_a_table_and_a_lock_refuse_links_and_pipes(tmp_path):
    target = tmp_path / "target"
    target.write_text("iteration,loss\n1,5\n2,5\n")
    (tmp_path / "link.csv").symlink_to(target)
    with pytest.raises(OSError, match=r"link\.csv: is a link"):
        Table(tmp_path / "link.csv", ("iteration", "loss"), 1)
    assert target.read_text().endswith("2,5\n")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="pipe"):
        no_link(tmp_path / "pipe", os.O_RDWR)


@pytest.mark.parametrize("there", ["export A=1", "iteration,loss,more", "iteration;"])
def test_a_first_line_without_an_end_is_not_written_over(tmp_path, there):
    path = tmp_path / "t.csv"
    path.write_text(there)
    with pytest.raises(RunError, match="expects the header iteration,loss, got"):
        Table(path, ("iteration", "loss"))
    assert path.read_text() == there


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_is_removed_meanwhile_is_named(trained, tmp_path, name):
    with pytest.raises(OSError, match=rf"{name}: was removed, or moved"):
        trained(f"(at / {name!r}).unlink()")
    assert not (tmp_path / "run" / name).exists()


MOVED = "shutil.copytree(at, at.with_name('copy')); at.rename(at.with_name('old')); "
MOVED += "at.with_name('copy').rename(at)"


def content(folder):
    """All files of a run but its seconds and paths, which are its own."""
    paths = (path for path in folder.iterdir() if path.name not in ("timing.csv", "config.yaml"))
    return {path.name: path.read_bytes() for path in paths if path.suffix != ".json"}


def test_a_run_goes_on_in_its_directory_whatever_its_name_becomes(trained, tmp_path):
    """mv runs/m elsewhere, and another run under the old name: neither touches the other."""
    trained()
    (tmp_path / "run").rename(tmp_path / "whole")
    summary, status = trained(f"{MOVED}; trainer.there = [str(p) for p in at.iterdir()]")
    assert status == 0
    assert summary.endswith(f"run in {tmp_path / 'old'}") or not os.path.exists("/proc/self/fd")
    whole, old = content(tmp_path / "whole"), content(tmp_path / "old")
    for name in whole.keys() | old.keys():
        if not name.startswith("checkpoint"):  # which hold where own.py lies and what it is
            assert old[name] == whole[name], name
    assert whole.keys() == old.keys()
    for name in ("weights.npz", "checkpoint-00000015.npz", "curves.png"):
        assert not (tmp_path / "run" / name).exists()
    assert (tmp_path / "run" / "loss.csv").read_text().count("\n") == 11


def test_a_new_run_of_that_name_while_the_first_goes_on(trained, tmp_path):
    trained()
    (tmp_path / "run").rename(tmp_path / "whole")
    act = "at.rename(at.with_name('old')); (at.parent / 'own.py').write_text(PASS); "
    act += "from lamina.experiment import run, config; c = config.load_config(at.parent / 'c.yaml')"
    act += "; c.set('training.seed=5'); run.run(c, 'c', at, quiet=True)"
    (tmp_path / "own.py").write_text("")
    act = f"PASS = {f'{ACT}            pass'!r}; {act}"
    trained(act)
    run, old, whole = (content(tmp_path / name) for name in ("run", "old", "whole"))
    for name in ("loss.csv", "history.csv", "layers.csv", "parameters.csv", "weights.npz"):
        assert old[name] == whole[name], name
        assert run[name] != whole[name], name
    assert run.keys() == old.keys() == whole.keys()


def test_a_directory_that_is_removed_meanwhile_ends_the_run_in_words(trained):
    with pytest.raises(OSError, match=r"run/.*(was removed|no folder|No such file)"):
        trained("shutil.rmtree(at)")


def test_a_run_that_fails_after_it_was_moved_says_so_in_its_own_directory(trained, tmp_path):
    trained()
    (tmp_path / "run").rename(tmp_path / "whole")
    act = f"{MOVED}; trainer.net.layers['affine'].W.data[:] = float('nan')"
    with pytest.raises(FloatingPointError):
        trained(act)
    assert (tmp_path / "old" / "culprit.json").exists()
    assert not (tmp_path / "run" / "culprit.json").exists()


def test_where_folders_cannot_be_held_the_first_run_stops(trained, tmp_path, monkeypatch):
    """As on a system that opens no file relative to a folder."""
    monkeypatch.setattr("lamina.common.folder.HOLDS", False)
    with pytest.raises(OSError, match=r"is another file than this run's; was the run directory"):
        trained(MOVED)
    new, old = tmp_path / "run", tmp_path / "old"
    assert not (new / "weights.npz").exists()
    assert not list(new.glob("checkpoint-*1[0-9].npz")), "a checkpoint of the other run"
    (tmp_path / "own.py").write_text(f"{ACT}            pass\n")
    resume(load_config(old / "config.yaml"), old, quiet=True)
    assert (old / "weights.npz").exists()
