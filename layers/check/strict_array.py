"""An array of another library, as strict as CuPy's: it mixes with no plain array."""

import numpy as np


class StrictArray(np.lib.mixins.NDArrayOperatorsMixin):
    """Takes part in ufuncs and NumPy's functions beside its own kind and numbers alone.

    Nothing makes a plain array of it in silence, and beside a plain one it raises TypeError; an
    index may be plain. np.asarray(plain, like=strict) makes one, as np.zeros with `like` does.
    """

    def __init__(self, array):
        self.array = array

    def __array__(self, *args, **options):
        raise TypeError("np.asarray, or something like it, would make it a plain array")

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        options = _bare(options) | ({} if out is None else {"out": _bare(out)})
        done = getattr(ufunc, method)(*_bare(inputs), **options)
        return _strict(done) if out is None else out[0]

    def __array_function__(self, function, types, args, options):
        options = {name: value for name, value in options.items() if name != "like"}
        if function is np.asarray:  # what is wanted, said openly
            return _strict(function(*args, **options))
        done = function(*_bare(args), **_bare(options))
        return options["out"] if options.get("out") is not None else _strict(done)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self.array, name)
        if not callable(found):
            return _strict(found) if isinstance(found, np.ndarray) else found
        return lambda *args, **options: _strict(found(*_bare(args), **_bare(options)))

    def __getitem__(self, index):
        return StrictArray(np.asarray(self.array[_index(index)]))

    def __setitem__(self, index, value):
        self.array[_index(index)] = _bare(value)

    def __len__(self):
        return len(self.array)

    def __iter__(self):
        return (StrictArray(np.asarray(part)) for part in self.array)

    def __bool__(self):
        return bool(self.array)

    def __float__(self):
        return float(self.array)

    def __int__(self):
        return int(self.array)

    def __format__(self, spec):
        return format(self.array[()], spec)

    def __deepcopy__(self, memo):
        return StrictArray(self.array.copy())


def _bare(value):
    """What is inside; TypeError for a plain array that is no single number."""
    if isinstance(value, StrictArray):
        return value.array
    if isinstance(value, (tuple, list)):
        return type(value)(map(_bare, value))
    if isinstance(value, dict):
        return {name: _bare(inner) for name, inner in value.items()}
    if isinstance(value, np.ndarray) and value.ndim:
        raise TypeError(f"a plain array {value.shape} {value.dtype} stands beside it")
    return value


def _strict(value):
    if isinstance(value, (tuple, list)):
        return type(value)(map(_strict, value))
    return StrictArray(np.asarray(value)) if isinstance(value, (np.ndarray, np.generic)) else value


def _index(index):
    if isinstance(index, tuple):
        return tuple(map(_index, index))
    return index.array if isinstance(index, StrictArray) else index
