"""lamina evaluate: what is said of a finished run, and of what is none."""

import errno
import os
import subprocess
import sys

import numpy as np
import pytest

from lamina.commands.frame import main
from lamina.experiment.config import load_config
from lamina.experiment.load_run import load_run
from lamina.experiment.run import run


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A short run on drawn digits."""
    folder = tmp_path_factory.mktemp("evaluate")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAMINA_DATA", str(folder / "data"))
        config = load_config("configs/digits_relu.yaml")
        for setting in (
            "dataset.n_train=1000",
            "dataset.n_test=300",
            "training.iterations=200",
            "training.evaluate_every=100",
        ):
            config.set(setting)
        summary, _ = run(config, "digits", folder / "run", quiet=True)
        yield folder / "run", summary


def test_a_run_is_loaded_and_gives_the_same_accuracy(finished, capsys):
    run_dir, summary = finished
    net, dataset = load_run(run_dir)
    predicted = net.predict(dataset.test[:][0]).argmax(axis=1)
    accuracy = 100 * (predicted == dataset.test.t).mean()
    assert f"test {accuracy:.2f} %" in summary
    assert main(["evaluate", str(run_dir)]) == 0
    out = capsys.readouterr().out
    assert f"accuracy {accuracy:.2f} %" in out
    assert f"picture: {run_dir / 'mistakes.png'}" in out
    assert (run_dir / "mistakes.png").exists()


def test_what_is_no_run_is_one_line(finished, tmp_path, capsys):
    assert main(["evaluate", str(tmp_path)]) == 2
    assert "is no run directory" in capsys.readouterr().err
    (tmp_path / "config.yaml").write_text((finished[0] / "config.yaml").read_text())
    assert main(["evaluate", str(tmp_path)]) == 2
    assert "weights.npz" in capsys.readouterr().err
    np.savez(tmp_path / "weights.npz", **{"affine1.W": np.zeros((3, 3), np.float32)})
    assert main(["evaluate", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert "affine1.W: expects shape (784, 50), got (3, 3)" in err
    assert "missing: affine2.W" in err


@pytest.mark.skipif(os.name == "nt", reason="pipes break otherwise on Windows")
def test_a_reader_that_has_seen_enough_is_no_error(finished):
    """As in lamina evaluate RUN | head."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lamina", "evaluate", str(finished[0])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"LAMINA_DATA": str(finished[0].parent / "data")},
    )
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait() == 0


def test_another_set_and_one_that_is_not_there(finished, capsys):
    assert main(["evaluate", str(finished[0]), "--on", "train"]) == 0
    assert capsys.readouterr().out.startswith("train set, 1,000 samples: loss ")
    assert main(["evaluate", str(finished[0]), "--on", "validation"]) == 2
    assert "there is no validation set; the data have train, test" in capsys.readouterr().err


def test_a_run_that_can_only_be_read_is_evaluated(finished, monkeypatch, capsys):
    def refused(*arguments, **options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("lamina.common.files._new", refused)
    assert main(["evaluate", str(finished[0])]) == 0
    captured = capsys.readouterr()
    assert "accuracy" in captured.out
    assert "picture" not in captured.out
    assert "no picture: " in captured.err
    assert "mistakes.png cannot be written: Read-only file system" in captured.err
