"""A run directory from elsewhere in which names lead out of it: no command writes there."""

import os
import shutil
import threading

import pytest
import yaml

from lamina.commands.frame import main

# Every file that a command writes into a run, or looks for there.
NAMES = (
    *("config.yaml", "provenance.json", "facts.json", "culprit.json", ".lock"),
    *("loss.csv", "history.csv", "timing.csv", "layers.csv", "parameters.csv"),
    *("weights.npz", "checkpoint-00000020.npz", "checkpoint-00000030.npz"),
    *("curves.png", "health.png", "mistakes.png", "reconstructions.png", "errors.png"),
)
COMMANDS = (
    *("evaluate RUN", "plots RUN", "doctor RUN --plot", "draw RUN"),
    *("train --quiet --resume RUN", "train --quiet --resume RUN --verify"),
    "train --quiet --resume RUN --set training.iterations=40",
)
SECRET = b"export A=1"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need rights there")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, points_table):
    folder = tmp_path_factory.mktemp("links")
    points_table(folder / "d.csv", 60)
    data = {
        "dataset": {"type": "CSV", "path": "d.csv", "target": "kind", "test_share": 0.3},
        "net": {
            "type": "Sequential",
            "layers": {"a": {"type": "Affine", "n_out": 2}},
            "loss": {"type": "SoftmaxWithLoss"},
        },
        "optimizer": {"type": "SGD", "lr": 0.1},
        "training": {
            **{"iterations": 20, "batch_size": 10, "threads": 1, "record_every": 5},
            "checkpoint": {"every": 10},
        },
    }
    (folder / "c.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lamina.commands.train.set_threads", lambda n: None)  # NumPy is loaded
        train = ["train", "--config", str(folder / "c.yaml"), "--quiet"]
        assert main([*train, "--run-dir", str(folder / "run")]) == 0
    return folder / "run"


@pytest.fixture
def copy(trained, tmp_path, monkeypatch):
    monkeypatch.setattr("lamina.commands.train.set_threads", lambda n: None)
    monkeypatch.chdir(tmp_path)
    # Pictures take a second each, and what is drawn does not matter here.
    saved = lambda self, file, **options: file.write(b"a picture")  # noqa: E731
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", saved)
    return shutil.copytree(trained, tmp_path / "run")


@pytest.mark.parametrize("foreign", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_link_to_a_file_outside(copy, tmp_path, command, foreign):
    """One name at a time, leading to what is none of it; or to what was there, or nothing."""
    for name in NAMES:
        for kind in ("secret" if foreign else "same" if (copy / name).exists() else "nothing",):
            run_dir = shutil.copytree(copy, tmp_path / "again")
            outside = tmp_path / "outside"
            if kind == "same":
                shutil.copy(run_dir / name, outside)
            elif kind != "nothing":
                outside.write_bytes(SECRET)
            before = outside.read_bytes() if outside.exists() else None
            (run_dir / name).unlink(missing_ok=True)
            (run_dir / name).symlink_to(outside)
            status = main(command.replace("RUN", str(run_dir)).split())
            assert status in (0, 1, 2), (name, kind)
            after = outside.read_bytes() if outside.exists() else None
            assert after == before, (name, kind)
            shutil.rmtree(run_dir)
            outside.unlink(missing_ok=True)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_pipe_in_place_of_a_file_is_not_waited_for(copy, command):
    for name in NAMES:
        run_dir = shutil.copytree(copy, copy.with_name("again"))
        (run_dir / name).unlink(missing_ok=True)
        os.mkfifo(run_dir / name)
        done = threading.Thread(
            target=main, args=(command.replace("RUN", str(run_dir)).split(),), daemon=True
        )
        done.start()
        done.join(120)  # far more than a busy machine takes, far less than for ever
        assert not done.is_alive(), name
        shutil.rmtree(run_dir)
