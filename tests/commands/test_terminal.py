"""What stands in files reaches the terminal as text, not as commands; any name works."""

import io
import os
import sys

import pytest
import yaml

from lamina.commands.frame import main
from lamina.common.printable import printable

ESC = "\x1b[2J\x9b31m\x07\u202e\u2028"


def test_printable():
    assert printable("Größe, 크기: 3 µ") == "Größe, 크기: 3 µ"
    assert printable("a\x1b[31m\x9b\u202e\u2028\udcff\n") == (
        "a\\x1b[31m\\x9b\\u202e\\u2028\\udcff\\n"
    )
    assert printable("a\n\tb", lines=True) == "a\n\\tb"


@pytest.fixture
def csv(tmp_path, monkeypatch, points_table):
    """A configuration of a table whose header, labels and layer names would steer a terminal."""
    monkeypatch.setattr("lamina.commands.train.set_threads", lambda n: None)  # NumPy is loaded
    points_table(tmp_path / "d.csv", 60, ESC)
    layers = {f"affine{ESC[-1]}": {"type": "Affine", "n_out": 2}}
    loss = {"type": "SoftmaxWithLoss"}
    data = {
        "dataset": {"type": "CSV", "path": "d.csv", "target": "kind", "test_share": 0.3},
        "net": {"type": "Sequential", "layers": layers, "loss": loss},
        "optimizer": {"type": "SGD", "lr": 0.1},
        "training": {"iterations": 20, "batch_size": 10, "threads": 1},
    }
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    return tmp_path


def test_no_report_steers_the_terminal(csv, capsys):
    run_dir = str(csv / "run")
    assert main(["train", "--config", str(csv / "c.yaml"), "--run-dir", run_dir, "--quiet"]) == 0
    for command in ("evaluate", "doctor", "plots"):
        assert main([command, run_dir]) in (0, 1)
    assert main(["train", "--resume", run_dir, "--verify", "--quiet"]) == 0
    (csv / "d.csv").write_text((csv / "d.csv").read_text().replace("kind", f"kind{ESC}"))
    assert main(["evaluate", run_dir]) == 2
    captured = capsys.readouterr()
    assert "\\x1b[2J" in captured.out
    assert not set(ESC) & set(captured.out + captured.err) - set("[2J31m")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are always text")
def test_a_directory_whose_name_cannot_be_printed(csv, monkeypatch):
    run_dir = os.fsdecode(os.fsencode(str(csv)) + b"/run\xff")
    content = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(content, encoding="ascii"))
    assert main(["train", "--config", str(csv / "c.yaml"), "--run-dir", run_dir, "--quiet"]) == 0
    for command in ("evaluate", "doctor", "plots"):
        assert main([command, run_dir]) in (0, 1)
    assert b"run\\udcff" in content.getvalue()


@pytest.mark.parametrize("command", [["evaluate"], ["doctor"], ["plots"], ["train", "--resume"]])
def test_what_is_no_run_says_what_it_is(tmp_path, capsys, command):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for name, why in (
        ("none", "there is no such folder"),
        ("file", "it is a file"),
        ("folder", ""),
    ):
        assert main([*command, str(tmp_path / name)]) == 2
        assert f"is no run directory: {why or 'it has no '}" in capsys.readouterr().err


def test_a_folder_in_place_of_a_picture_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dir.svg").mkdir()
    assert main(["draw", "x * 2", "x=1", "-o", "dir.svg"]) == 2
    assert "dir.svg: is a folder; give the name of a file" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["dir.svg"]


def test_draw_takes_the_name_of_a_configuration(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["draw", "own_csv", "-o", "net.svg"]) == 0
    assert (tmp_path / "net.svg").exists()
