"""How large weights were at first, beside what He's rule gives. He et al. 2015, equation 10."""

import math

TOO_SMALL = 1.0 / 30.0  # times its deviation: next to 0
SMALL = 0.3  # of it, where layers follow on each other
# Their weights have these shapes, so the number of inputs of a unit is known.
FAN_IN = {"Affine": lambda shape: shape[0], "Convolution": lambda shape: math.prod(shape[1:])}


def began_near_0(record, name: str, fraction: float = TOO_SMALL) -> bool:
    """Did these weights start at 0, or at a small fraction of what He's rule gives?"""
    start = record.matrices[name]
    return start["std"] is not None and start["std"] < fraction * he_std(record, name)


def he_norm(record, name: str) -> float:
    """The norm that weights have by He's rule."""
    return he_std(record, name) * math.sqrt(math.prod(record.matrices[name]["shape"]))


def he_std(record, name: str) -> float:
    """The deviation of He's rule."""
    return math.sqrt(2.0 / inputs_of_a_unit(record, name))


def inputs_of_a_unit(record, name: str) -> int:
    """How many numbers a unit sums up, 1 at least. Of layers that are not known these are taken to
    be the rows of a matrix, and all but the first axis of what has more."""
    shape = record.matrices[name]["shape"]
    usual = FAN_IN["Affine" if len(shape) == 2 else "Convolution"]
    return max(FAN_IN.get(record.kind_of(name), usual)(shape), 1)


def times_he(record) -> dict[str, float]:
    """{weights: their first deviation, in those of He's rule}, where the fan-in is known."""
    return {
        name: start["std"] / he_std(record, name)
        for name, start in record.matrices.items()
        if start["std"] and start["learns"] and record.kind_of(name) in FAN_IN
    }
