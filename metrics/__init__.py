"""Metrics: how good scores are, one file each. base.py is the contract."""

if not __name__.startswith("lamina."):
    raise ImportError("imported by its full name only: from lamina.metrics import ...")

from lamina.metrics.accuracy import Accuracy
from lamina.metrics.base import Metric
from lamina.metrics.confusion import ConfusionMatrix
from lamina.metrics.exact_match import ExactMatch
from lamina.metrics.f1 import F1
from lamina.metrics.make_metric import METRICS, make_metric
from lamina.metrics.mean_absolute_error import MeanAbsoluteError
from lamina.metrics.perplexity import Perplexity
from lamina.metrics.precision import Precision
from lamina.metrics.r2 import R2
from lamina.metrics.recall import Recall
from lamina.metrics.roc_auc import RocAuc
from lamina.metrics.root_mean_squared_error import RootMeanSquaredError
from lamina.metrics.top_k import TopK

__all__ = [
    "F1",
    "METRICS",
    "R2",
    "Accuracy",
    "ConfusionMatrix",
    "ExactMatch",
    "MeanAbsoluteError",
    "Metric",
    "Perplexity",
    "Precision",
    "Recall",
    "RocAuc",
    "RootMeanSquaredError",
    "TopK",
    "make_metric",
]
