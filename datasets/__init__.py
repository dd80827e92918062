"""Data sets: one file each, kept under $LAMINA_DATA (default ~/.cache/lamina)."""

from datasets.dataset import Dataset, Samples
from datasets.mnist import MNIST, load_mnist

__all__ = ["MNIST", "Dataset", "Samples", "load_mnist"]
