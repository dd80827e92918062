"""All experiments, in the order of the page. A new one is a file here, and a line in ENTRIES."""

from lamina.experiments.entries.batch_normalisation import BatchNormalisation
from lamina.experiments.entries.cost_of_differences import CostOfDifferences
from lamina.experiments.entries.deep_convnet import DeepConvNet
from lamina.experiments.entries.filters import Filters
from lamina.experiments.entries.gradient_check import GradientCheck
from lamina.experiments.entries.hyperparameters import Hyperparameters
from lamina.experiments.entries.initial_weights import INITIAL_WEIGHTS
from lamina.experiments.entries.note_004 import Note004
from lamina.experiments.entries.optimizers import Optimizers
from lamina.experiments.entries.overfitting import OVERFITTING
from lamina.experiments.entries.readme import CLAIMS
from lamina.experiments.entries.valley import Valley

ENTRIES = (
    Note004(),
    GradientCheck(),
    CostOfDifferences(),
    Valley(),
    Optimizers(),
    *INITIAL_WEIGHTS,
    BatchNormalisation(),
    *OVERFITTING,
    Hyperparameters(),
    Filters(),
    DeepConvNet(),
    *CLAIMS,
)
