"""Callbacks: what a trainer calls when a run begins, after its evaluations, and when it ends."""

from lamina.training.callbacks.base import Callback, Function
from lamina.training.callbacks.mlflow import MLflow
from lamina.training.callbacks.progress_bar import ProgressBar
from lamina.training.callbacks.tensorboard import TensorBoard
from lamina.training.callbacks.tracker import Tracker
from lamina.training.callbacks.weights_and_biases import WeightsAndBiases

__all__ = [
    "Callback",
    "Function",
    "MLflow",
    "ProgressBar",
    "TensorBoard",
    "Tracker",
    "WeightsAndBiases",
]
