"""The parameters of an optimizer: a dict of Params, and those of one net."""

from collections.abc import Mapping

from lamina.layers.base import Param


def checked_parameters(rule: str, parameters) -> dict[str, Param]:
    """The dict of Params that `net.parameters()` gives, each of them once, under its first name.

    Raises TypeError, which says what to give, for anything else.
    """
    cure = f"{rule}(net.parameters(), ...)"
    if not isinstance(parameters, Mapping):
        got = f"a {type(parameters).__name__}"
        if callable(getattr(parameters, "parameters", None)):
            got = f"a {type(parameters).__name__} itself"
        elif callable(parameters):
            got = "a function that was not called"
        raise TypeError(f"parameters: expects a dict of Params by name, got {got}: {cure}")
    params, seen = {}, set()
    for name, param in parameters.items():
        if not isinstance(param, Param):
            kind = type(param).__name__
            raise TypeError(f"parameters: {name} is of type {kind}, and not a Param: {cure}")
        if id(param) not in seen:
            seen.add(id(param))
            params[name] = param
    return params


def foreign_parameters(net, optimizer) -> list[str]:
    """The names, in the optimizer, of its parameters that are not the net's own objects."""
    own = {id(param) for param in net.parameters().values()}
    return [name for name, param in optimizer.parameters.items() if id(param) not in own]


def unknown_parameters(net, optimizer) -> list[str]:
    """The names, in the net, of its trainable parameters that the optimizer does not know."""
    known = {id(param) for param in optimizer.parameters.values()}
    return [n for n, p in net.parameters().items() if p.trainable and id(p) not in known]
