"""docs/own-data.md: its configurations train, its commands answer, its code runs."""

import inspect
import random
import re
from pathlib import Path

import numpy as np
import pytest

from lamina.commands.frame import main
from lamina.datasets import CSV, NPZ, ImageFolder
from lamina.experiment.config import load_config
from lamina.experiment.run import run

PAGE = (Path(__file__).parent.parent / "docs" / "own-data.md").read_text("utf-8")


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def penguins(path):
    """A table like that of the page."""
    rng = random.Random(0)
    lines = ["species,island,bill_length_mm,sex"]
    for i in range(90):
        kind = ("Adelie", "Chinstrap", "Gentoo")[i % 3]
        length = "NA" if i % 10 == 9 else f"{rng.gauss((38, 48, 46)[i % 3], 1):.1f}"
        sex = ("male", "female", "NA")[i % 5 % 3]
        lines.append(f"{kind},{rng.choice(('Biscoe', 'Dream'))},{length},{sex}")
    path.write_text("\n".join(lines) + "\n")


def pets(folder):
    image = pytest.importorskip("PIL.Image", reason="no Pillow: pip install -e '.[images]'")
    rng = np.random.default_rng(0)
    for name, shade in (("cat", 90), ("dog", 160)):
        (folder / name).mkdir(parents=True)
        for i in range(30):
            noise = rng.integers(shade - 60, shade + 60, (40, 30 + i, 3), dtype=np.uint8)
            image.fromarray(noise).save(folder / name / f"{i}.jpg")


def test_the_configurations_train_and_the_runs_answer(tmp_path, capsys):
    table, pictures = blocks("yaml")
    penguins(tmp_path / "penguins.csv")
    pets(tmp_path / "photos")
    asked = {"table": tmp_path / "penguins.csv", "pictures": tmp_path / "photos" / "cat"}
    for name, text in (("table", table), ("pictures", pictures)):
        (tmp_path / f"{name}.yaml").write_text(text)
        config = load_config(tmp_path / f"{name}.yaml")
        if name == "pictures":
            config.set("training.epochs=2")
        run(config, name, tmp_path / name, quiet=True)
        capsys.readouterr()
        out = tmp_path / "answers.csv"
        assert main(["predict", str(tmp_path / name), str(asked[name]), "-o", str(out)]) == 0
        assert "probability" in capsys.readouterr().out
        assert out.read_text().count("\n") == {"table": 91, "pictures": 31}[name]


def test_the_code_runs(capsys):
    pytest.importorskip("sklearn", reason="no scikit-learn: pip install -e '.[sklearn]'")
    pytest.importorskip("pandas", reason="no pandas")
    (code,) = blocks("python")
    exec(compile(code, "own-data.md", "exec"), {})
    assert capsys.readouterr().out.strip() == "['a' 'b']"


def test_every_key_of_the_page_is_one():
    known = {name for cls in (CSV, NPZ, ImageFolder) for name in inspect.signature(cls).parameters}
    named = set(re.findall(r"`(\w+): [^`]*`", PAGE))
    assert named - known == set()
    assert {"missing", "separator", "encoding", "ignore", "categories", "channels"} <= named
