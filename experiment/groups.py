"""Runs that differ by their seed alone, as one group."""

import dataclasses
import hashlib
import json
from collections import defaultdict
from pathlib import Path

from lamina.common.natural import natural
from lamina.common.notice import note
from lamina.experiment.config import load_config
from lamina.experiment.differing import (
    MISSING,
    differing,
    in_words,
    layers_in_order,
    said,
    seed_of,
    settings_of,
    with_nets_named,
)
from lamina.experiment.provenance import FILES_OF_DATA, read_provenance
from lamina.training.provenance import WEIGHTS

ORDER = ("net", "order of layers")
DATA, CODE = ("data",), "code "  # the place of the digest of all sets; what begins that of a file
_DIGITS = 8  # of a digest in a table


@dataclasses.dataclass(frozen=True)
class Settings:
    """What decides what a run learns, {place: value}, and its seed, None if that is not known.
    `facts`, {place: digest}, are what no configuration says: the contents of its data (DATA), of
    the files of own code, and of the weights that training began with; None for a run that has kept
    no account of them."""

    values: dict[tuple, object]
    seed: object
    facts: dict[tuple, str] | None = None


@dataclasses.dataclass
class Group:
    """Runs by their names, in natural order, that have the same `settings`; None for a run of which
    they are not known. `name` tells the group from the others."""

    name: str
    runs: list[str]
    settings: dict[tuple, object] | None


def read_settings(run_dir: str | Path) -> Settings | None:
    """The settings of a run, None if it has no config.yaml. Raises ConfigError or RunError if that,
    or its provenance.json, is damaged."""
    path = Path(run_dir) / "config.yaml"
    if not path.is_file():
        return None
    return settings_in(load_config(path).data, read_provenance(path.parent))


def settings_in(data: dict, provenance: dict | None = None) -> Settings:
    """The settings, and the seed, of a configuration, with the facts of a provenance.json."""
    facts = None if provenance is None else _facts(provenance)
    return Settings(settings_of(data), seed_of(data), facts)


def _facts(provenance: dict) -> dict[tuple, str]:
    contents = json.dumps([provenance["sets"], provenance["task"]], sort_keys=True)
    facts = {DATA: hashlib.sha256(contents.encode()).hexdigest()[:_DIGITS]}
    for name, digest in provenance["versions"].items():
        if name.endswith(".py") or name.startswith(WEIGHTS):
            place = (name if name.startswith(WEIGHTS) else f"{CODE}{name}",)
            facts[place] = " ".join(part[:_DIGITS] for part in str(digest).split())
    return facts


def grouped(runs: dict[str, Settings | None]) -> list[Group]:
    """The groups of these runs, in the natural order of their names. Two of one group that have the
    same seed too are said: they are one run twice, and no two samples."""
    groups: list[Group] = []
    told = _with_facts(runs)
    seeds = {name: settings.seed for name, settings in runs.items() if settings is not None}
    for name in sorted(runs, key=natural):
        values = told.get(name)
        same = [
            group
            for group in groups
            if values is not None
            and group.settings is not None
            and not differing([group.settings, values])
        ]
        if same:
            _say_twins(name, same[0], seeds)
            same[0].runs.append(name)
        else:
            groups.append(Group(name, [name], values))
    known = [group for group in groups if group.settings is not None]
    named = with_nets_named([group.settings for group in known if group.settings is not None])
    for group, settings in zip(known, named, strict=True):
        group.settings = settings
    if all(len(group.runs) == 1 for group in groups):
        return groups
    places = differing(named)
    for group in groups:
        if group.settings is not None:
            group.name = in_words(group.settings, places) if places else _how_many(group, seeds)
    return sorted(groups, key=lambda group: natural(group.name))


def _with_facts(runs: dict[str, Settings | None]) -> dict[str, dict[tuple, object]]:
    """The settings of those that are known, with the facts that their configurations leave open:
    data that are others where `dataset` is the same, code that is another in a file of one name.
    Data that are the same are so wherever their files lie."""
    known = {name: settings for name, settings in runs.items() if settings is not None}
    told = {name: dict(settings.values) for name, settings in known.items()}
    first: dict[str, dict] = {}  # of each data what the first run says of their files
    for name, settings in known.items():
        if (data := (settings.facts or {}).get(DATA)) is not None:
            files = {p: v for p, v in settings.values.items() if p[:2] in FILES_OF_DATA}
            files = first.setdefault(data, files)
            told[name] = {p: v for p, v in told[name].items() if p[:2] not in FILES_OF_DATA} | files
    for place in dict.fromkeys(p for settings in known.values() for p in settings.facts or ()):
        found = defaultdict(set)
        facts = {name: (s.facts or {}).get(place, MISSING) for name, s in known.items()}
        for name, settings in known.items():
            found[_speaks_of(settings.values, place)].add(facts[name])
        if any(len(values) > 1 for values in found.values()):
            for name, value in facts.items():
                told[name][place] = value
    _add_orders(told)
    return told


def _add_orders(told: dict[str, dict[tuple, object]]) -> None:
    """Say in which order the layers of a net stand, of nets that have the same ones in several."""
    orders = {name: layers_in_order(settings) for name, settings in told.items()}
    for names in {frozenset(order) for order in orders.values()}:
        alike = {name: order for name, order in orders.items() if frozenset(order) == names}
        if len(set(alike.values())) > 1:
            for name, order in alike.items():
                told[name][ORDER] = ", ".join(order)


def _speaks_of(values: dict[tuple, object], place: tuple) -> str:
    """What a configuration says of the thing whose contents are the fact at this place."""
    if place == DATA:
        return "; ".join(f"{p} {said(values, p)}" for p in values if p[0] == "dataset")
    if place[0].startswith(WEIGHTS):
        return said(values, ("net", "weights"))
    return str(any(f"{place[0].removeprefix(CODE)}:" in said(values, p) for p in values))


def _how_many(group: Group, seeds: dict[str, object]) -> str:
    """How many seeds they are, or, if one is there twice or is not known, how many runs."""
    known = {seeds[name] for name in group.runs} - {None}
    return f"{len(group.runs)} {'seeds' if len(known) == len(group.runs) else 'runs'}"


def _say_twins(name: str, group: Group, seeds: dict[str, object]) -> None:
    seed = seeds[name]
    twin = next((other for other in group.runs if seeds[other] == seed), None)
    if twin is not None and seed is not None:
        note(f"{twin} and {name} have the same settings and seed {seed}: one run, counted twice")
