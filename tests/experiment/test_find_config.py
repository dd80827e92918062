"""Configurations by name, from any directory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lamina.commands.frame import main
from lamina.experiment.config import ConfigError, load_config
from lamina.experiment.find_config import find_config

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.mark.parametrize("name", ["own_csv", "own_csv.yaml", "configs/own_csv.yaml"])
def test_a_configuration_of_the_project_is_found_from_anywhere(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = find_config(name)
    assert found.samefile(CONFIGS / "own_csv.yaml")
    assert load_config(found).folder == CONFIGS


def test_the_nearest_file_is_meant(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "own_csv.yaml").write_text("a: 1")
    assert find_config("own_csv") == Path("configs/own_csv.yaml")
    (tmp_path / "own_csv.yaml").write_text("a: 2")
    assert find_config("own_csv") == Path("own_csv.yaml")
    (tmp_path / "own_csv").write_text("a: 3")
    assert find_config("own_csv") == Path("own_csv")
    assert find_config(tmp_path / "own_csv.yaml") == tmp_path / "own_csv.yaml"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "mnist_rely",
            r"no such file or configuration; did you mean mnist_relu\? known: .*own_csv",
        ),
        (
            "nothing_near",
            "no such file or configuration; known: addition_attention, addition_seq2seq, .*mine",
        ),
        ("elsewhere/own_csv", "elsewhere/own_csv: no such file or configuration"),
        ("../own_csv", "no such file or configuration"),
        ("folder", "folder: expects a YAML file"),
    ],
)
def test_an_unknown_name_lists_those_that_are_known(name, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "mine.yaml").write_text("a: 1")
    with pytest.raises(ConfigError, match=words):
        find_config(name)


def test_training_by_name_from_another_directory(tmp_path):
    """The data beside the configuration are found, too."""
    settings = ["--set", "training.iterations=3", "--quiet", "--run-dir", "run"]
    root = str(CONFIGS.parent)
    done = subprocess.run(
        [sys.executable, "-m", "lamina", "train", "--config", "own_csv", *settings],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert str(CONFIGS / "spirals.csv") in (tmp_path / "run" / "config.yaml").read_text()


def test_the_default_and_the_other_commands_work_from_there(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    settings = ["--set", "training.iterations=2", "--set", "dataset.n_train=200"]
    settings += ["--set", "dataset.n_test=100", "--quiet"]
    assert main(["train", *settings]) == 0
    assert [run.name.rpartition("-")[0][:11] for run in Path("runs").iterdir()] == ["digits_relu"]
    assert main(["draw", "own_csv.yaml", "-o", "net.svg"]) == 0
    assert main(["profile", "own_csv", "--steps", "1"]) == 0
    assert main(["profile", "own_cvs"]) == 2
    assert "did you mean own_csv?" in capsys.readouterr().err
