"""The learning curves are a picture that a display is not needed for."""

import sys

import numpy as np
import pytest

from training.plots import plot_curves


def rows(n):
    return [
        {"epoch": i, "train_accuracy": 0.9 + 0.01 * i, "test_accuracy": 0.9 + 0.008 * i}
        for i in range(1, n + 1)
    ]


@pytest.mark.parametrize(("losses", "evaluations"), [(3, 1), (1000, 5)])
def test_a_png_of_the_promised_size(tmp_path, monkeypatch, losses, evaluations):
    monkeypatch.delenv("DISPLAY", raising=False)
    path = tmp_path / "curves.png"
    values = np.exp(-np.linspace(0, 3, losses)) + 0.1
    plot_curves(path, values.tolist(), rows(evaluations), "a run")
    from matplotlib.image import imread

    image = imread(path)
    assert image.shape[:2] == (480, 1200)
    assert image.std() > 0.05
    assert "matplotlib.pyplot" not in sys.modules
    assert [p.name for p in tmp_path.iterdir()] == ["curves.png"]


def test_a_failure_leaves_nothing_half_written(tmp_path):
    with pytest.raises(KeyError):
        plot_curves(tmp_path / "curves.png", [1.0], [{"epoch": 1}], "")
    assert list(tmp_path.iterdir()) == []
