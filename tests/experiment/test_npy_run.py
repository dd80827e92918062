"""Runs on files that are not read into memory: how much they take, killed, resumed, changed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from lamina.common.errors import RunError
from lamina.datasets import DataError
from lamina.datasets.rows import pieces
from lamina.experiment.config import load_config
from lamina.experiment.provenance import differences
from lamina.experiment.run import resume, run
from lamina.experiment.run_config import load_run_config

ROOT = Path(__file__).resolve().parents[2]
ROWS = 1 << 15
LINUX = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
PEAK = """
import sys
from lamina.commands.frame import main
status = main(sys.argv[1:])
print([line for line in open("/proc/self/status") if line.startswith("VmHWM")][0].split()[1])
sys.exit(status)
"""


def write(folder, megabytes: int) -> None:
    """Samples, most of which are black and take no room on the disk, in two files."""
    width = (megabytes << 20) // ROWS
    for name in ("x0", "x1"):
        with open(folder / f"{name}.npy", "wb") as file:
            shape = {"descr": "|u1", "fortran_order": False, "shape": (ROWS // 2, width)}
            np.lib.format.write_array_header_1_0(file, shape)
            begin = file.tell()
            rng = np.random.default_rng([*name.encode()])
            for row in range(0, ROWS // 2, 500):
                file.seek(begin + row * width)
                file.write(rng.integers(0, 256, width, dtype=np.uint8))
            file.truncate(begin + width * ROWS // 2)
    np.save(folder / "t.npy", np.arange(ROWS, dtype=np.uint8) % 10)


KILLER = """
import os, signal
from lamina.training.callbacks import Callback

class Killer(Callback):
    def stepped(self, trainer, loss):
        if trainer.iteration == 33:
            os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def config(tmp_path):
    def made(**more):
        path = tmp_path / "c.yaml"
        path.write_text(
            textwrap.dedent(
                """
                dataset: {type: NPY, inputs: [x0.npy, x1.npy], targets: t.npy, test_share: 0.05}
                net:
                  type: Sequential
                  layers:
                    affine: {type: Affine, n_out: 10}
                  loss: {type: SoftmaxWithLoss}
                optimizer: {type: SGD, lr: 0.01}
                """
            )
            + json.dumps({"training": {"iterations": 60, "evaluate_every": 60} | more})[1:-1]
        )
        return path

    return made


def peak(config, run_dir) -> float:
    """MiB of a process that trains."""
    command = [sys.executable, "-c", PEAK, "train", "--config", str(config), "--quiet"]
    done = subprocess.run(
        [*command, "--run-dir", str(run_dir)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1]) / 1024


@LINUX
@pytest.mark.parametrize("more", [{}, {"shuffle_block": 8}], ids=["uniform", "blocks"])
def test_memory_does_not_grow_with_the_file(tmp_path, config, more):
    peaks = []
    for megabytes in (2, 256):
        write(tmp_path, megabytes)
        peaks.append(peak(config(**more), tmp_path / f"run{megabytes}"))
    # Batches of an evaluation and a pool are larger, since the rows are.
    assert peaks[1] < peaks[0] + 150, peaks


