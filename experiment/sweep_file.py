"""A sweep's YAML file: a base configuration, and what varies from trial to trial.

base: digits_relu                        # a file, or a name, as for --config
set: {training.iterations: 600}          # in every trial
grid:                                    # every value with every other
  optimizer.type: [SGD, Momentum]
  optimizer.lr: [0.1, 0.01]
list:                                    # these beside each other, each with all of the grid
  - {net.layers.affine1.n_out: 50}
  - {net.layers.affine1.n_out: 100, optimizer.weight_decay: 1e-4}
seeds: 0-9                               # or a list

Or values that Optuna chooses, instead of grid and list:

ranges:
  optimizer.lr: {log: [0.001, 1.0]}      # or uniform, int, choice: [SGD, Adam]
trials: 20
prune: true                              # the default: end those early that lag behind
"""

import dataclasses
import itertools
import json
import math
import re
from pathlib import Path
from typing import Any

from lamina.common.extras import require
from lamina.common.strict_yaml import describe
from lamina.experiment.config import Config, ConfigError, load_config
from lamina.experiment.differing import said, short_names
from lamina.experiment.find_config import find_config
from lamina.experiment.ranges import Range, ranges_in
from lamina.experiment.section import Section
from lamina.experiment.setting import place_of

MOST = 10_000  # trials
_LONGEST = 150  # bytes of the name of a trial, which is that of its folder
SEED = "training.seed"


@dataclasses.dataclass(frozen=True)
class Trial:
    """One run of a sweep: `settings`, {dotted key: value}, with the seed among them; `name` is what
    its run directory is called."""

    name: str
    settings: dict[str, object]
    config: Config

    @property
    def combination(self) -> str:
        """What it has in common with the trials that differ by their seed."""
        return json.dumps({k: v for k, v in self.settings.items() if k != SEED})


