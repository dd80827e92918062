"""`--set key.key=value`: one value of a configuration from elsewhere."""

from collections.abc import Container

from lamina.common.names import suggest
from lamina.common.strict_yaml import MAX_DEPTH, MAX_KEY, YamlError, check_text, describe, parse

# Two ways to say one thing: the one that is set takes the place of the other.
_OTHER_WAY = {
    ("training", "epochs"): "iterations",
    ("training", "iterations"): "epochs",
    ("dataset", "n_validation"): "validation_share",
    ("dataset", "validation_share"): "n_validation",
}


def set_value(data: dict, assignment: str, given: Container[tuple] = ()) -> tuple:
    """`put` the value of "a.b=value", which is YAML. Raises ValueError for what is none, and where
    one of the places `given` before says the same in another way."""
    key, equals, text = assignment.partition("=")
    if not equals:
        raise ValueError("expects key.key=value")
    place = place_of(key)
    try:
        value, _ = parse(text)
    except YamlError as error:
        raise ValueError(str(error)) from None
    other = (*place[:-1], _OTHER_WAY.get(place))
    if (
        value is not None
        and other in given
        and (data.get(place[0]) or {}).get(other[-1]) is not None
    ):
        raise ValueError(f"{'.'.join(other)} is set too, and both say the same: leave out one")
    return put(data, key, value)


def place_of(key: str) -> tuple:
    """("a", "b") of "a.b". Raises ValueError if it is no key."""
    place = tuple(key.split("."))
    if not all(place):
        raise ValueError("expects key.key=value")
    if len(place) > MAX_DEPTH or max(map(len, place)) > MAX_KEY:
        raise ValueError(f"expects keys of at most {MAX_KEY} characters, {MAX_DEPTH} at most")
    for part in place:
        check_text(part)
    return place


def put(data: dict, key: str, value) -> tuple:
    """Put a value at "a.b" into the data; returns its place, ("a", "b").

    Sections on the way that are missing are made: whoever builds refuses those that nobody reads.
    A layer that is new says where in its net it stands, by `after: NAME` or `before: NAME` among
    its settings, or in a graph by its `inputs`. `epochs` takes the place of `iterations`, and the
    other way round. Raises ValueError for anything else.
    """
    place = place_of(key)
    parents = [data]
    for i, part in enumerate(place[:-1]):
        if part not in parents[-1] and _is_layer(place[: i + 1], parents):
            raise ValueError(_no_layer(place[: i + 1], parents[-1]))
        parents.append(parents[-1].setdefault(part, {}))
        if not isinstance(parents[-1], dict):
            here = ".".join(place[: i + 1])
            raise ValueError(f"{here} is {describe(parents[-1])}, not a mapping")
    if place[-1] not in parents[-1] and _is_layer(place, parents):
        _place_layer(place, parents, value)
    else:
        parents[-1][place[-1]] = value
        if value is not None:  # which says nothing, and so takes no place
            parents[-1].pop(_OTHER_WAY.get(place), None)
    return place


def _is_layer(place: tuple, parents: list[dict]) -> bool:
    """Is this the place of a layer, beside others of its net?"""
    return place[0] == "net" and place[-2:-1] == ("layers",) and bool(parents[-1])


def _place_layer(place: tuple, parents: list[dict], layer) -> None:
    name, layers, net = place[-1], parents[-1], parents[-2]
    settings = layer if isinstance(layer, dict) else {}
    ways = [way for way in ("after", "before") if way in settings]
    if net.get("type") == "Graph" and "inputs" in settings and not ways:
        layers[name] = layer
        return
    if len(ways) != 1:
        raise ValueError(_no_layer(place, layers))
    neighbour = settings[ways[0]]
    if not isinstance(neighbour, str) or neighbour not in layers:
        raise ValueError(f"{ways[0]}: there is no layer {neighbour}{suggest(neighbour, layers)}")
    items = list(layers.items())
    i = list(layers).index(neighbour) + (ways[0] == "after")
    layer = {key: value for key, value in settings.items() if key != ways[0]}
    layers.clear()
    layers.update([*items[:i], (name, layer), *items[i:]])


def _no_layer(place: tuple, layers: dict) -> str:
    key = ".".join(place)
    return (
        f"there is no {key}{suggest(place[-1], layers)}; a new layer needs a place: "
        f"--set '{key}={{type: TYPE, after: {next(reversed(layers))}}}', or before: NAME"
    )
