"""docs/extending.md: every example of a part of one's own works as it stands there."""

import json
import re
from pathlib import Path

import pytest
import yaml

from lamina.commands.frame import main
from lamina.common.table import read_table
from lamina.experiment.config import load_config
from lamina.experiment.run import resume, run

TEXT = (Path(__file__).parent.parent / "docs/extending.md").read_text(encoding="utf-8")
FILES = {
    source.splitlines()[0].removeprefix("# "): source
    for source in re.findall(r"```(?:python|yaml)\n(.*?)```", TEXT, re.DOTALL)
}
CODE = [f"--code={name}" for name in FILES if name.endswith(".py")]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with the files of the page, as a reader would save them."""
    for name, source in FILES.items():
        (tmp_path / name).write_text(source, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_page_has_a_part_of_every_kind():
    assert len(FILES) == 13
    config = yaml.safe_load(FILES["extended.yaml"])
    named = re.findall(r"(\w+\.py):", FILES["extended.yaml"])
    assert {*named, "small_net.py", "slower.py", "extended.yaml"} == FILES.keys()
    assert config.keys() == {"dataset", "net", "optimizer", "training"}


def test_they_train_together(here, capsys):
    summary, status = run(load_config("extended.yaml"), "x", here / "run", quiet=True)
    assert status == 0
    history = read_table(here / "run" / "history.csv")
    assert history["validation_balanced"][-1] >= 0.97
    assert history["iteration"][-1] < 2000  # the callback has ended it
    assert "validation_balanced 0.9" in capsys.readouterr().out
    assert "train balanced" in summary
    assert history["train_top1"][-1] == history["train_accuracy"][-1]
    assert len(set(history["lr"])) > 1
    rows = [json.loads(line) for line in (here / "lines.jsonl").read_text().splitlines()]
    assert [row["iteration"] for row in rows] == history["iteration"].tolist()
    assert {row["run"] for row in rows} == {"run"}
    values = [float(f"{row['validation_balanced']:.9g}") for row in rows]
    assert values == history["validation_balanced"].tolist()


def test_the_tracker_repeats_no_row(here):
    config = load_config("extended.yaml")
    config.set("training.callbacks=[lines.py:Lines]")
    for iterations, begun in ((125, run), (200, resume)):
        config.set(f"training.iterations={iterations}")
        begun(config, *(("x",) if begun is run else ()), here / "run", quiet=True)
    rows = [json.loads(line) for line in (here / "lines.jsonl").read_text().splitlines()]
    assert [row["iteration"] for row in rows] == [50, 100, 125, 150, 200]


def test_the_run_is_evaluated_only_with_its_code_allowed(here, capsys):
    config = load_config("extended.yaml")
    config.set("training.iterations=50")
    run(config, "x", here / "run", quiet=True)
    capsys.readouterr()
    assert main(["evaluate", "run"]) == 2
    assert "runs no code by itself" in capsys.readouterr().err
    assert main(["evaluate", "run", *CODE]) == 0
    assert "balanced" in capsys.readouterr().out


SLOWER = "{type: slower.py:Slower, lowest: 0.05, warm_up: 20}"


@pytest.mark.parametrize("schedule", ["{type: sawtooth.py:sawtooth, period: 200}", SLOWER])
def test_half_and_half_is_the_whole(here, schedule):
    def configured(iterations):
        config = load_config("extended.yaml")
        config.set(f"optimizer.schedule={schedule}")
        config.set(f"training.iterations={iterations}")
        config.set("training.callbacks=[]")
        return config

    run(configured(200), "x", here / "whole", quiet=True)
    run(configured(90), "x", here / "half", quiet=True)
    resume(configured(200), here / "half", quiet=True)
    for name in ("loss.csv", "history.csv", "weights.npz"):
        assert (here / "half" / name).read_bytes() == (here / "whole" / name).read_bytes()


def test_the_net_trains(here):
    config = load_config("extended.yaml")
    config.set("net={type: small_net.py:SmallNet, hidden: 12}")
    config.set("optimizer={type: Adam, lr: 0.01}")
    summary, _ = run(config, "x", here / "run", quiet=True)
    assert float(summary.split("train balanced ")[1].split(" %")[0]) > 95


@pytest.mark.parametrize("name", ["scale.py:Scale", "brier.py:BrierLoss"])
def test_the_check_proves_layer_and_loss(here, capsys, name):
    assert main(["check", name]) == 0
    assert main(["check", "--mutants", name]) == 0
