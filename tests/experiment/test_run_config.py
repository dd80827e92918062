"""A run directory of somebody else runs no code unless the user names the file."""

import re
import shlex

import pytest
import yaml

from lamina.commands.frame import main
from lamina.experiment.build import build_dataset, build_net, build_optimizer
from lamina.experiment.config import ConfigError, load_config
from lamina.experiment.load_run import load_run
from lamina.experiment.run import run
from lamina.experiment.run_config import load_run_config

LAYER = """
from pathlib import Path
import numpy as np
from lamina.layers import Layer

(Path(__file__).parent / "has_run").touch()


class Swish(Layer):
    def forward(self, X):
        self.X = X
        return X / (1 + np.exp(-X))

    def backward(self, dout):
        s = 1 / (1 + np.exp(-self.X))
        return dout * s * (1 + self.X * (1 - s))
"""


@pytest.fixture
def own(tmp_path, faint):
    """(run directory, file of the own layer that the run uses); the file is known not to have
    run since."""
    code = tmp_path / "my layers.py"
    code.write_text(LAYER)
    config = load_config("configs/own_csv.yaml")
    config.set(f"net.layers.relu1.type={code}:Swish")
    config.set("training.iterations=3")
    run(config, "own", tmp_path / "run", quiet=True)
    (tmp_path / "has_run").unlink()
    return tmp_path / "run", code


def test_the_code_that_a_run_names_is_not_run(own, capsys):
    run_dir, code = own
    words = f"relu1.type: a run directory runs no code by itself, and this one names {code};"
    with pytest.raises(ConfigError, match=re.escape(words)) as raised:
        load_run(run_dir)
    assert str(raised.value).startswith(f"{run_dir / 'config.yaml'}, line ")
    assert str(raised.value).endswith(f"add --code {shlex.quote(str(code))}")
    for command in ("evaluate", "draw"):
        assert main([command, str(run_dir)]) == 2
        assert words in capsys.readouterr().err
    assert not (code.parent / "has_run").exists()


def test_it_is_run_when_the_user_names_it(own, tmp_path, monkeypatch, capsys):
    run_dir, _ = own
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", str(run_dir), "--code", "my layers.py"]) == 0
    assert "accuracy" in capsys.readouterr().out
    assert main(["draw", str(run_dir), "-o", "net.svg", "--code", "my layers.py"]) == 0
    assert (tmp_path / "has_run").exists()


def test_another_file_of_that_name_is_not_meant(own, tmp_path, monkeypatch):
    """Nor one in the run directory, where a name without a folder is looked for first."""
    run_dir, code = own
    (tmp_path / "elsewhere").mkdir()
    other = tmp_path / "elsewhere" / code.name
    other.write_text(LAYER)
    with pytest.raises(ConfigError, match="runs no code by itself"):
        load_run(run_dir, [other])
    data = yaml.safe_load((run_dir / "config.yaml").read_text())
    data["net"]["layers"]["relu1"]["type"] = f"{code.name}:Swish"
    (run_dir / "config.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    (run_dir / code.name).write_text(LAYER)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=re.escape(f"names {run_dir / code.name};")):
        load_run(run_dir, [code])
    assert not list(tmp_path.rglob("has_run"))


@pytest.mark.parametrize("section", ["dataset", "optimizer", "net"])
def test_every_section_is_held_to_it(own, section):
    run_dir, code = own
    config = load_run_config(run_dir)
    config.set(f"{section}={{type: '{code}:Swish'}}")
    build = {
        "dataset": build_dataset,
        "optimizer": lambda config: build_optimizer(config, {}),
        "net": lambda config: build_net(config, build_dataset(config), rng=None),
    }
    with pytest.raises(ConfigError, match="runs no code by itself"):
        build[section](config)
    assert not (code.parent / "has_run").exists()


def test_a_configuration_that_the_user_names_may_run_code(own):
    run_dir, _ = own
    assert load_config(run_dir / "config.yaml").allowed_code is None
    assert load_run_config(run_dir).allowed_code == set()


def test_what_is_no_run_and_no_code(own, tmp_path):
    run_dir, _ = own
    with pytest.raises(ConfigError, match="is no run directory: it has no config"):
        load_run_config(tmp_path)
    with pytest.raises(ConfigError, match=r"--code nothing\.py: no such file"):
        load_run_config(run_dir, ["nothing.py"])


@pytest.mark.parametrize("net", ["5", "null", "[a]", "{}", "{type: [x]}", "{layers: 3}"])
def test_a_net_that_is_none_is_one_error(own, net):
    run_dir, _ = own
    data = yaml.safe_load((run_dir / "config.yaml").read_text())
    (run_dir / "config.yaml").write_text(yaml.safe_dump(data | {"net": yaml.safe_load(net)}))
    with pytest.raises(ConfigError, match=r"net"):
        load_run(run_dir)


def test_a_run_from_elsewhere_uses_the_file_of_that_name_that_is_allowed(own, tmp_path):
    """Its configuration has the paths of another machine."""
    run_dir, code = own
    config = yaml.safe_load((run_dir / "config.yaml").read_text())
    theirs = "C:\\\\Users\\\\ada\\\\my layers.py:Swish"
    config["net"]["layers"]["relu1"]["type"] = theirs
    (run_dir / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    with pytest.raises(ConfigError, match="runs no code by itself"):
        load_run(run_dir)
    net, _ = load_run(run_dir, [code])
    assert type(net.layers["relu1"]).__name__ == "Swish"
