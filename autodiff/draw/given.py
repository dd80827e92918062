"""What the shell gives: NAME=VALUE, a number or nested lists of numbers."""

import json
import unicodedata

import numpy as np

LARGEST = 256  # entries of an input


class ExpressionError(ValueError):
    """An expression or an input that cannot be used; says which part, and what to do."""


def read_inputs(texts: list[str]) -> dict:
    """{name: value} of "x=-2", "W=[[1, 2], [3, 4]]", ... Raises ExpressionError."""
    inputs = {}
    for name, value in map(_read_input, texts):
        if name in inputs:
            raise ExpressionError(f"{name} is given twice; keep one")
        inputs[name] = value
    return inputs


def _read_input(text: str) -> tuple:
    name, equals, value = text.partition("=")
    name = unicodedata.normalize("NFKC", name.strip())  # as Python reads names: ℌ is H
    if not equals or not name.isidentifier():
        raise ExpressionError(f"{short(text)}: expects NAME=VALUE, as in x=-2 or v='[1, 2]'")
    try:
        return name, float(value)
    except ValueError:
        pass
    try:
        return name, _array(json.loads(value[: 40 * LARGEST]))
    except (ValueError, RecursionError, OverflowError):
        raise ExpressionError(
            f"{name}={short(value)}: expects a number, or a list of numbers or of rows of equal "
            f"length with at most {LARGEST} entries, as in '[[1, 2], [3, 4]]'"
        ) from None


def _array(value) -> np.ndarray:
    rows = value if isinstance(value, list) else [value]
    entries = [x for row in rows for x in (row if isinstance(row, list) else [row])]
    if not 0 < len(entries) <= LARGEST or any(type(x) not in (int, float) for x in entries):
        raise ValueError("no numbers, or too many")
    return np.array(value, float)


def short(text: str) -> str:
    """The text, cut where it is too long for an error."""
    return text if len(text) <= 60 else text[:57] + "..."
