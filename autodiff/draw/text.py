"""Numbers and arrays as short texts."""

import numpy as np

SMALL = 6  # entries of an array that a picture writes out
ROWS = 3
WIDE = 6  # characters of a row for each digit


def number(x, digits: int = 4) -> str:
    """A number with that many significant digits; -0 is 0, and 1e+06 is 1e6."""
    text = f"{float(x) + 0.0:.{digits}g}"  # adding 0.0 makes 0 of -0
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if e else text


def shape(array) -> str:
    """A shape as NumPy writes it: (3, 4)."""
    return str(np.shape(array))


def norm(array) -> float:
    """The root of the sum of squares, computed in float64."""
    return float(np.linalg.norm(np.ravel(np.asarray(array, dtype=float))))


def summary(array, digits: int = 4) -> str:
    """What a big array is drawn as: its shape and norm."""
    if not np.size(array):
        return f"{shape(array)} empty"
    if array.dtype.kind != "f":
        return f"{shape(array)} {array.dtype}"
    return f"{shape(array)} norm {number(norm(array), digits)}"


def lines(value, digits: int = 4) -> list[str]:
    """A value as the lines of a label: a number, the rows of a small array, or shape and norm."""
    array = np.asarray(value)
    if array.ndim == 0:
        return [number(array, digits)]
    if 0 < array.size <= SMALL and array.ndim <= 2:
        for fewer in (digits, digits - 1):
            rows = matrix(array, fewer)
            if len(rows) <= ROWS and len(rows[0]) <= WIDE * digits:
                return rows
    return [summary(array, digits)]


def matrix(array, digits: int) -> list[str]:
    """The rows of a vector or matrix, their columns below each other."""
    rows = array[np.newaxis] if array.ndim == 1 else array
    cells = [[number(x, digits) for x in row] for row in rows]
    widths = [max(len(row[j]) for row in cells) for j in range(len(cells[0]))]
    return [
        "[" + " ".join(f"{x:>{w}}" for x, w in zip(row, widths, strict=True)) + "]" for row in cells
    ]


def one_line(value, digits: int = 6) -> str:
    """A value inside a sentence: [[1, 2], [3, 4]] for a small array."""
    array = np.asarray(value)
    if array.ndim == 0:
        return number(array, digits)
    if array.size > SMALL:
        return summary(array, digits)
    return "[" + ", ".join(one_line(part, digits) for part in array) + "]"
