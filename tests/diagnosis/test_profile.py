"""lamina profile and its --tune: what is measured, and what is said of mistakes."""

import re

import pytest

from lamina.commands.frame import main
from lamina.diagnosis.profile import measure, table
from lamina.experiment.config import load_config

CONFIG = """
dataset: {type: DrawnDigits, n_train: 100, n_test: 10, flatten: false}
net:
  type: Graph
  layers:
    conv1: {type: Convolution, c_out: 4, kernel: 3, padding: 1}
    relu1: {type: Relu}
    conv2: {type: Convolution, c_out: 4, kernel: 3, padding: 1}
    sum1: {type: Addition, inputs: [relu1, conv2]}
    pool1: {type: GlobalAveragePooling}
    affine1: {type: Affine, n_out: 10}
  loss: {type: SoftmaxWithLoss}
optimizer: {type: SGD, lr: 0.1}
training: {iterations: 5, batch_size: 4}
"""


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path / "data"))
    (tmp_path / "c.yaml").write_text(CONFIG)
    return tmp_path / "c.yaml"


def test_every_layer_is_measured(path):
    found = measure(load_config(path), steps=3)
    rows = {row["name"]: row for row in found["rows"]}
    assert list(rows) == [
        *("conv1", "relu1", "relu1_copy", "conv2", "sum1", "pool1", "affine1", "(loss)"),
    ]
    assert rows["conv1"]["flop"] == 4 * 2 * 28 * 28 * 9 * 1 * 4
    assert rows["affine1"]["flop"] == 4 * 2 * 4 * 10
    assert rows["relu1"]["flop"] == 0
    # conv1 is the lowest that learns: forward and the weights; conv2 has dX as well.
    assert (rows["conv1"]["products"], rows["conv2"]["products"]) == (2, 3)
    assert rows["conv2"]["output"] == 4 * 4 * 28 * 28 * 4
    assert rows["conv2"]["parameters"] == 4 * (4 * 4 * 9 + 4)
    assert all(row["forward"] > 0 for row in rows.values())
    layers_alone = sum(row["forward"] + row["backward"] for row in rows.values())
    assert layers_alone < 2 * found["step"]
    assert found["batch_size"] == 4


def test_the_layers_are_as_before_afterwards(path):
    config = load_config(path)
    measure(config, steps=1)
    from lamina.layers import Affine

    assert "forward" not in vars(Affine(2, 2, rng=0))


def test_the_table_has_a_line_for_each_layer_and_the_whole_step(path):
    text = table(measure(load_config(path), steps=2, batch_size=3))
    lines = text.split("\n")
    assert lines[0].split() == [
        *("layer", "type", "forward", "backward", "share", "GFLOP", "GFLOP/s", "output", "weights")
    ]
    assert sum(line.startswith(("conv", "sum", "(loss)")) for line in lines) == 4
    assert re.search(r"a step of 3 images: [\d.]+ ms .* [\d,]+ images a second", text)
    assert max(map(len, lines)) <= 110


def test_the_command_prints_it(path, capsys):
    assert main(["profile", str(path), "--steps", "2", "--batch-size", "2"]) == 0
    assert "images a second" in capsys.readouterr().out


def test_tune_tries_and_saves_the_fastest(path, tmp_path, capsys, monkeypatch):
    from lamina.experiment import tune as tune_module

    rates = {(1, 2): 10.0, (1, 4): 30.0, (1, 8): 20.0, (1, 16): 5.0}
    monkeypatch.setattr(
        tune_module, "_rate", lambda path, n, size, steps: rates[1, size] * (1 + 0.1 * n)
    )
    saved = tmp_path / "fast.yaml"
    assert main(["profile", str(path), "--tune", "--save", str(saved)]) == 0
    out = capsys.readouterr().out
    assert "fastest: " in out
    data = load_config(saved).data["training"]
    assert data["batch_size"] == 4
    assert data["threads"] >= 1
    assert main(["profile", str(path), "--tune", "--save", str(saved)]) == 2
    assert "is there already" in capsys.readouterr().err


def test_tune_measures_in_fresh_processes(path):
    from lamina.experiment.tune import _rate

    assert _rate(path, 1, 2, 1) > 0


def test_mistakes_are_one_line(path, tmp_path, capsys):
    assert main(["profile", str(tmp_path / "none.yaml")]) == 2
    assert "lamina profile: " in capsys.readouterr().err
    path.write_text(CONFIG.replace("Relu", "Rellu"))
    assert main(["profile", str(path)]) == 2
    assert "did you mean Relu" in capsys.readouterr().err
    for arguments in (["--steps", "0"], ["--save", "x.yaml"]):
        with pytest.raises(SystemExit):
            main(["profile", str(path), *arguments])
