"""Checks of whole numbers that are given as settings."""

from numbers import Integral


def is_count(value, lowest: int) -> bool:
    """Is it a whole number of at least that?"""
    return is_whole(value) and value >= lowest


def check_count(name: str, value, lowest: int = 1) -> None:
    """Raises ValueError that names the setting, unless `is_count`."""
    if not is_count(value, lowest):
        whole = is_whole(value)
        kind, got = ("", value) if whole else ("a whole number of ", f"{value!r:.40}")
        raise ValueError(f"{name}: expects {kind}at least {lowest}, got {got}")


def is_whole(value) -> bool:
    """Is it a whole number? True, which Python takes for 1, is none."""
    return isinstance(value, Integral) and not isinstance(value, bool)
