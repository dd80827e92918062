"""Constants beside the data: arrays of the kind that the data are."""

import numpy as np

from lamina.autodiff import primal


def beside(X, constant):
    """A plain array as one of the kind that X is. Another library may have made that (one that
    implements NumPy's protocols and refuses plain arrays, as CuPy's do); for NumPy's own arrays,
    traced ones too, it is the very array."""
    return np.asarray(constant, like=primal(X))
