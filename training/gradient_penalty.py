"""A penalty on the norm of the gradient: flat places are preferred to steep ones."""

import numpy as np

from lamina.layers import Carried, State
from lamina.layers.saved_state import restore, saved
from lamina.layers.sparse_rows import dense


def add_penalised_gradient(net, X, t, scale=lambda: 1.0, *, penalty: float) -> float:
    """Train on R = L + λ ‖∇L‖², the example of higher-order derivatives in note 000.

    With g = ∇L, ∇R = g + 2 λ H g: a backward pass, and one Hessian-vector product. Both see the
    same dropout masks, and running statistics move once. Adds scale() · ∇R to the gradients of the
    parameters and returns R.
    """
    trained = {name: param for name, param in net.parameters().items() if param.trainable}
    earlier = {name: param.grad for name, param in trained.items()}
    kinds = (State, Carried, np.random.Generator)
    moving = [held for _, held in net.walk() if isinstance(held, kinds)]
    before = [saved(held) for held in moving]
    for param in trained.values():
        param.grad = None
    loss = float(net.loss(X, t))
    net.backward()
    gradient = {  # of a parameter that no loss reaches 0
        name: np.zeros_like(param.data) if param.grad is None else dense(param.grad)
        for name, param in trained.items()
    }
    for held, value in zip(moving, before, strict=True):
        restore(held, value)
    product = net.hvp(X, t, gradient)
    factor = scale()
    for name, param in trained.items():
        param.grad = earlier[name]
        param.accumulate(factor * (gradient[name] + (2.0 * penalty) * product[name]))
    squares = (float(np.vdot(g, g)) for g in gradient.values())
    return loss + penalty * sum(squares)
