"""Why a forward is not that of the project, in plain words: which one change of the project's own
would do the same as the solution does?"""

import inspect
import re

import numpy as np

from lamina.exercises.one_change import first_of_each, first_that
from lamina.layers.check.case import Case, as_tuple
from lamina.layers.check.differences import explains, is_plain, times

TOLERANCE = 1e-6


def likely_cause(own: Case, right: Case, number: int, y, expected) -> str:
    """The first known mistake that gives this output `number` in place of the right one; ""."""
    with np.errstate(all="ignore"):
        for look in (_plain, _as_if, _factor, _not_finite, _changed, _where_wrong):
            try:
                if cause := look(right, number, np.asarray(y, float), np.asarray(expected)):
                    return cause
            except Exception:  # a guess that does not run is no explanation
                continue
    return ""


def _not_finite(right: Case, number: int, y, expected) -> str:
    if np.isfinite(y).all():
        return ""
    if np.isnan(y).any():
        return (
            "an overflow, as exp of a large number, or 0 / 0: subtract the maximum of each row "
            "before exp, or take a form that cannot overflow"
        )
    if not re.search(r"\b(exp|log\w*|tanh)\(", inspect.getsource(type(right.layer))):
        return "infinite: is an inf of your own, as that of a padding, added up, or divided by 0?"
    return "log of 0, or exp of a large number: take a form that is finite for all inputs"


def _plain(right: Case, number: int, y, expected) -> str:
    if not y.any():
        return "it is 0 everywhere: is the result written into the array that is returned?"
    if explains(-expected, y, expected):
        return "a sign: it is the negative of the right result"
    for name, i in right.input_names.items():
        if np.shape(right.inputs[i]) == y.shape and _same(y, right.inputs[i]):
            return f"it is {name} itself"
    if y.ndim and np.allclose(expected.sum(axis=-1), 1.0):
        for axis in range(y.ndim - 1):
            if np.allclose(y.sum(axis=axis), 1.0):
                return f"the wrong axis: it adds up to 1 over axis {axis}, should over the last one"
    return ""


def _as_if(right: Case, number: int, y, expected) -> str:
    """The project's own forward, with one thing changed."""

    def output(change=None, inputs=None) -> np.ndarray:
        layer, given = right.fresh()
        if change:
            change(layer)
        return np.asarray(as_tuple(layer.forward(*(inputs or given)))[number])

    def fits(change=None, inputs=None, after=lambda y: y) -> bool:
        try:
            return explains(after(output(change, inputs)), y, expected)
        except Exception:
            return False

    if fits(lambda layer: layer.set_training(not right.training)):
        other, this = ("evaluation", "training") if right.training else ("training", "evaluation")
        return f"it does as in {other}, and this is {this}: look at self.training"
    if right.layer.is_frozen() and fits(_thaw):
        return "it does as if it were not frozen: look at self.is_frozen()"
    for name in right.parameter_names:
        for value, what in (
            (0.0, "left out (as if 0)"),
            (1.0, "left out (as if 1)"),
            (-1.0, "negative"),
        ):
            if fits(lambda layer, n=name, v=value: _set(layer, n, v)):
                return f"{name} is {what}"
    for name, value in _settings(right.layer).items():
        for other, said in _others(value):
            if fits(lambda layer, n=name, v=other: setattr(layer, n, v)):
                return f"it does as if self.{name} were {said}"
    (X, *others), given = right.inputs, right.inputs[0].ndim
    if given == 2 and not others and fits(inputs=[X.T.copy()], after=np.transpose):
        return "the wrong axis: over the samples (axis 0) for the last axis, or the other way"
    return ""


def _changed(right: Case, number: int, y, expected) -> str:
    """The project's own forward, with one thing in its source changed."""

    def gives(cls) -> bool:
        layer, inputs = right.fresh()
        layer.__class__ = cls
        return explains(as_tuple(layer.forward(*inputs))[number], y, expected)

    return first_that(type(right.layer), "forward", gives)


