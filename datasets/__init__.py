"""Data sets: one file each, kept under $LAMINA_DATA (default ~/.cache/lamina)."""

from datasets.dataset import Dataset, Samples
from datasets.drawn_digits import DrawnDigits, draw_digits
from datasets.fashion_mnist import FashionMNIST
from datasets.mnist import MNIST, load_mnist
from datasets.own import CSV, NPZ

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
