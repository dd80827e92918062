"""What has changed since a run was trained is noticed by whatever uses the run."""

import json

import pytest
import yaml

from lamina.commands.frame import main
from lamina.common import files
from lamina.common.errors import RunError
from lamina.experiment.config import load_config
from lamina.experiment.load_run import RunChanged, load_run
from lamina.experiment.run import run

OWN = """
from lamina.layers import AutoLayer

class Double(AutoLayer):
    def function(self, X):
        return 2.0 * X
"""
METRIC = """
from lamina.metrics import Accuracy

class Half(Accuracy):
    name = "half"

    def value(self):
        return 0.5 * super().value()
"""


@pytest.fixture
def trained(tmp_path, points_table):
    """(run directory, CSV file) of a short run on a table, with a layer and a metric of its own."""
    points_table(tmp_path / "d.csv", 60)
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "metric.py").write_text(METRIC)
    data = {
        "dataset": {"type": "CSV", "path": "d.csv", "target": "kind", "test_share": 0.3},
        "net": {
            "type": "Sequential",
            "layers": {
                "double": {"type": "own.py:Double"},
                "relu": {"type": "Relu"},
                "affine": {"type": "Affine", "n_out": 2},
            },
            "loss": {"type": "SoftmaxWithLoss"},
        },
        "optimizer": {"type": "SGD", "lr": 0.1},
        "training": {"iterations": 20, "batch_size": 10, "threads": 1},
    }
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    run(load_config(tmp_path / "c.yaml"), "c", tmp_path / "run", quiet=True)
    return tmp_path / "run", tmp_path / "d.csv"


def _sorted(path):
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([head, *sorted(rows)]) + "\n")


def _appended(path):
    path.write_text(path.read_text() + "0.5,0.4,a\n")


def _renamed(path):
    path.write_text(path.read_text().replace(",a\n", ",c\n"))


def _layer(path):
    own = path.parent / "own.py"
    own.write_text(own.read_text().replace("2.0", "3.0"))


def _activation(path):
    config = path.parent / "run" / "config.yaml"
    config.write_text(config.read_text().replace("Relu", "Sigmoid"))


