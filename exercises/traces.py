"""Marks for what is no layer: the solution and the project's own do the same things side by side,
and what comes out is compared, result by result."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from lamina.exercises.forward import worst
from lamina.exercises.marking import Mark, Part, manners
from lamina.layers.check.report import FAILED, Finding

Result = tuple[str, str, Any]  # the array, when, what it is
START = "at the start"  # when it is before anything was done, which is no result
_ROUNDING = 1e-15  # of the largest of an array's results: what a few operations may round by


@dataclasses.dataclass(frozen=True)
class Trial:
    """Something to do with a class or function, in words, and how: `run` yields its results."""

    where: str
    run: Callable[..., Iterable[Result]]
    relative: float = 1e-9  # what may differ, as a share


@dataclasses.dataclass(frozen=True)
class Difference:
    """The first result of a trial that is another one."""

    trial: Trial
    place: int
    own: list[Result]
    right: list[Result]

    def change(self, results: list[Result]):
        """By how much the array has moved since the result before it of the same name."""
        name, _, value = results[self.place]
        before = [v for n, _, v in results[: self.place] if n == name]
        return np.asarray(value, float) - np.asarray(before[-1], float) if before else None


def mark_by_trials(
    name: str,
    own,
    right,
    trials: list[Trial],
    rules: Mapping[str, Callable[[Any], str]],
    cause: Callable[[Difference], str] = lambda difference: "",
) -> Mark:
    """80 points for results that are those of the project, 20 for the `rules`, {in words: what is
    wrong with the solution, or ""}."""
    if own is right:
        return Mark(name, [], "is the project's own, which is the solution")
    same = total = 0
    runs = False
    findings: list[Finding] = []
    for trial in trials:
        expected = list(trial.run(right))
        results, raised = _results(trial, own, len(expected))
        equal, found = _compared(trial, results, raised, expected, cause)
        total += sum(when != START for _, when, _ in expected)
        same, findings = same + equal, findings + found
        runs |= _does_something(results)
    result = Part("result", 80, 80 * same / total, f"{same} of {total} results", findings)
    if not runs:
        return Mark(name, [result, Part("manners", 20, 0.0, "nothing to judge")])
    broken = {}
    for said, rule in rules.items():
        if wrong := _judged(rule, own):
            array, _, message = wrong.partition(": ")
            broken[said] = [Finding(FAILED, array, said, message)]
    return Mark(name, [result, manners("manners", 20, broken)])


def _results(trial: Trial, own, n: int) -> tuple[list[Result], Exception | None]:
    """What a solution gives, n results and one more at the most, and what it raises."""
    results: list[Result] = []
    with np.errstate(all="ignore"):
        try:
            for name, when, value in trial.run(own):
                results.append((name, when, np.copy(value) if _is_array(value) else value))
                if len(results) > n:
                    break
        except Exception as error:
            return results, error
    return results, None


def _does_something(results: list[Result]) -> bool:
    """Is there a number, be it right or not, that is not just what was there at the start?"""
    starts = {name: value for name, when, value in results if when == START}
    return any(
        _is_number(value) and not (name in starts and np.array_equal(value, starts[name]))
        for name, when, value in results
        if when != START
    )


def _is_number(value) -> bool:
    try:
        return value is not None and np.asarray(value, float).dtype.kind == "f"
    except (TypeError, ValueError):
        return False


def _compared(
    trial: Trial, results: list[Result], raised: Exception | None, expected: list[Result], cause
) -> tuple[int, list[Finding]]:
    """(results that are the same, what is wrong with the first that is not)."""
    pairs = list(zip(results, expected, strict=False))
    # What is 0 in one way of writing a formula is rounded in another, by the size of its numbers.
    sizes: dict[str, float] = {}
    for name, _, wanted in expected:
        sizes[name] = max(sizes.get(name, 0.0), _size(wanted))
    equal = [
        _same(own[2], wanted[2], trial.relative, _ROUNDING * sizes[wanted[0]])
        for own, wanted in pairs
    ]
    number = sum(e and wanted[1] != START for e, (_, wanted) in zip(equal, pairs, strict=True))
    if all(equal) and raised is None and len(results) == len(expected):
        return number, []
    if all(equal):
        name, when, _ = expected[min(len(results), len(expected) - 1)]
        return number, [Finding(FAILED, name, f"{trial.where}, {when}", _told(raised))]
    place = equal.index(False)
    name, when, value = results[place]
    wanted = expected[place][2]
    try:
        likely = cause(Difference(trial, place, results, expected))
    except (TypeError, ValueError):  # of what is no number nothing is likely
        likely = ""
    message = _off(value, wanted) + (f"\nlikely: {likely}" if likely else "")
    return number, [Finding(FAILED, name, f"{trial.where}, {when}", message)]


def _is_array(value) -> bool:
    return isinstance(value, np.ndarray)


def _told(raised: Exception | None) -> str:
    if isinstance(raised, NotImplementedError):
        return f"is still a gap: nothing is written ({raised})"
    return f"raises {type(raised).__name__}: {raised}" if raised else "more results than asked for"


def _off(value, wanted) -> str:
    if value is None:
        return "is None: return the result"
    if not isinstance(wanted, (np.ndarray, float, int)):
        return f"is {value!r:.60}, should be {wanted!r:.60}"
    try:
        value = np.asarray(value, float)
    except (TypeError, ValueError):
        return f"is {value!r:.60}, which is no number"
    if value.shape != np.shape(wanted):
        return f"has shape {value.shape}, should have {np.shape(wanted)}"
    return worst(value, np.asarray(wanted, float))


def _size(value) -> float:
    """The largest of these numbers that is finite; 0 where there is none."""
    if isinstance(value, bool) or not _is_number(value):
        return 0.0
    numbers = np.abs(np.asarray(value, float))
    return float(np.max(numbers[np.isfinite(numbers)], initial=0.0))


def _same(value, wanted, relative: float, rounding: float) -> bool:
    if value is None or isinstance(wanted, (str, bool)):
        return value is wanted or (value is not None and np.array_equal(value, wanted))
    try:
        value, wanted = np.asarray(value, float), np.asarray(wanted, float)
    except (TypeError, ValueError):
        return False
    room = relative * float(np.max(np.abs(wanted), initial=0.0)) + 1e-300 + rounding
    same = value.shape == wanted.shape
    return same and np.allclose(value, wanted, rtol=relative, atol=room, equal_nan=True)


def _judged(rule: Callable[[Any], str], own) -> str:
    with np.errstate(all="ignore"):
        try:
            return rule(own)
        except Exception as error:
            return f"raises: {type(error).__name__}: {error}"
