"""Runs that differ by their seed alone, as one group."""

import dataclasses
from pathlib import Path

from lamina.common.natural import natural
from lamina.common.notice import note
from lamina.experiment.config import load_config
from lamina.experiment.differing import (
    differing,
    in_words,
    settings_of,
    with_nets_named,
)


@dataclasses.dataclass(frozen=True)
class Settings:
    """What decides what a run learns, {place: value}, and its seed, None if that is not known."""

    values: dict[tuple, object]
    seed: object


@dataclasses.dataclass
class Group:
    """Runs by their names, in natural order, that have the same `settings`; None for a run of which
    they are not known. `name` tells the group from the others."""

    name: str
    runs: list[str]
    settings: dict[tuple, object] | None


def read_settings(run_dir: str | Path) -> Settings | None:
    """The settings of a run, None if it has no config.yaml. Raises ConfigError if that is
    damaged."""
    path = Path(run_dir) / "config.yaml"
    return settings_in(load_config(path).data) if path.is_file() else None


def settings_in(data: dict) -> Settings:
    """The settings, and the seed, of a configuration."""
    training = data.get("training")
    seed = training.get("seed") if isinstance(training, dict) else None
    return Settings(settings_of(data), seed)


def grouped(runs: dict[str, Settings | None]) -> list[Group]:
    """The groups of these runs, in the natural order of their names. Two of one group that have the
    same seed too are said: they are one run twice, and no two samples."""
    groups: list[Group] = []
    for name in sorted(runs, key=natural):
        settings = runs[name]
        same = [
            group
            for group in groups
            if settings is not None
            and group.settings is not None
            and not differing([group.settings, settings.values])
        ]
        if same:
            _say_twins(name, same[0], runs)
            same[0].runs.append(name)
        else:
            groups.append(Group(name, [name], settings and settings.values))
    known = [group for group in groups if group.settings is not None]
    named = with_nets_named([group.settings for group in known])
    for group, settings in zip(known, named, strict=True):
        group.settings = settings
    if all(len(group.runs) == 1 for group in groups):
        return groups
    places = differing(named)
    for group in groups:
        if group.settings is not None:
            group.name = in_words(group.settings, places) if places else _how_many(group, runs)
    return sorted(groups, key=lambda group: natural(group.name))


def _how_many(group: Group, runs: dict[str, Settings | None]) -> str:
    """How many seeds they are, or, if one is there twice or is not known, how many runs."""
    seeds = {runs[name].seed for name in group.runs} - {None}
    return f"{len(group.runs)} {'seeds' if len(seeds) == len(group.runs) else 'runs'}"


def _say_twins(name: str, group: Group, runs: dict[str, Settings | None]) -> None:
    seed = runs[name].seed
    twin = next((other for other in group.runs if runs[other].seed == seed), None)
    if twin is not None and seed is not None:
        note(f"{twin} and {name} have the same settings and seed {seed}: one run, counted twice")
