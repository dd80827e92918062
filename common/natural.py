"""Names in the order in which people have them."""

import re


def natural(text: str) -> list:
    """A key to sort by, in which run2 comes before run10 and 0.02 before 0.1."""
    parts = re.split(r"(\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)", text)
    return [(0, float(p), "") if i % 2 else (1, 0.0, p) for i, p in enumerate(parts)]
