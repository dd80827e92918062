"""The one check of layers that compute in the dtype of their input: is it one of floats?"""

import numpy as np


def check_floats(layer, *arrays) -> None:
    """Raise TypeError if an array is not one of floats; plain numbers, NumPy's too, pass. `layer`
    is the layer, or its name.

    For layers whose output has the dtype of X: in uint8 3 - 5 is 254, and exp of uint8 a float16.
    Layers with parameters compute in the dtype that X and those have together, and layers that only
    move numbers take any.
    """
    for X in arrays:
        dtype = getattr(X, "dtype", None)
        if dtype is not None and dtype.kind != "f" and not isinstance(X, np.generic):
            name = layer if isinstance(layer, str) else type(layer).__name__
            raise TypeError(f"{name}: expects floats, got {dtype}; X.astype(np.float32)")
