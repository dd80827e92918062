"""docs/commands.md: every command runs as it stands there, in a folder with what it names.

Runs are short; each command is a process of its own, as it is for a reader.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
LINES = "".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)).splitlines()
SHORT = ["--set", "training.iterations=30", "--set", "training.evaluate_every=15"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def lamina(folder: Path, words: list[str]) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "lamina", *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the files and runs that the page names."""
    folder = tmp_path_factory.mktemp("commands")
    (mish,) = (block for block in PYTHON if "class Mish" in block)
    (folder / "my_layers.py").write_text(mish, encoding="utf-8")
    (folder / "configs").symlink_to(ROOT / "configs")
    (folder / "mnist_relu.yaml").write_bytes((ROOT / "configs/mnist_relu.yaml").read_bytes())
    sweep = "base: digits_relu\nset: {training.iterations: 30, dataset.n_train: 300}\n"
    (folder / "rates.yaml").write_text(sweep + "grid: {optimizer.lr: [0.1, 0.01]}\n")
    (folder / "new.csv").write_bytes((ROOT / "configs/spirals.csv").read_bytes())
    plt.imsave(folder / "digit.png", np.pad(np.ones((20, 3)), ((4, 4), (12, 13))), cmap="gray")
    few = ["--set", "dataset.n_train=300", "--set", "dataset.n_test=100"]
    for name, config, more in (
        ("a", "digits_relu", few),
        ("b", "digits_relu", [*few, "--seed", "1"]),
        ("theirs", "digits_relu", [*few, "--set", "net.layers.relu1.type=my_layers.py:Mish"]),
        ("mine", "own_csv", []),
        ("text", "text_rnn", []),
        ("words", "words_skipgram", []),
        ("dates", "dates_attention", few),
    ):
        command = ["train", "--config", config, "--run-dir", f"runs/{name}", *SHORT, *more]
        done = lamina(folder, command)
        assert done.returncode == 0, done.stderr
    assert lamina(folder, ["export", "runs/a", "-o", "model.onnx"]).returncode == 0
    return folder


@pytest.mark.slow
@pytest.mark.needs_mnist
@pytest.mark.needs_onnxruntime
def test_the_commands_run_one_after_the_other(folder):
    for line in LINES:
        if line.startswith("mpiexec"):  # tests/training/parallel/ has its own
            continue
        words = shlex.split(line)[1:]
        if words[0] == "train" and not {"--help", "--resume"} & set(words):
            words += ["--set", "training.iterations=30", "--set", "training.checkpoint.every=10"]
        words = [w.replace("iterations=20000", "iterations=40") for w in words]
        if "--tune" in words:  # LeNet takes minutes
            words[words.index("mnist_lenet")] = "digits_relu"
            words += ["--steps", "3"]
        done = lamina(folder, words)
        # What the doctor gives says what it has found, and 30 iterations are too few.
        assert done.returncode in ((0, 1) if words[0] == "doctor" else (0,)), (line, done.stderr)
    made = "compare.png lr.png net.svg graph.html net.onnx net.npz fast.yaml dates.png affine.py"
    made += " answers.csv page.html"
    assert [name for name in made.split() if not (folder / name).is_file()] == []


@pytest.mark.slow
def test_the_five_minutes_of_the_readme_as_they_stand(tmp_path):
    (mish,) = (block for block in PYTHON if "class Mish" in block)
    (tmp_path / "my_layers.py").write_text(mish, encoding="utf-8")
    blocks = "".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL)).splitlines()
    lines = [line for line in blocks if line.startswith("lamina ")]
    assert len(lines) >= 5
    for line in lines:
        done = lamina(tmp_path, shlex.split(line)[1:])
        assert done.returncode == 0, (line, done.stdout, done.stderr)
    assert (tmp_path / "runs/first/report.html").is_file()