CHANGES = {
    _sorted: "the train set: other inputs, other targets; the test set: other inputs",
    _appended: "the train set: inputs <f",
    _renamed: 'the task, class_names: ["a", "b"] before, ["b", "c"] now',
    _layer: "the code in own.py",
    _activation: "net.layers.relu.type: 'Relu' before, 'Sigmoid' now",
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("command", ["evaluate", "draw", "load_run"])
def test_what_moves_a_figure_is_refused(trained, change, command, capsys, monkeypatch):
    run_dir, data = trained
    monkeypatch.chdir(data.parent)
    code = data.parent / "own.py"
    load_run(run_dir, [code])
    change(data)
    if command == "load_run":
        with pytest.raises(RunChanged) as info:
            load_run(run_dir, [code])
        said = str(info.value)
        load_run(run_dir, [code], changed=True)
    else:
        arguments = [command, str(run_dir), "--code", str(code)]
        assert main(arguments) == 2
        captured = capsys.readouterr()
        said = captured.err
        assert captured.out == ""
        assert main([*arguments, "--changed"]) == 0
    assert CHANGES[change] in said
    assert "--changed" in said
    assert CHANGES[change] in capsys.readouterr().err


def test_what_own_code_imports_is_compared_too(trained, monkeypatch, capsys):
    _, data = trained
    folder = data.parent
    monkeypatch.syspath_prepend(folder)
    (folder / "factors_of_mine.py").write_text("FACTOR = 2.0\n")
    own = OWN.replace("2.0", "factors_of_mine.FACTOR")
    (folder / "own.py").write_text(f"import factors_of_mine\n{own}")
    run(load_config(folder / "c.yaml"), "c", folder / "other", quiet=True)
    arguments = ["evaluate", str(folder / "other"), "--code", str(folder / "own.py")]
    assert main(arguments) == 0
    (folder / "factors_of_mine.py").write_text("FACTOR = 3.0\n")
    assert main(arguments) == 2
    assert "the code in factors_of_mine.py" in capsys.readouterr().err
    assert main([*arguments, "--changed"]) == 0
    # A run that was made before imports were looked at says nothing of them.
    path = folder / "other" / "provenance.json"
    kept = json.loads(path.read_text())
    assert kept["versions"].pop("factors_of_mine.py")
    path.write_text(json.dumps(kept))
    assert main(arguments) == 0


def test_the_code_is_not_run_before_it_is_compared(trained):
    run_dir, data = trained
    (data.parent / "own.py").write_text(f"open({str(data.parent / 'ran')!r}, 'w')\n{OWN}")
    with pytest.raises(RunChanged):
        load_run(run_dir, [data.parent / "own.py"])
    assert not (data.parent / "ran").exists()


def test_a_metric_of_ones_own_counts(trained, capsys):
    _, data = trained
    config = load_config(data.parent / "c.yaml")
    config.set("training.metrics=[metric.py:Half]")
    other = data.parent / "other"
    run(config, "c", other, quiet=True)
    code = [word for name in ("own", "metric") for word in ("--code", f"{data.parent}/{name}.py")]
    assert main(["evaluate", str(other), *code]) == 0
    metric = data.parent / "metric.py"
    metric.write_text(METRIC.replace("0.5 *", "0.6 *"))
    assert main(["evaluate", str(other), *code]) == 2
    assert "the code in metric.py" in capsys.readouterr().err
    assert main(["evaluate", str(other), *code, "--changed"]) == 0


def test_data_that_moved_are_no_change(trained, capsys):
    run_dir, data = trained
    data.rename(data.parent / "elsewhere.csv")
    path = run_dir / "config.yaml"
    path.write_text(path.read_text().replace("d.csv", "elsewhere.csv"))
    capsys.readouterr()
    load_run(run_dir, [data.parent / "own.py"])
    assert capsys.readouterr().err == ""


def test_a_run_without_the_file_says_so(trained, capsys):
    run_dir, data = trained
    (run_dir / "provenance.json").unlink()
    _sorted(data)
    capsys.readouterr()
    load_run(run_dir, [data.parent / "own.py"])
    assert "has no provenance.json" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "[]", "{}", "[" * 100_000, '{"sets": 1}', "{\x00"])
def test_a_damaged_file_is_one_error(trained, content):
    run_dir, data = trained
    (run_dir / "provenance.json").write_text(content)
    with pytest.raises(RunError, match=r"provenance\.json: is damaged"):
        load_run(run_dir, [data.parent / "own.py"])


def test_facts_of_others_do_not_reach_the_terminal(trained):
    run_dir, data = trained
    path = run_dir / "provenance.json"
    said = json.loads(path.read_text())
    said["sets"]["\x1b[2J"] = "scale; \x1b[31m; c"
    said["task"]["\x1b[2J"] = ["\x1b[31m", 2]
    said["sets"]["train"] = 5
    path.write_text(json.dumps(said))
    with pytest.raises(RunChanged) as info:
        load_run(run_dir, [data.parent / "own.py"])
    assert "\x1b" not in str(info.value)


@pytest.mark.parametrize("name", ["config.yaml", "provenance.json"])
def test_evaluate_reads_what_it_compares_once(trained, monkeypatch, name):
    """A file that changes between two readings is none of the two."""
    run_dir, data = trained
    read, opened = [], files.opened

    def counted(path, *arguments, **options):
        read.append(str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr("lamina.experiment.config.opened", counted)
    monkeypatch.setattr("lamina.experiment.provenance.opened", counted)
    assert main(["evaluate", str(run_dir), "--code", str(data.parent / "own.py")]) == 0
    assert read.count(str(run_dir / name)) == 1
