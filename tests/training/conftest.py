"""A small data set that configurations can name, and a trainer from a text."""

import textwrap

import numpy as np
import pytest

import datasets
from datasets import Dataset, Samples
from training.build_trainer import build_trainer
from training.config import load_config


class Tiny(Dataset):
    """30 points in three classes, in memory; as images (1, 2, 2) if asked for."""

    def __init__(self, images: bool = False):
        rng = np.random.default_rng(0)
        t = np.arange(30) % 3
        X = (rng.standard_normal((30, 4)) + 3 * np.eye(4)[t]).astype(np.float32)
        samples = Samples(X.reshape(30, 1, 2, 2) if images else X, t)
        super().__init__(samples, samples, class_names=range(3))


@pytest.fixture
def tiny(monkeypatch):
    """{type: Tiny} in configurations."""
    monkeypatch.setattr(datasets, "Tiny", Tiny, raising=False)
    monkeypatch.setattr(datasets, "__all__", [*datasets.__all__, "Tiny"])
    return Tiny


@pytest.fixture
def config_of(tmp_path):
    """A configuration from its text."""

    def from_text(text):
        path = tmp_path / "c.yaml"
        path.write_text(textwrap.dedent(text))
        return load_config(path)

    return from_text


@pytest.fixture
def build(config_of):
    """A trainer from the text of a configuration."""

    def from_text(text, **options):
        return build_trainer(config_of(text), quiet=True, **options)

    return from_text
