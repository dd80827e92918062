"""Does a class of one's own keep to what its base says? Asked before it is made, and after."""

import inspect


def check_class(cls: type, base: type, needs: tuple[str, ...]) -> None:
    """Raises TypeError, in words, unless `cls` has the methods in `needs`, and every method that it
    overrides can be called as that of `base` is."""
    for name in (name for name in dir(base) if not name.startswith("_")):
        ours, own = (inspect.getattr_static(c, name) for c in (base, cls))
        if own is not ours and isinstance(ours, _METHODS):
            _check_method(cls, name, own, ours)
        elif own is ours and name in needs:
            raise TypeError(f"{cls.__name__} has no method {name}{_called(ours)}")


def check_made(made, needs: tuple[str, ...]) -> None:
    """Raises TypeError, in words, if attributes are missing that the base's constructor makes."""
    kind = type(made).__name__
    if missing := [name for name in needs if not hasattr(made, name)]:
        raise TypeError(
            f"{kind} has no {' and no '.join(missing)}: its __init__ has to call "
            "super().__init__(...), which makes them"
        )


_METHODS = (type(check_made), classmethod, staticmethod)


def _check_method(cls: type, name: str, own, ours) -> None:
    place, is_of_class = f"{cls.__name__}.{name}", isinstance(ours, classmethod)
    if is_of_class and not isinstance(own, (classmethod, staticmethod)):
        raise TypeError(f"{place}: expects @classmethod in front of it, since it makes the object")
    if not callable(getattr(cls, name)):
        raise TypeError(f"{place}: expects a method {_called(ours)}, got {own!r:.60}")
    needed = [p for p in _parameters(ours) if p.kind is p.POSITIONAL_OR_KEYWORD]
    given = [p.name for p in needed if p.default is p.empty]
    if any(p.kind is p.VAR_POSITIONAL for p in _parameters(ours)) and not given:
        return  # as many as the object takes
    bound = isinstance(own, (classmethod, staticmethod))  # else `self` comes first
    try:
        signature = inspect.signature(getattr(cls, name))
    except (TypeError, ValueError):  # of something built in
        return
    try:
        signature.bind(*(() if bound else ("self",)), *given)
    except TypeError as error:
        raise TypeError(f"{place}: is called with {_called(ours)}: {error}") from None


def _parameters(ours) -> list[inspect.Parameter]:
    """Those of a method of the base, without self or cls."""
    return list(inspect.signature(getattr(ours, "__func__", ours)).parameters.values())[1:]


def _called(ours) -> str:
    return f"({', '.join(str(p).partition(':')[0].partition('=')[0] for p in _parameters(ours))})"
