"""What is minimised: the loss of a batch, or the loss with a penalty on its gradient."""

import functools
from collections.abc import Callable

from lamina.training.gradient_penalty import add_penalised_gradient

# (net, X, t, scale) -> the value; adds scale() times its gradient to those of the parameters, and
# asks for it after the loss, when it is known how much counts in the batch.
Objective = Callable[..., float]


def whole() -> float:
    """The scale of a batch that stands alone."""
    return 1.0


def add_gradient(net, X, t, scale: Callable[[], float] = whole) -> float:
    """The loss of a batch."""
    loss = float(net.loss(X, t))
    net.backward(scale())
    return loss


def make_objective(gradient_penalty: float = 0.0) -> Objective:
    """The loss, or with λ > 0 the loss + λ ‖∇loss‖². Raises ValueError for λ < 0."""
    if not gradient_penalty >= 0:
        raise ValueError(f"gradient_penalty: expects at least 0, got {gradient_penalty}")
    if not gradient_penalty:
        return add_gradient
    return functools.partial(add_penalised_gradient, penalty=gradient_penalty)
