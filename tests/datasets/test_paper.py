"""Black or white paper around what pictures show, and what looks at it."""

import numpy as np
import pytest

from lamina.datasets import Classification, Dataset, Samples
from lamina.datasets.paper import BLACK, WHITE, paper_of
from lamina.experiment.build_trainer import build_trainer
from lamina.play.images import shown_images


def pictures(paper: int, n: int = 30, side: int = 10) -> np.ndarray:
    """A line on empty paper."""
    X = np.full((n, 1, side, side), paper, np.uint8)
    X[:, :, 3:7, 4] = 255 - paper
    return X


@pytest.mark.parametrize("paper", [BLACK, WHITE])
def test_the_paper_is_what_most_of_the_border_is(paper):
    X = pictures(paper)
    assert paper_of(X) == paper
    assert paper_of(X[:, 0]) == paper
    assert paper_of(X.reshape(len(X), -1)) == paper
    assert paper_of(X.repeat(3, axis=1)) == paper


def test_photographs_tables_and_floats_have_none():
    assert paper_of(np.full((9, 1, 8, 8), 120, np.uint8)) is None
    assert paper_of(np.zeros((9, 7), np.uint8)) is None
    assert paper_of(pictures(WHITE).astype(np.float32)) is None
    assert paper_of(np.zeros((0, 1, 8, 8), np.uint8)) is None


CONFIG = """
dataset: {{type: NPZ, path: {path}, scale: 0.00392157}}
net: {{type: Sequential, layers: {{f: {{type: Flatten}}, a: {{type: Affine, n_out: 2}}}},
  loss: {{type: SoftmaxWithLoss}}}}
optimizer: {{type: SGD, lr: 0.1}}
training: {{iterations: 2, batch_size: 5, augmentation: {{shift: 3}}}}
"""


@pytest.mark.parametrize("floats", [False, True])
@pytest.mark.parametrize(("paper", "value"), [(BLACK, 0.0), (WHITE, 1.0)])
def test_augmentation_fills_with_paper(tmp_path, config_of, paper, value, floats):
    """Also of bytes that were divided by 255 before they were saved, which scale then shrinks."""
    X, t = pictures(paper), np.arange(30) % 2
    X = X.astype(np.float32) if floats else X
    np.savez(tmp_path / "d.npz", x_train=X, t_train=t, x_test=X, t_test=t)
    trainer = build_trainer(config_of(CONFIG.format(path=tmp_path / "d.npz")), quiet=True)
    assert trainer.batches.augmentation.background == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize("paper", [BLACK, WHITE])
def test_a_page_to_draw_on_knows_the_paper(paper):
    X = pictures(paper)
    samples = Samples(X, np.arange(30) % 2, 1 / 255)
    dataset = Dataset(samples, samples, Classification(range(2)))
    assert shown_images(dataset).as_data()["white"] == (paper == WHITE)
