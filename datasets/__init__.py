"""Data sets: one file each, kept under $LAMINA_DATA (default ~/.cache/lamina)."""

if not __name__.startswith("lamina."):
    raise ImportError("imported by its full name only: from lamina.datasets import ...")

from lamina.datasets.additions import Additions
from lamina.datasets.csv_file import CSV
from lamina.datasets.dataset import Dataset, Samples
from lamina.datasets.dates import Dates
from lamina.datasets.drawn_digits import DrawnDigits, draw_digits
from lamina.datasets.fashion_mnist import FashionMNIST
from lamina.datasets.image_folder import ImageFolder
from lamina.datasets.lines import Lines
from lamina.datasets.lmdb_database import LMDB
from lamina.datasets.mnist import MNIST, load_mnist
from lamina.datasets.noise_words import NoiseWords
from lamina.datasets.npy_files import NPY
from lamina.datasets.npz_file import NPZ
from lamina.datasets.padding import padded
from lamina.datasets.pairs import Pairs
from lamina.datasets.penn_treebank import PennTreebank
from lamina.datasets.rows import DataError, FileRows, Rows
from lamina.datasets.sampler import Sampler
from lamina.datasets.streams import Streams, StreamSamples
from lamina.datasets.tasks import (
    Classification,
    LanguageModel,
    MultiLabel,
    Reconstruction,
    Regression,
    Task,
    task_from_facts,
)
from lamina.datasets.text import Text
from lamina.datasets.words import Words

__all__ = [
    "CSV",
    "LMDB",
    "MNIST",
    "NPY",
    "NPZ",
    "Additions",
    "Classification",
    "DataError",
    "Dataset",
    "Dates",
    "DrawnDigits",
    "FashionMNIST",
    "FileRows",
    "ImageFolder",
    "LanguageModel",
    "Lines",
    "MultiLabel",
    "NoiseWords",
    "Pairs",
    "PennTreebank",
    "Reconstruction",
    "Regression",
    "Rows",
    "Sampler",
    "Samples",
    "StreamSamples",
    "Streams",
    "Task",
    "Text",
    "Words",
    "draw_digits",
    "load_mnist",
    "padded",
    "task_from_facts",
]
