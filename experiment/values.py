"""Is a value of the YAML of the kind that a parameter is annotated with?"""

import math
import types
import typing

from lamina.experiment.config import Config, describe


def check_value(config: Config, place: tuple, value, annotation):
    """value, if it is of the annotated kind; whole numbers pass as floats, lists as tuples."""
    kinds = (
        typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    )
    kinds = [typing.get_origin(k) or k for k in kinds]
    if not all(k in (int, float, bool, str, tuple, type(None)) for k in kinds):
        return value
    if isinstance(value, list) and tuple in kinds:
        return tuple(value)
    if value is None and type(None) in kinds:
        return None
    if isinstance(value, bool):
        fits = bool in kinds
    elif isinstance(value, int):
        fits = int in kinds or float in kinds
    else:
        fits = type(value) in kinds
    if isinstance(value, float) and not math.isfinite(value):
        raise config.error(place, f"expects a finite number, got {value}")
    if not fits:
        names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
        names |= {tuple: "a list", type(None): "nothing"}
        wanted = " or ".join(names[k] for k in kinds if k is not type(None))
        raise config.error(place, f"expects {wanted}, got {describe(value)}{_hint(value, kinds)}")
    return value


def _hint(value, kinds) -> str:
    """YAML 1.1 reads 1e-3 as text: its floats need a dot. And 3e3 is no whole number."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return ""
    if isinstance(value, bool) or not math.isfinite(number) or not {int, float} & set(kinds):
        return ""
    if float not in kinds:
        return f"; write it as {int(number)}" if number.is_integer() else ""
    mantissa, e, exponent = str(value).lower().partition("e")
    dotted = f"{mantissa}.0e{exponent}" if e and "." not in mantissa else repr(number)
    return f"; write it as {dotted}"
