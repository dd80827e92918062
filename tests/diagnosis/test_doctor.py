"""What the doctor reads, says and draws, and how it fails."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from lamina.commands.frame import main
from lamina.diagnosis.causes.activations import saturated
from lamina.diagnosis.causes.inputs import not_normalised
from lamina.diagnosis.doctor import diagnose, glance
from lamina.diagnosis.finding import largest, listed, median
from lamina.diagnosis.record import read_record
from lamina.diagnosis.run_tables import Series
from lamina.experiment.config import load_config
from lamina.experiment.run import run

SICK = Path(__file__).parent / "sick"
LAYERS = (
    "iteration,layer,type,mean,std,gradient_mean,gradient_std,dead,saturated\n1,a,Relu,0,1,0,1,,\n"
)
BIG = {"shape": [2**52] * 20, "mean": 0, "std": 1, "learns": True}
HUGE = json.dumps({"parameters": {"a.W": BIG}})
PNG = b"\x89PNG\r\n\x1a\n"


def trained(folder: Path, path: Path, **settings) -> Path:
    config = load_config(path)
    for key, value in settings.items():
        config.set(f"{key.replace('__', '.')}={value}")
    with threadpool_limits(1):
        run(config, path.stem, folder, quiet=True)
    return folder


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "spirals"
    return trained(folder, Path("configs/own_csv.yaml"), training__iterations=600)


@pytest.fixture(scope="module")
def sick(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAMINA_DATA", str(tmp_path_factory.mktemp("data")))
        folder = tmp_path_factory.mktemp("runs") / "sick"
        return trained(folder, SICK / "lr_100.yaml", training__iterations=60)


@pytest.fixture
def files(healthy, tmp_path):
    """A copy of a healthy run, to be damaged."""
    for file in healthy.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def test_a_clean_bill(healthy, capsys):
    assert main(["doctor", str(healthy)]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{healthy}: healthy, nothing found\n")
    for name in ("iterations    600", "loss", "accuracy", "update/weight", "ReLUs at 0"):
        assert f"\n  {name}" in out
    assert glance(healthy) == ""


def test_a_finding_with_evidence_and_remedies(sick, capsys):
    assert main(["doctor", str(sick)]) == 1
    out = capsys.readouterr().out
    assert out.startswith(f"{sick}: learning rate too high (and 1 more that follows from it)\n")
    lines = out.splitlines()[1:]
    assert max(map(len, lines)) <= 80
    assert "1. learning rate too high" in lines
    for word in ("evidence", "means", "try"):
        assert any(line.startswith(f"   {word} ") for line in lines)
    assert "2. dead ReLUs (follows from: learning rate too high)" in lines
    assert "instead of 100" in out
    assert glance(sick) == "learning rate too high"


@pytest.mark.parametrize("given", [[], ["--plot"], ["--plot", "elsewhere.png"]])
def test_a_picture(files, given, tmp_path_factory, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path_factory.mktemp("here"))
    assert main(["doctor", str(files), *given]) == 0
    expected = files / "health.png" if given == ["--plot"] else Path("elsewhere.png")
    assert expected.exists() == bool(given)
    assert (files / "health.png").exists() == (given == ["--plot"])
    if given:
        assert expected.read_bytes().startswith(PNG)
        assert f"picture: {expected}" in capsys.readouterr().out


def test_a_picture_of_a_single_record_and_of_zeros(files, tmp_path_factory):
    for name in ("layers", "parameters", "loss", "history"):
        lines = (files / f"{name}.csv").read_text().splitlines(keepends=True)
        kept = [line for line in lines[1:] if line.startswith("1,")]
        (files / f"{name}.csv").write_text("".join([lines[0], *kept]))
    assert main(["doctor", str(files), "--plot"]) == 0
    zeros = (files / "parameters.csv").read_text().splitlines()
    rows = [",".join([*line.split(",")[:3], "0", "0"]) for line in zeros[1:]]
    (files / "parameters.csv").write_text("\n".join([zeros[0], *rows, ""]))
    assert main(["doctor", str(files), "--plot"]) == 0


def test_a_run_that_failed_in_its_first_step(tmp_path, capsys):
    config = load_config(Path("configs/own_csv.yaml"))
    config.set("optimizer={type: SGD, lr: 1.0e+30}")
    with pytest.raises(FloatingPointError):
        run(config, "spirals", tmp_path / "run", quiet=True)
    assert main(["doctor", str(tmp_path / "run"), "--plot"]) == 1
    out = capsys.readouterr().out
    assert "learning rate too high (and 1 more that follows from it)" in out
    assert "2. overflow (follows from: learning rate too high)" in out
    assert "iterations    1, then it failed" in out


def test_without_the_recorder_the_loss_has_to_do(tmp_path, capsys):
    settings = {"training__iterations": 300, "training__record_every": 0}
    folder = trained(tmp_path / "run", Path("configs/own_csv.yaml"), **settings)
    assert not (folder / "layers.csv").exists()
    assert main(["doctor", str(folder)]) == 0
    assert "There is no layers.csv" in capsys.readouterr().out
    assert main(["doctor", str(folder), "--plot"]) == 2
    assert "has no layers.csv, so there is nothing to draw" in capsys.readouterr().err


def test_a_line_that_was_cut_off_is_left_out(files):
    whole = read_record(files)
    for name in ("loss", "history", "layers", "parameters"):
        path = files / f"{name}.csv"
        path.write_bytes(path.read_bytes()[:-3])
    cut = read_record(files)
    assert cut.iterations == whole.iterations - 1
    assert len(cut.history["lr"]) == len(whole.history["lr"]) - 1
    assert diagnose(cut) == []
    for size in range(0, 3000, 97):  # wherever a process was killed
        for name in ("layers", "parameters", "outputs", "history"):
            path = files / f"{name}.csv"
            path.write_bytes(path.read_bytes()[:size])
        diagnose(read_record(files))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("layers.csv", f"{LAYERS}2,a,Relu,x,1,0,1,,\n", "layers.csv: could not convert"),
        ("layers.csv", f"{LAYERS}2,a\n", "layers.csv, line 3: expects 9 cells, got 2"),
        ("layers.csv", f"{LAYERS}1,a,Relu,0,1,0,1,,\n", "layers.csv: is damaged: its iterations"),
        ("loss.csv", "iteration,loss\n0,2.3\n", "loss.csv: is damaged: its iterations do not grow"),
        ("facts.json", '{"task": {"classes": "many"}}', "is damaged: task.classes is not what"),
        ("facts.json", '{"parameters": {"a.W": {}}}', "damaged: parameters.a.W is not what"),
        ("facts.json", '{"layers": {"a": 1e999}}', "damaged: layers.a is not what"),
        ("facts.json", HUGE, "damaged: parameters.a.W.shape is not what"),
        ("facts.json", '{"targets": {"mean": "x"}}', "damaged: targets.mean is not what"),
        ("outputs.csv", "iteration,output\n1,0\n", "outputs.csv: has no column counted"),
        ("facts.json", '{"test_samples": 0}', "damaged: test_samples is not what"),
        ("facts.json", "[" * 100_000, "facts.json: is damaged: no JSON"),
        ("culprit.json", '{"said": ["", 1]}', "culprit.json: is damaged: said is not what"),
        ("config.yaml", None, "is no run directory: it has no config.yaml"),
        ("loss.csv", None, "is no run directory: it has no loss.csv"),
        ("loss.csv", "", "has no iteration yet"),
        ("loss.csv", "iteration,loss\n", "has no iteration yet"),
        ("loss.csv", "iteration,loss\n1,2.3\n2\n", "loss.csv, line 3: expects 2 cells, got 1"),
        ("loss.csv", f"iteration,loss\n1,{'1' * 140_000}\n", "loss.csv, line 2: is damaged"),
        ("loss.csv", "iteration,loss\n1,x\n", "loss.csv, line 2: expects a number, got 'x'"),
        ("loss.csv", "a,b\n1,2\n", "loss.csv: has no column iteration"),
        ("loss.csv", b"\xff\xfe\n", "is not a text file"),
        ("facts.json", "{", "facts.json: is damaged"),
        ("facts.json", "[]\n", "facts.json: is damaged"),
        ("culprit.json", "null", "culprit.json: is damaged"),
        ("layers.csv", "iteration,layer\n1,a\n", "layers.csv: has no column type"),
        ("config.yaml", "a: [", "no valid YAML"),
    ],
)
def test_damaged_files_are_one_clear_line(files, name, content, message, capsys):
    if content is None:
        (files / name).unlink()
    else:
        content = content.encode() if isinstance(content, str) else content
        (files / name).write_bytes(content)
    assert main(["doctor", str(files)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("lamina doctor: ")
    assert message in err
    assert len(err.splitlines()) == 1
    assert glance(files) == ""


def test_facts_of_another_shape_do_not_end_in_a_traceback(files):
    for facts in ({}, {"layers": {}, "parameters": {}}, {"task": {"task": "x"}}):
        (files / "facts.json").write_text(json.dumps(facts))
        assert main(["doctor", str(files)]) in (0, 1)


def test_a_run_without_metrics_can_be_read(tmp_path, capsys):
    settings = {"training__metrics": "[]", "training__iterations": 300}
    settings["training__keep_best"] = "false"
    folder = trained(tmp_path / "run", Path("configs/own_csv.yaml"), **settings)
    assert json.loads((folder / "facts.json").read_text())["figure"] is None
    assert main(["doctor", str(folder), "--plot"]) == 0
    out = capsys.readouterr().out
    assert "nothing found" in out
    assert "healthy" not in out
    assert "but      no metric says how well it does" in out


def test_an_over_fitting_run_whose_facts_have_no_samples(files, capsys):
    lines = ["iteration,epoch,loss,train_accuracy,test_accuracy,lr"]
    lines += [f"{i},{i},0.01,1.0,0.6,0.1" for i in range(100, 700, 100)]
    (files / "history.csv").write_text("\n".join(lines) + "\n")
    facts = json.loads((files / "facts.json").read_text())
    for key in ("samples", "test_samples"):
        facts.pop(key)
        (files / "facts.json").write_text(json.dumps(facts))
        assert main(["doctor", str(files)]) == 1
        assert "over-fitting" in capsys.readouterr().out


def test_an_over_fitting_run_says_how_many_of_its_parameters_learn(files, capsys):
    lines = ["iteration,epoch,loss,train_accuracy,test_accuracy,lr"]
    lines += [f"{i},{i},0.01,1.0,0.6,0.1" for i in range(100, 700, 100)]
    (files / "history.csv").write_text("\n".join(lines) + "\n")
    facts = json.loads((files / "facts.json").read_text())
    sizes = {name: math.prod(p["shape"]) for name, p in facts["parameters"].items()}
    total, first = sum(sizes.values()), next(iter(sizes))
    main(["doctor", str(files)])
    assert f"{total:,} parameters for " in " ".join(capsys.readouterr().out.split())
    facts["parameters"][first]["learns"] = False
    (files / "facts.json").write_text(json.dumps(facts))
    main(["doctor", str(files)])
    said = f"{total:,} parameters, of which {total - sizes[first]:,} learn, for "
    assert said in " ".join(capsys.readouterr().out.split())


def test_a_run_with_a_validation_set_is_not_told_to_have_one(files, capsys):
    for head, value in (("", ""), ("validation_accuracy,", "0.6,")):
        lines = [f"iteration,epoch,loss,train_accuracy,{head}test_accuracy,lr"]
        lines += [f"{i},{i},0.01,1.0,{value}0.6,0.1" for i in range(100, 700, 100)]
        (files / "history.csv").write_text("\n".join(lines) + "\n")
        main(["doctor", str(files)])
        out = " ".join(capsys.readouterr().out.split())
        assert ("over-fitting" in out, "patience under training" in out) == (True, True)
        assert ("a validation set (dataset" in out) == (not head)


def test_the_size_of_the_inputs_is_said_to_be_that_of_a_batch():
    """A batch of a few samples has another mean than all of them."""
    seen = {"mean": np.array([24.0, 41.8, 90.0]), "std": np.array([300.0, 325.0, 350.0])}
    record = SimpleNamespace(
        never_moved=lambda limit: False,
        hardly_moves=lambda limit: False,
        weights={},
        optimizer={},
        layers={"(input)": seen},
        well=False,
        has_what_is_told=False,
        start_loss=1.0,
        end_loss=1.0,
    )
    record.facts, record.matrices = {}, {}
    said = not_normalised(record, []).evidence[0]
    assert "inputs of a batch have mean 41.8 and deviation 325" in said


def test_a_bug_is_no_unhealthy_run(files, monkeypatch, capsys):
    monkeypatch.setattr("lamina.commands.doctor.diagnose", lambda record: 1 // 0)
    assert main(["doctor", str(files)]) == 2
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_net_that_overflows_at_once(tmp_path, capsys):
    config = load_config(Path("configs/own_csv.yaml"))
    for name in ("affine1", "affine2", "affine3"):
        config.set(f"net.layers.{name}.init={{type: normal, std: 1.0e+30}}")
    with pytest.raises(FloatingPointError):
        run(config, "spirals", tmp_path / "run", quiet=True)
    assert main(["doctor", str(tmp_path / "run")]) == 1
    assert "initial weights too large (and 1 more that follows" in capsys.readouterr().out


def test_whatever_is_in_the_files_the_doctor_ends_with_a_status(files, capsys):
    rng = np.random.default_rng(0)
    tables = ("loss.csv", "history.csv", "layers.csv", "parameters.csv", "outputs.csv")
    names = (*tables, "facts.json")
    (files / "culprit.json").write_text('{"when": "forward", "layer": "a", "said": ["x"]}')
    whole = {name: (files / name).read_bytes() for name in (*names, "culprit.json", "config.yaml")}
    statuses = set()
    for _ in range(300):
        name = list(whole)[rng.integers(len(whole))]
        content = bytearray(whole[name])
        for _ in range(rng.integers(1, 4)):
            at = rng.integers(len(content))
            content[at] = rng.choice(bytearray(b'0-9e.,"[]{}:\n\x1b\xff'))
        (files / name).write_bytes(content)
        with np.errstate(all="ignore"):
            statuses.add(main(["doctor", str(files)]))
        (files / name).write_bytes(whole[name])
    assert statuses <= {0, 1, 2}
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(("kind", "ill"), [("Tanh", True), ("Lstm", False), ("Rnn", False)])
def test_gates_at_their_ends_are_noted_and_no_finding(sick, kind, ill):
    record = read_record(sick)
    shares = {c: np.full(3, np.nan) for c in ("dead", "saturated")} | {"saturated": np.full(3, 0.8)}
    record.layers = {"layer": Series("layer", kind, np.arange(1.0, 4.0), shares)}
    record.train = record.chance  # it has learned nothing
    assert (saturated(record, []) is not None) == ill


def test_small_helpers():
    assert np.isnan(median([np.nan, np.inf]))
    assert median([1.0, np.nan, 3.0]) == 2.0
    assert largest([1.0, np.nan, np.inf]) == np.inf
    assert np.isnan(largest([np.nan]))
    assert listed("abcdef") == "a, b, c, d and 2 more"


@pytest.mark.skipif(os.name == "nt", reason="pipes break otherwise on Windows")
def test_a_reader_that_has_seen_enough_is_no_error(sick):
    """As in lamina doctor RUN | head."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lamina", "doctor", str(sick)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait() == 1


def test_a_picture_goes_where_it_is_wanted(sick, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["doctor", str(sick), "--plot", "health.png"]) == 1
    assert (tmp_path / "health.png").exists()
    assert main(["doctor", str(sick), "--plot"]) == 1
    assert capsys.readouterr().out.endswith(f"\npicture: {sick / 'health.png'}\n")
