"""Data sets: one file each, kept under $LAMINA_DATA (default ~/.cache/lamina)."""

if not __name__.startswith("lamina."):
    raise ImportError("imported by its full name only: from lamina.datasets import ...")

from lamina.datasets.dataset import Dataset, Samples
from lamina.datasets.drawn_digits import DrawnDigits, draw_digits
from lamina.datasets.fashion_mnist import FashionMNIST
from lamina.datasets.mnist import MNIST, load_mnist
from lamina.datasets.own import CSV, NPZ

__all__ = [
    "CSV",
    "MNIST",
    "NPZ",
    "Dataset",
    "DrawnDigits",
    "FashionMNIST",
    "Samples",
    "draw_digits",
    "load_mnist",
]
