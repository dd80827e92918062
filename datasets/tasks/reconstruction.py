"""Reconstruction: the inputs as targets, for autoencoders."""

import math

from lamina.datasets.tasks.base import Task
from lamina.datasets.tasks.numbers import are_in_files, as_array, check_finite, mean, mean_square
from lamina.datasets.tasks.regression import Regression
from lamina.datasets.tasks.words import odd_type


class Reconstruction(Task):
    """The target is the input itself: outputs of the input's shape.

    SigmoidWithLoss does not fit: it takes scores, and what counts compares outputs with inputs. A
    net whose last layer is a Sigmoid gives numbers from 0 to 1 to any of the losses.
    """

    name = "reconstruction"
    metrics = ("rmse",)
    fitting = ("mae", "r2")
    losses = ("SquaredErrorLoss", "AbsoluteErrorLoss", "HuberLoss")

    def output_shape(self, target_shape=()):
        return tuple(target_shape)

    def check_loss(self, loss_name, output_shape=()):
        try:
            super().check_loss(loss_name, output_shape)
        except ValueError as error:
            hint = " behind a last layer {type: Sigmoid}" if loss_name == "SigmoidWithLoss" else ""
            raise ValueError(f"{error}{hint}") from None

    def check_targets(self, t):
        t = as_array(t)
        if t.dtype.kind not in "iuf":
            raise TypeError(f"expects inputs of numbers; got {odd_type(t)}")
        if not are_in_files(t):  # those say it when they are read
            check_finite(t)

    # Both would read all inputs several times, only to say how good no net is.

    def guess(self, train_t, t):
        if are_in_files(train_t):
            return None
        return math.sqrt(mean_square(t, mean(train_t)))

    def guessing_loss(self, loss_name, train_t, width=None):
        if are_in_files(train_t):
            return None
        return Regression.guessing_loss(self, loss_name, train_t, width)

    def _content(self):
        return "the inputs as targets"

    def _cure(self, shape, wanted):
        if math.prod(shape) == math.prod(wanted):
            return f": let the last layer be {{type: Reshape, shape: {list(wanted)}}}"
        if len(shape) == 1 and len(wanted) > 1:
            return (
                f": let the last layers be {{type: Affine, n_out: {math.prod(wanted)}}} and "
                f"{{type: Reshape, shape: {list(wanted)}}}"
            )
        return super()._cure(shape, wanted)

    def __repr__(self):
        return "Reconstruction()"
