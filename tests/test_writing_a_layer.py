"""docs/writing-a-layer.md says what happens: its files are made, checked and trained with."""

import re
from pathlib import Path

import pytest

from lamina.commands.frame import main
from lamina.experiment.config import load_config
from lamina.experiment.run import run

TEXT = (Path(__file__).parent.parent / "docs/writing-a-layer.md").read_text(encoding="utf-8")
AUTO, WRONG, MENDED = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
(CONFIG,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
OUTPUTS = re.findall(r"```\n((?:Auto)?RmsNorm: .*?)```", TEXT, re.DOTALL)
RIGHT = WRONG.replace("        return self.r * g\n", MENDED)


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "auto_rms.py").write_text(AUTO, encoding="utf-8")
    (tmp_path / "rms.yaml").write_text(CONFIG, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("source", "layer", "output", "status"),
    [
        (AUTO, "auto_rms.py:AutoRmsNorm", OUTPUTS[0], 0),
        (WRONG, "rms.py:RmsNorm", OUTPUTS[1], 1),
        (RIGHT, "rms.py:RmsNorm", OUTPUTS[2], 0),
    ],
    ids=["AutoLayer", "forgotten term", "right"],
)
def test_the_check_says_what_the_text_shows(here, capsys, source, layer, output, status):
    (here / layer.split(":")[0]).write_text(source, encoding="utf-8")
    assert main(["check", layer]) == status
    assert capsys.readouterr().out == output


def test_all_mutants_of_the_layer_are_caught(here, capsys):
    (here / "rms.py").write_text(RIGHT, encoding="utf-8")
    assert main(["check", "--mutants", "rms.py:RmsNorm"]) == 0
    assert "caught" in capsys.readouterr().out


def test_the_net_trains_with_both_alike(here):
    (here / "rms.py").write_text(RIGHT, encoding="utf-8")
    results = []
    for layer in ("auto_rms.py:AutoRmsNorm", "rms.py:RmsNorm"):
        config = load_config("rms.yaml")
        config.data["net"]["layers"]["rms1"]["type"] = layer
        config.data["dataset"] |= {"n_train": 2000, "n_test": 500}
        config.data["training"]["iterations"] = 400
        summary, status = run(config, "rms", here / layer.split(":")[1], quiet=True)
        assert status == 0
        results.append(float(summary.split("test ")[1].split(" %")[0]))
    assert min(results) > 80
    assert abs(results[0] - results[1]) < 1
