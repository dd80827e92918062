"""One position at a time: does a layer that can step give what its whole forward gives?

The rule is a function (case, report, rng) that adds findings and says nothing when all is well.
"""

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.carried import carried_by
from lamina.layers.check.case import Case, as_tuple
from lamina.layers.check.differences import same_numbers
from lamina.layers.check.report import FAILED, Report


def steps_are_the_whole(case: Case, report: Report, rng) -> None:
    """Position by position, and from a longer beginning, as whole; from one state twice the same;
    and nothing that the layer holds moves.

    An example needs sequences of two positions or more, (N, T, n) or indices (N, T); of a layer
    that works `by_position` any example is made one. Inputs of as many positions go along; others,
    such as a first state or what attention looks back at, are given whole each time. Nets take the
    steps of their layers, and are not asked.
    """
    layer, inputs = case.fresh()
    if case.training or layer.goes_back_once or not layer.can_step:
        return
    inputs = _in_sequence(layer, inputs)
    if inputs is None:
        return
    report.stepped, before, n = True, _held(layer), _length(inputs)
    for ends in (range(1, n + 1), (n - 1, n)):
        if message := _wrong(case, layer, inputs, ends):
            report.add(FAILED, "step", case.where, message)
            return
    if not _same(_held(layer), before):
        message = (
            "moves what the layer holds (a State, what is carried, a generator): what the next "
            "step goes on with belongs into the state that step returns"
        )
        report.add(FAILED, "step", case.where, message)


def _wrong(case: Case, layer: Layer, inputs: list, ends) -> str:
    """What is wrong in going from end to end, "" if nothing is."""
    start, state = 0, None
    for end in ends:
        part = _part(inputs, start, end)
        try:
            given, after = layer.step(*part, state)
            again, _ = layer.step(*part, state)
        except Exception as error:
            return f"raises {type(error).__name__}, though can_step is True: {error}"
        given, right = as_tuple(given), _whole(case, inputs, start, end)
        place = f"position {start}" if end == start + 1 else f"positions {start} to {end - 1}"
        if (got := [y.shape for y in given]) != (shapes := [y.shape for y in right]):
            return f"gives {got} for {place}, and the whole forward {shapes}"
        if not _close(given, right):
            worst = max(float(np.max(np.abs(a - b))) for a, b in zip(given, right, strict=True))
            why = (
                "by_position = True is for layers that compute each position from itself alone"
                if layer.by_position and type(layer).step is Layer.step
                else "does each see what forward sees there, and the state all that came before?"
            )
            return f"is off by up to {worst:.3g} at {place} from the whole forward\n{why}"
        if not _same(as_tuple(again), given):
            return (
                "gives something else when it is taken again from the same state: return a new "
                "one, write into none, and keep nothing on self"
            )
        start, state = end, after
    return ""


def _whole(case: Case, inputs: list, start: int, end: int) -> list:
    """What forward gives at these positions; of an output without positions, such as that of the
    last step alone, what it gives for all up to there."""
    n = _length(inputs)
    lengths = (n, n - 1, end)
    all_, shorter, so_far = (_forward(case, _part(inputs, 0, length)) for length in lengths)
    return [
        a[:, start:end] if (a.shape[1:2], b.shape[1:2]) == ((n,), (n - 1,)) else c
        for a, b, c in zip(all_, shorter, so_far, strict=True)
    ]


def _forward(case: Case, inputs: list) -> tuple:
    layer, _ = case.fresh()
    return tuple(map(np.copy, as_tuple(layer.forward(*inputs))))


def _in_sequence(layer: Layer, inputs: list):
    """Inputs of two positions or more, or None if the example cannot give them."""
    if any(map(_is_sequence, inputs)):
        return inputs if _length(inputs) > 1 else None
    batched = all(x.ndim > (x.dtype.kind == "f") for x in inputs)
    if not (batched and type(layer).step is Layer.step):
        return None
    return [np.stack([np.roll(x, k, axis=0) for k in range(3)], axis=1) for x in inputs]


def _is_sequence(x) -> bool:
    return x.ndim == (3 if x.dtype.kind == "f" else 2)


def _length(inputs: list) -> int:
    """How many positions there are: those of the first sequence."""
    return next((x for x in inputs if _is_sequence(x)), inputs[0]).shape[1]


def _part(inputs: list, start: int, end: int) -> list:
    """These positions of the sequences, and what is none as it is."""
    n = _length(inputs)
    vectors = [x.ndim == 2 and x.dtype.kind == "f" for x in inputs]
    return [
        x if whole or x.shape[1:2] != (n,) else x[:, start:end]
        for x, whole in zip(inputs, vectors, strict=True)
    ]


def _held(layer: Layer) -> tuple:
    carried = [held.evaluated for held in carried_by(layer)]
    return (*layer.state().values(), *map(np.copy, carried))


def _same(some, others) -> bool:
    return len(some) == len(others) and all(map(same_numbers, some, others))


def _close(some, others) -> bool:
    """To 1e-9 of the largest; a NaN or infinity beside its like is close."""
    scales = [float(np.max(np.abs(y), initial=1.0)) for y in others]
    return all(
        np.allclose(a, b, rtol=0.0, atol=1e-9 * scale, equal_nan=True)
        for a, b, scale in zip(some, others, scales, strict=True)
    )
