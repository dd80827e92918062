"""Rules of SciPy's special functions. SciPy comes with this file, which nothing else imports:

    import lamina.autodiff.scipy_special

registers `RULES_OF` below, of all orders and in both modes. What is a Python function in SciPy and
no ufunc, arrays cannot intercept: import `logsumexp`, `softmax`, `log_softmax` and `polygamma`
from here. They take plain arrays, too.
"""

import math
from collections.abc import Callable

import numpy as np

try:
    from scipy import special
except ImportError as error:
    raise ImportError("the rules of SciPy's functions need SciPy: pip install scipy") from error

from lamina.autodiff.own_rules import differential
from lamina.autodiff.rules.elementwise import over, times
from lamina.autodiff.rules.rule import primitive
from lamina.autodiff.traced import primal

ROOT_PI = math.sqrt(math.pi)


@primitive
def polygamma(n, x):
    """The derivative of order n of digamma; n is an integer."""
    return np.asarray(special.polygamma(n, x)).astype(np.result_type(x, np.float16))[()]


@primitive
def logsumexp(a, axis=None, *, keepdims=False):
    """log Σ exp a along axes, where exp a itself may overflow."""
    return special.logsumexp(a, axis=axis, keepdims=keepdims)


def log_softmax(x, axis=None):
    """x - logsumexp(x) along axes."""
    return x - logsumexp(x, axis, keepdims=True)


def softmax(x, axis=None):
    """exp x / Σ exp x along axes."""
    return np.exp(log_softmax(x, axis))


def _logsumexp(da, y, a, axis=None, *, keepdims=False):
    """Each by its share, from differences with the largest: those with y have the rounding of y."""
    largest = np.max(primal(a), axis=axis, keepdims=True)
    powers = np.exp(a - np.where(np.isfinite(largest), largest, a.dtype.type(0)))
    total = np.sum(powers, axis=axis, keepdims=True)
    shares = powers / np.where(np.equal(total, 0), a.dtype.type(1), total)
    return np.sum(times(da, shares), axis=axis, keepdims=keepdims)


def _density(x):
    return np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


# (dx, y, *args) -> dy for each argument; None: no derivative, as of an order.
RULES_OF: dict[Callable, list] = {
    special.erf: [lambda dx, y, x: times(dx, 2.0 / ROOT_PI * np.exp(-x * x))],
    special.erfc: [lambda dx, y, x: times(dx, -2.0 / ROOT_PI * np.exp(-x * x))],
    special.erfinv: [lambda dx, y, x: times(dx, 0.5 * ROOT_PI * np.exp(y * y))],
    special.expit: [lambda dx, y, x: times(dx, y * special.expit(-x))],
    special.log_expit: [lambda dx, y, x: times(dx, special.expit(-x))],
    special.logit: [lambda dx, y, x: over(over(dx, x), 1.0 - x)],
    special.ndtr: [lambda dx, y, x: times(dx, _density(x))],
    special.log_ndtr: [  # density / Φ, of which both underflow far on the left
        lambda dx, y, x: over(dx * math.sqrt(2.0 / math.pi), special.erfcx(-x / math.sqrt(2.0)))
    ],
    special.erfcx: [lambda dx, y, x: times(dx, 2.0 * x * y - 2.0 / ROOT_PI)],
    special.ndtri: [lambda dx, y, x: times(dx, math.sqrt(2.0 * math.pi) * np.exp(0.5 * y * y))],
    special.gamma: [lambda dx, y, x: times(times(dx, y), special.digamma(x))],
    special.gammaln: [lambda dx, y, x: times(dx, special.digamma(x))],
    special.digamma: [lambda dx, y, x: times(dx, polygamma(1, x))],
    polygamma: [None, lambda dx, y, n, x: times(dx, polygamma(n + 1, x))],
    special.entr: [lambda dx, y, x: times(dx, -np.log(x) - 1.0)],
    special.xlogy: [
        lambda dx, y, a, b: times(dx, np.log(b)),
        lambda dx, y, a, b: over(times(dx, a), b),
    ],
    special.xlog1py: [
        lambda dx, y, a, b: times(dx, np.log1p(b)),
        lambda dx, y, a, b: over(times(dx, a), 1.0 + b),
    ],
    logsumexp: [_logsumexp],
}

for _function, _pushes in RULES_OF.items():
    for _i, _push in enumerate(_pushes):
        if _push is not None:
            differential(_function, _i)(_push)