@LINUX
@pytest.mark.parametrize("more", [{}, {"shuffle_block": 8}], ids=["uniform", "blocks"])
def test_killed_and_resumed_to_the_bit(tmp_path, config, more):
    write(tmp_path, 80)
    (tmp_path / "killer.py").write_text(KILLER)
    run(load_config(config(**more, checkpoint={"every": 20})), "c", tmp_path / "whole", quiet=True)
    more |= {"checkpoint": {"every": 20}, "callbacks": [{"type": "killer.py:Killer"}]}
    command = [sys.executable, str(ROOT / "train.py"), "--quiet", "--config", str(config(**more))]
    killed = subprocess.run([*command, "--run-dir", str(tmp_path / "killed")], cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    resumed = load_run_config(tmp_path / "killed", [tmp_path / "killer.py"])
    resumed.set("training.callbacks=[]")
    resume(resumed, tmp_path / "killed", quiet=True)
    for file in ("weights.npz", "loss.csv", "history.csv"):
        paths = [tmp_path / name / file for name in ("whole", "killed")]
        assert paths[0].read_bytes() == paths[1].read_bytes(), file


def test_files_may_move_but_not_change(tmp_path, config):
    write(tmp_path, 2)
    path = config(iterations=20)
    run(load_config(path), "c", tmp_path / "r", quiet=True)
    kept = load_run_config(tmp_path / "r").data["dataset"]
    assert kept["inputs"] == [str(tmp_path / "x0.npy"), str(tmp_path / "x1.npy")]
    (tmp_path / "there").mkdir()
    for name in ("x0.npy", "x1.npy", "t.npy"):
        shutil.move(tmp_path / name, tmp_path / "there" / name)
    text = path.read_text().replace("x0.npy, x1.npy", "there/x0.npy, there/x1.npy")
    path.write_text(text.replace("t.npy", "there/t.npy").replace('"iterations": 20', '"epochs": 1'))
    longer = load_config(path)
    longer.set("training={iterations: 30, evaluate_every: 60}")
    resume(longer, tmp_path / "r", quiet=True)
    with open(tmp_path / "there" / "x1.npy", "r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"!")
    longer.set("training.iterations=40")
    with pytest.raises(RunError, match="other inputs"):
        resume(longer, tmp_path / "r", quiet=True)


def test_a_file_that_changes_while_a_run_goes_on_ends_it_in_words(tmp_path, config, monkeypatch):
    monkeypatch.setattr("lamina.datasets.npy_files.IN_MEMORY", 0)
    write(tmp_path, 2)
    (tmp_path / "vandal.py").write_text(
        textwrap.dedent(
            f"""
            import os
            from lamina.training.callbacks import Callback

            class Vandal(Callback):
                def stepped(self, trainer, loss):
                    if trainer.iteration == 5:
                        os.truncate({str(tmp_path / "x1.npy")!r}, 5000)
            """
        )
    )
    path = config(callbacks=[{"type": "vandal.py:Vandal"}])
    with pytest.raises(DataError, match=r"x1\.npy: has been written to since it was opened"):
        run(load_config(path), "c", tmp_path / "r", quiet=True)
    assert len((tmp_path / "r" / "loss.csv").read_text().splitlines()) == 6


@pytest.mark.parametrize("value", ["[x0.npy, 3]", "[x0.npy, {}]", "[x0.npy, nowhere.npy]", "3"])
def test_lists_that_are_no_files_are_errors_of_their_line(tmp_path, config, value):
    write(tmp_path, 2)
    loaded = load_config(config())
    loaded.set(f"dataset.inputs={value}")
    with pytest.raises(ValueError, match=r"dataset\.inputs|nowhere\.npy"):
        run(loaded, "c", tmp_path / "r", quiet=True)
    assert not (tmp_path / "r").exists()


def test_an_index_beyond_the_words_is_found_in_whichever_piece_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(pieces, "__defaults__", (64,))
    words = np.ones((300, 5), int)
    words[250, 3] = 9
    np.save(tmp_path / "x.npy", words)
    np.save(tmp_path / "t.npy", np.arange(300) % 2)
    path = tmp_path / "c.yaml"
    path.write_text(
        textwrap.dedent(
            """
            dataset: {type: NPY, inputs: x.npy, targets: t.npy, indices: true, test_inputs: x.npy,
              test_targets: t.npy}
            net:
              type: Sequential
              layers:
                words: {type: Embedding, n_words: 9, n_dims: 2}
                flat: {type: Flatten}
                affine: {type: Affine, n_out: 2}
              loss: {type: SoftmaxWithLoss}
            optimizer: {type: SGD, lr: 0.01}
            training: {iterations: 2}
            """
        )
    )
    with pytest.raises(ValueError, match="the train inputs: row 250 holds 9, and the Embedding"):
        run(load_config(path), "c", tmp_path / "r", quiet=True)


@pytest.mark.parametrize("key", ["path", "test", "validation", "vocabulary", "inputs"])
def test_where_files_lie_is_no_difference(key):
    before, now = ({"dataset": {"type": "X", key: f"{place}/a"}} for place in ("here", "there"))
    assert differences(before, now) == []
    assert differences(before, now | {"training": {"shuffle_block": 64}}) != []


@pytest.mark.parametrize("width", [1, 2])
def test_numbers_to_learn_from_files(tmp_path, config_of, width):
    """Their facts too: those of all targets, which are read in pieces."""
    rng = np.random.default_rng(0)
    t = rng.standard_normal((200, width)).astype(np.float32) + 3
    np.save(tmp_path / "x.npy", rng.standard_normal((200, 4)).astype(np.float32))
    np.save(tmp_path / "t.npy", t)
    config = config_of(f"""
    dataset: {{type: NPY, inputs: {tmp_path}/x.npy, targets: {tmp_path}/t.npy, test_share: 0.25}}
    net: {{type: Sequential, layers: {{a: {{type: Affine, n_out: {width}}}}},
          loss: {{type: SquaredErrorLoss}}}}
    optimizer: {{type: SGD, lr: 0.01}}
    training: {{iterations: 3, batch_size: 10}}
    """)
    run(config, "numbers", tmp_path / "run", quiet=True)
    facts = json.loads((tmp_path / "run" / "facts.json").read_text())["targets"]
    assert facts["width"] == width
    assert facts["mean"] == pytest.approx(3, abs=0.3)
    assert facts["std"] == pytest.approx(1, abs=0.3)