class SweepFile:
    """The trials of a sweep, in the order of the file: the grid's first key varies slowest, seeds
    fastest. `described` is plain data by which one sweep is told from another. With `ranges`, {key:
    Range}, there are `n_trials` of one `seed`, each made by `drawn`, and `trials` are those that
    are tried before anything is trained: the ends of all ranges, and each choice.

    Every trial has one thread, unless the file says otherwise. Raises ConfigError, with file, line
    and key, for whatever makes no sweep.
    """

    def __init__(self, path: str | Path):
        self._file = load_config(path)
        self._root = root = Section(self._file)
        root.check_keys(("base", "set", "grid", "list", "seeds", "ranges", "trials", "prune"))
        self._base = base = load_config(self._found(root.value("base", str)))
        self._always = always = self._mapping("set")
        grid = {key: self._values(key) for key in self._mapping("grid")}
        rows = self._rows()
        seeds = self._seeds(base)
        self.ranges = self._ranges(seeds)
        self._refuse_twice(always, grid, rows)
        n = math.prod(map(len, grid.values())) * len(rows) * len(seeds)
        if n > MOST:
            raise root.error(f"makes {n:,} trials; expects at most {MOST:,}")
        self.varied = [*dict.fromkeys([*(key for row in rows for key in row), *grid]), SEED]
        self.trials: list[Trial] = []
        names: dict[str, Trial] = {}
        for row in rows:
            for values in itertools.product(*grid.values()):
                given = dict(zip(grid, values, strict=True))
                for seed in seeds:
                    trial = self._trial(base, always, row, given, seed)
                    self._refuse_same(trial, names)
                    self.trials.append(trial)
        self.described: dict[str, Any] = {
            "base": base.data,
            "set": always,
            "varied": sorted(self.varied),
        }
        if self.ranges:
            self.seed = seeds[0]
            self.varied = [*self.ranges, SEED]
            self.described |= {"varied": sorted(self.varied), "ranges": root["ranges"].data}
            self.described["seed"] = self.seed
            ends = {key: found.ends for key, found in self.ranges.items()}
            self.trials = [
                self.drawn(f"end {i}", {key: some[i % len(some)] for key, some in ends.items()})
                for i in range(max(map(len, ends.values())))
            ]

    def drawn(self, name: str, values: dict[str, object]) -> Trial:
        """A trial with these values for its ranges."""
        trial = self._trial(self._base, self._always, {}, values, self.seed, "ranges")
        return dataclasses.replace(trial, name=name)

    def _ranges(self, seeds: list[int]) -> dict[str, Range]:
        """What values are drawn from; none without `ranges`."""
        root = self._root
        self.prunes = root.value("prune", bool, True)
        if "ranges" not in root.data:
            for key in ("trials", "prune"):
                if key in root.data:
                    raise root.error(f"{key} belongs to ranges:, and there are none", key)
            return {}
        for key in ("grid", "list"):
            if key in root.data:
                raise root.error(f"ranges and {key} exclude each other; keep one", key)
        if len(seeds) > 1:
            raise root.error(
                "a search has one seed; compare what it finds over several afterwards", "seeds"
            )
        self.n_trials = root.value("trials", int, at_least=1)
        if self.n_trials > MOST:
            raise root.error(f"expects at most {MOST:,}, got {self.n_trials:,}", "trials")
        if not self._mapping("ranges"):
            raise root.error("expects KEY: {log: [0.001, 1.0]} or another range", "ranges")
        with root.at("ranges"):
            require("optuna", "sweep")
        return ranges_in(root["ranges"])

    def _found(self, name: str) -> Path:
        """The base: beside the sweep's file, or as --config finds it."""
        beside = self._file.folder / name
        try:
            return beside if beside.is_file() else find_config(name)
        except ConfigError as error:
            raise self._root.error(str(error), "base") from None

    def _mapping(self, key: str) -> dict[str, object]:
        section = self._root.section(key)
        for name in section.data:
            with section.at():
                place_of(name)
        return section.data

    def _values(self, key: str) -> list:
        section = self._root["grid"]
        values = section.data[key]
        if not isinstance(values, list) or not values:
            raise section.error(
                f"expects a list of one value or more, got {describe(values)}; what does not vary "
                "stands under set:",
                key,
            )
        return values

    def _rows(self) -> list[dict]:
        rows = self._root.data.get("list", [{}])
        if not isinstance(rows, list) or not rows:
            raise self._root.error(f"expects a list of mappings, got {describe(rows)}", "list")
        for i, row in enumerate(rows):
            if not isinstance(row, dict) or (not row and "list" in self._root.data):
                raise self._root.error(
                    f"expects a mapping, such as {{optimizer.lr: 0.1}}, got {describe(row)}",
                    *("list", i),
                )
            for key in row:
                try:
                    place_of(key)
                except ValueError as error:
                    raise self._root.error(str(error), "list", i) from None
        return rows

    def _seeds(self, base: Config) -> list[int]:
        """The numbers of `seeds: 0-9`, or of a list; without them the seed of the base."""
        if "seeds" not in self._root.data:
            return [Section(base).section("training").value("seed", int, 0, at_least=0)]
        value = self._root.data["seeds"]
        if isinstance(value, str) and (ends := re.fullmatch(r"(\d{1,9})-(\d{1,9})", value)):
            first, last = int(ends[1]), int(ends[2])
            if last - first >= MOST:
                raise self._root.error(f"expects at most {MOST:,} seeds, got {value}", "seeds")
            value = list(range(first, last + 1))
        whole = isinstance(value, list) and all(type(seed) is int and seed >= 0 for seed in value)
        if not whole or not value:
            raise self._root.error(
                f"expects the first and the last, as in 0-9, or a list, as in [0, 1, 2], got "
                f"{describe(value)}",
                "seeds",
            )
        return value

    def _refuse_twice(self, always: dict, grid: dict, rows: list[dict]) -> None:
        """What is given in two places would be decided by their order."""
        in_rows = {key: ("list", i) for i, row in enumerate(rows) for key in row}
        placed = {key: ("ranges", key) for key in self.ranges}
        placed |= {key: ("grid", key) for key in grid}
        for key, place in (placed | in_rows).items():
            if key in always or (key in grid and key in in_rows):
                other = "set" if key in always else "grid"
                raise self._root.error(f"{key} stands in {other}: too; keep one", *place)
        parts = {"set": always, "grid": grid, "list": in_rows, "ranges": self.ranges}
        for part, keys in parts.items():
            if SEED in keys:
                raise self._root.error(f"{SEED} stands under seeds:, as in 0-9", part)

    def _trial(
        self, base: Config, always: dict, row: dict, given: dict, seed: int, part: str = "grid"
    ) -> Trial:
        config = base.replaced({})
        training = base.data.get("training")
        if not (isinstance(training, dict) and "threads" in training):
            config.put("training.threads", 1, str(self._file.source))
        for key, value in always.items():
            config.put(key, value, self._origin("set", key))
        for key, value in row.items():
            config.put(key, value, self._origin("list", self._row_of(row), key))
        for key, value in given.items():
            config.put(key, value, self._origin(part, key, value))
        settings = {**row, **given, SEED: seed}
        config.put(SEED, seed, self._origin("seeds"))
        return Trial(self._name(settings), settings, config)

    def _row_of(self, row: dict) -> int:
        return next(i for i, other in enumerate(self._root.data["list"]) if other is row)

    def _origin(self, *place) -> str:
        """The file and line of what varies: of the value itself, if it stands in a list."""
        lines, value = self._file.lines, place[-1]
        if place[0] == "grid" and len(place) == 3:
            values = self._root.data["grid"][place[1]]
            i = next(i for i, other in enumerate(values) if other is value)
            place = (*place[:2], i)
        known = (place[:n] for n in range(len(place), 0, -1) if place[:n] in lines)
        line = next((lines[there] for there in known), None)
        return self._file.source if line is None else f"{self._file.source}, line {line}"

    def _name(self, settings: dict) -> str:
        """Made of what varies: "Adam,lr=0.01,seed=3"."""
        flat = {place_of(key): value for key, value in settings.items()}
        varied = [place_of(key) for key in self.varied]
        parts = []
        for place, short in zip(varied, short_names(varied), strict=True):
            if place in flat:
                value = said(flat, place)
                parts.append(value if place[-1] == "type" else f"{short}={value}")
        name = re.sub(r"[^\w.,=+-]+", "_", ",".join(parts)).lstrip(".-")
        return name.encode()[:_LONGEST].decode(errors="ignore")

    def _refuse_same(self, trial: Trial, names: dict[str, Trial]) -> None:
        there = names.setdefault(trial.name, trial)
        if there is not trial:
            same = there.settings == trial.settings
            raise self._root.error(
                f"two trials are called {trial.name}"
                + (": the same values stand twice; keep one" if same else _SHORTER)
            )


_SHORTER = (
    f": their values differ only in what no name of a folder has (letters, digits and . , = + - "
    f"count), or after {_LONGEST} characters"
)
