"""What runs do not have in common: the settings by which they are told apart."""

import json

from lamina.training.described import OF_SEED, PROGRAM
from lamina.training.provenance import flattened

# Of two runs that differ in these alone one has learned what the other has, but for rounding; the
# seed is what is repeated.
_SEED = ("training", "seed")
_OF_PROGRAM = [("training", PROGRAM, key) for key in OF_SEED]  # the seed of a run made in Python
_NOTHING = (_SEED, *(("training", key) for key in ("threads", "checkpoint", "record_every")))
# A name stands for {type: name} under these keys; in a list of such the name is what we show.
_NAMED, _LISTED = ("init", "schedule", "augmentation"), ("metrics", "callbacks")
MOST_OF_NETS, LONGEST = 8, 50  # settings of nets in a table; characters of a net in words
MISSING = "-"  # what a configuration that does not have a setting shows


def settings_of(data: dict) -> dict[tuple, object]:
    """{place: value} of all settings of a configuration that decide what is learned, but the
    seed. Of two ways to write one thing, `init: zeros` and `init: {type: zeros}`, it is one."""
    flat = flattened(_alike(data))
    return {
        place: value
        for place, value in flat
        if place[:2] not in _NOTHING and place not in _OF_PROGRAM
    }


def seed_of(data: dict):
    """The seed of a configuration; of a run that was made in Python its generator and weights; None
    if it has neither."""
    training = data.get("training")
    if not isinstance(training, dict):
        return None
    if isinstance(program := training.get(PROGRAM), dict):
        return ", ".join(f"{key} {program[key]}" for key in OF_SEED if key in program)
    return training.get("seed")


def _alike(data, key: object = None):
    if key in _LISTED and not isinstance(data, list) and data is not None:
        data = [data]
    if isinstance(data, dict):
        return {name: _alike(value, name) for name, value in data.items()}
    if isinstance(data, list):
        listed = key in _LISTED
        return [v["type"] if listed and _is_name(v) else _alike(v) for v in data]
    return {"type": data} if key in _NAMED and isinstance(data, str) else data


def _is_name(value) -> bool:
    return isinstance(value, dict) and list(value) == ["type"]


def differing(several: list[dict[tuple, object]]) -> list[tuple]:
    """The places at which these settings do not agree, in their order."""
    places = dict.fromkeys(place for settings in several for place in settings)
    return [place for place in places if len({_key(s, place) for s in several}) > 1]


def layers_in_order(settings: dict[tuple, object]) -> tuple[str, ...]:
    """The dotted names of all layers in the order in which they stand, those of nets in nets too:
    a dict of settings is the same whatever their order, a net is not."""
    places = (p[: i + 2] for p in settings for i, key in enumerate(p) if key == "layers")
    return tuple(dict.fromkeys(".".join(map(str, p[2::2])) for p in places if p[0] == "net"))


def with_nets_named(several: list[dict[tuple, object]]) -> list[dict[tuple, object]]:
    """The same settings, with each net as one of them, "net: Embedding, Lstm, Affine", where more
    than MOST_OF_NETS of theirs differ: single layers of nets of different kinds side by side would
    say nothing. Others of the same layers are numbered."""
    if sum(place[0] == "net" for place in differing(several)) <= MOST_OF_NETS:
        return several
    nets = [{p: v for p, v in settings.items() if p[0] == "net"} for settings in several]
    kinds: list[dict] = []
    for net in nets:
        if net not in kinds:
            kinds.append(net)
    names = [_layers_in_words(kind) for kind in kinds]
    names = [f"{n} ({i})" if names.count(n) > 1 else n for i, n in enumerate(names, 1)]
    return [
        {p: v for p, v in settings.items() if p[0] != "net"} | {("net",): names[kinds.index(net)]}
        for settings, net in zip(several, nets, strict=True)
    ]


def _layers_in_words(net: dict[tuple, object]) -> str:
    """The kinds of its layers, each once, in their order; the net's own without any."""
    kinds = [v for p, v in net.items() if p[1:2] == ("layers",) and len(p) == 4 and p[3] == "type"]
    words = ", ".join(dict.fromkeys(map(str, kinds))) or str(net.get(("net", "type"), "net"))
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 3]}..."


def short_names(places: list[tuple]) -> list[str]:
    """What a table calls them: as few of the last keys as tell them apart, and "optimizer" for
    optimizer.type."""
    plain = [place[:-1] if place[-1] == "type" and len(place) > 1 else place for place in places]
    depths = [1 + (type(place[-1]) is int) for place in plain]  # metrics.0: a number names nothing
    while True:
        names = [".".join(map(str, p[-d:])) for p, d in zip(plain, depths, strict=True)]
        again = [names.count(name) > 1 for name in names]
        deeper = [d + (a and d < len(p)) for d, a, p in zip(depths, again, plain, strict=True)]
        if deeper == depths:  # net.type beside a layer that is called net: in full
            whole = (".".join(map(str, place)) for place in places)
            return [w if a else n for w, a, n in zip(whole, again, names, strict=True)]
        depths = deeper


def said(settings: dict[tuple, object], place: tuple) -> str:
    """The value at a place, as it is written in YAML on one line."""
    if place not in settings:
        return MISSING
    value = settings[place]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def in_words(settings: dict[tuple, object], places: list[tuple]) -> str:
    """The settings at these places in a line: "Adam, lr 0.01"."""
    words, names = [], short_names(places)
    for place, name in zip(places, names, strict=True):
        if place in settings:
            value = said(settings, place)
            words.append(value if place[-1] == "type" else f"{name} {value}")
    return ", ".join(words) or f"without {', '.join(names)}"


def _key(settings: dict, place: tuple) -> str:
    """Values as text, so that 1 and true are two, 1 and 1.0 one; what is not there is another."""
    if place not in settings:
        return ""
    value = settings[place]
    return json.dumps(float(value) if type(value) is int else value, default=str)