def gradient_causes(right: Case, gradients: dict, douts: tuple) -> dict[str, str]:
    """The same for gradients, by their names: one change of the project's own backward, or of what
    its forward keeps, that gives them."""

    def given_by(cls) -> dict:
        layer, inputs = right.fresh()
        layer.__class__ = cls
        layer.forward(*inputs)
        return right.collect(layer, layer.backward(*(np.copy(d) for d in douts)))

    def explained_by(cls) -> set[str]:
        given = given_by(cls)
        return {n for n, g in gradients.items() if explains(given[n], g, expected[n])}

    with np.errstate(all="ignore"):
        expected = given_by(type(right.layer))
        return first_of_each(type(right.layer), "backward", set(gradients), explained_by)


def _factor(right: Case, number: int, y, expected) -> str:
    factor = float(np.sum(y * expected) / max(np.sum(expected * expected), 1e-300))
    if not explains(factor * expected, y, expected):
        shift = y - expected
        if shift.size > 1 and explains(expected + shift.flat[0], y, expected):
            return f"a summand: it is the right result plus {float(shift.flat[0]):.4g}"
        return ""
    counts = _counts(right.inputs[0].shape)
    text = f"a factor: it is {times(factor)} times the right result"
    for what, n in counts.items():
        if n > 1 and np.isclose(factor, n):
            return f"{text}, which is {what}: a sum where a mean is asked for"
        if n > 1 and np.isclose(factor, 1.0 / n):
            return f"{text}, one by {what}: a mean where a sum is asked for, or a mean twice"
    p = getattr(right.layer, "p", None)
    if isinstance(p, float) and 0 < p < 1 and np.isclose(factor, 1.0 - p):
        return f"{text}: divide by 1 - p in training"
    return text if is_plain(factor, y.size) else ""


def _counts(shape: tuple) -> dict[str, int]:
    counts = {"the number of samples": np.prod(shape[:-1]), "the number of entries": np.prod(shape)}
    return counts | ({"N": shape[0], "the length of the last axis": shape[-1]} if shape else {})


def _where_wrong(right: Case, number: int, y, expected) -> str:
    """Are the wrong entries those of one kind of input?"""
    wrong = ~np.isclose(y, expected, rtol=TOLERANCE, atol=TOLERANCE * np.abs(expected).max())
    for name, i in right.input_names.items():
        x = right.inputs[i]
        if x.shape != wrong.shape or wrong.all():
            continue
        for what, where in (("negative", x < 0), ("positive", x > 0), ("0", x == 0)):
            if where.any() and not where.all() and (wrong <= where).all():
                return f"wrong only where {name} is {what}"
    if wrong.ndim > 1 and wrong.any(axis=tuple(range(1, wrong.ndim))).sum() == 1 < len(wrong):
        return "wrong in one sample alone: does a loop begin or end one too early or too late?"
    return ""


def _settings(layer) -> dict[str, float]:
    """Numbers that the layer was made with: eps, p, slope."""
    found = vars(layer).items()
    return {n: v for n, v in found if isinstance(v, (int, float)) and not isinstance(v, bool)}


def _others(value: float):
    for other, said in ((0.0, "0"), (1.0, "1"), (1.0 - value, "1 minus it"), (-value, "negative")):
        if other != value:
            yield other, said
    yield 2 * value, "twice as large"


def _thaw(layer) -> None:
    for param in layer.parameters().values():
        param.trainable = True


def _set(layer, name: str, value: float) -> None:
    param = layer.parameters()[name]
    param.data = -param.data if value < 0 else np.full_like(param.data, value)


def _same(a, b) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    room = TOLERANCE * float(np.max(np.abs(b), initial=0.0))
    return a.shape == b.shape and np.allclose(a, b, rtol=TOLERANCE, atol=room)
