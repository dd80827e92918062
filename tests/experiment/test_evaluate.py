"""The evaluation of a finished run: text, picture, and errors."""

import os
import subprocess
import sys

import numpy as np
import pytest

from lamina.commands.frame import main
from lamina.datasets import Samples
from lamina.experiment.config import load_config
from lamina.experiment.evaluate import (
    confusion,
    draw_mistakes,
    load_run,
    report,
    scores_of,
    worst_mistakes,
)
from lamina.experiment.run import run

SCORES = np.array([[3.0, 1.0, 0.0], [0.0, 2.0, 1.0], [5.0, 1.0, 0.0], [0.0, 1.0, 3.0]])
TRUE = np.array([0, 2, 1, 2])


def test_the_confusion_matrix_counts_true_by_said():
    counts = confusion(TRUE, SCORES.argmax(axis=1), 3)
    assert counts.tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 1]]


def test_the_report_says_recall_and_precision():
    text = report(confusion(TRUE, SCORES.argmax(axis=1), 3), ("cat", "dog", "bird"))
    assert text.startswith("accuracy 50.00 %: 2 of 4 right")
    rows = {line.split()[0]: line.split() for line in text.splitlines()[3:6]}
    assert rows["cat"] == ["cat", "1", "100.00", "%", "50.00", "%"]
    assert rows["dog"] == ["dog", "1", "0.00", "%", "0.00", "%"]
    assert rows["bird"] == ["bird", "2", "50.00", "%", "100.00", "%"]
    widths = {len(line) for line in text.splitlines()[-4:]}
    assert len(widths) == 1  # the matrix is aligned


def test_a_class_that_never_occurs_has_no_percentage():
    assert "  - " in report(np.array([[2, 0], [0, 0]]), ("a", "b"))


def test_the_worst_mistakes_come_first():
    assert worst_mistakes(SCORES, TRUE).tolist() == [2, 1]
    assert worst_mistakes(SCORES, TRUE, 1).tolist() == [2]


@pytest.mark.parametrize("shape", [(784,), (1, 28, 28)])
def test_mistakes_are_drawn_where_inputs_are_images(tmp_path, shape):
    samples = Samples(np.zeros((4, *shape), np.uint8), TRUE)
    rows = worst_mistakes(SCORES, TRUE)
    assert draw_mistakes(tmp_path / "m.png", samples, rows, SCORES, ("a", "b", "$c"))
    assert (tmp_path / "m.png").stat().st_size > 1000


def test_other_inputs_and_a_net_without_mistakes_are_not_drawn(tmp_path):
    rows = worst_mistakes(SCORES, TRUE)
    for samples, chosen in (
        (Samples(np.zeros((4, 7), np.uint8), TRUE), rows),
        (Samples(np.zeros((4, 64)), TRUE), rows),
        (Samples(np.zeros((4, 784), np.uint8), TRUE), rows[:0]),
    ):
        assert not draw_mistakes(tmp_path / "m.png", samples, chosen, SCORES, "abc")
    assert list(tmp_path.iterdir()) == []


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
    predicted = scores_of(net, dataset.test, rows=64).argmax(axis=1)
    accuracy = 100 * (predicted == dataset.test.t).mean()
    assert f"test {accuracy:.2f} %" in summary
    assert main(["evaluate", str(run_dir)]) == 0
    out = capsys.readouterr().out
    assert f"accuracy {accuracy:.2f} %" in out
    assert "the worst mistakes: " in out
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
