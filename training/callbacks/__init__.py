"""Callbacks: what a trainer calls when a run begins, after its evaluations, and when it ends."""

from lamina.training.callbacks.base import Callback, Function
from lamina.training.callbacks.progress_bar import ProgressBar

__all__ = ["Callback", "Function", "ProgressBar"]
