"""Every configuration of the project builds, and those without a download train."""

import re
from pathlib import Path

import numpy as np
import pytest
from made_batches import narrowed

from lamina.diagnosis.doctor import glance
from lamina.experiment.build import build_dataset, build_net, build_optimizer, check_sections
from lamina.experiment.config import load_config
from lamina.experiment.run import run

CONFIGS = sorted((Path(__file__).parent.parent / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_configuration_builds_without_reading_data(path, tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path / "nothing here"))
    config = load_config(path)
    check_sections(config)
    config.data["net"].pop("weights", None)  # those of another run, which need not be there
    dataset = build_dataset(config)
    net = build_net(config, dataset, np.random.default_rng(0))
    build_optimizer(config, net.parameters())
    dataset.task.check_output(net.output_shape(*dataset.input_shapes), dataset.target_shape)
    assert not (tmp_path / "nothing here").exists()


def test_the_spirals_are_learned(tmp_path):
    config = load_config("configs/own_csv.yaml")
    summary, status = run(config, "own_csv", tmp_path / "run", quiet=True)
    assert status == 0
    assert float(summary.split("test ")[1].split(" %")[0]) >= 95


@pytest.mark.usefixtures("curves")
def test_the_default_run_needs_no_download_and_reaches_95_percent(tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path / "data"))
    config = load_config("configs/digits_relu.yaml")
    summary, _ = run(config, "digits_relu", tmp_path / "run", quiet=True)
    assert float(summary.split("test ")[1].split(" %")[0]) >= 95
    assert (tmp_path / "run" / "curves.png").exists()
    assert glance(tmp_path / "run") == ""  # healthy


def test_the_language_model_of_book_2_learns_small_files(tmp_path):
    """Of the files themselves nothing is known here: tests have small ones in their place."""
    config = load_config("configs/ptb_lstm.yaml")
    dataset = build_dataset(config)
    net = build_net(config, dataset, np.random.default_rng(0))
    n, h = len(dataset.task.vocabulary), 650
    shapes = {name: param.data.shape for name, param in net.parameters().items()}
    lstm = {"Wx": (h, 4 * h), "Wh": (h, 4 * h), "b": (4 * h,)}
    lstms = {f"lstm{i}.{name}": shape for i in (1, 2) for name, shape in lstm.items()}
    assert shapes == {"embedding.W": (n, h), **lstms, "scores.b": (n,)}
    narrowed(config)
    for setting in ("dataset.length=5", "training.epochs=30", "optimizer.lr=5.0"):
        config.set(setting)
    summary, status = run(config, "ptb_lstm", tmp_path / "run", quiet=True)
    assert status == 0
    assert float(re.search(r"test perplexity ([\d.]+)", summary)[1]) < 5  # 16 words; guessing: 16
