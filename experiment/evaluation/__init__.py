"""How good a run is on a set of its data, in words and pictures; a file for each kind of task."""

from lamina.experiment.evaluation.evaluate import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate"]
