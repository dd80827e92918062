"""What the trials of a sweep were given, and what they have come to."""

import dataclasses
import math
from pathlib import Path

from lamina.common.errors import RunError
from lamina.common.files import opened
from lamina.common.natural import natural
from lamina.common.strict_yaml import MAX_BYTES, YamlError, parse
from lamina.experiment.config import load_config
from lamina.experiment.curves import NothingYet, is_share, percents
from lamina.experiment.differing import MISSING, short_names
from lamina.experiment.outcome import FAILED, read_outcome
from lamina.experiment.ranges import Range, label, make_range
from lamina.experiment.run_names import SWEEP, run_names
from lamina.experiment.setting import place_of
from lamina.experiment.sweep_endings import Endings
from lamina.experiment.sweep_file import SEED
from lamina.experiment.trial import FINISHED

UNDER_WAY = "under way"  # or interrupted: its run can be taken up

_FAR = 20.0  # times, from the least to the largest value of a list that is shown by its logarithm


@dataclasses.dataclass(frozen=True)
class Varied:
    """A key of a sweep: the value of each trial, numbers or, if not all are, texts; and the range
    from which they were drawn, if they were."""

    name: str
    values: list
    log: bool
    range: Range | None = None

    @property
    def numeric(self) -> bool:
        return not isinstance(self.values[0], str)

    @property
    def places(self) -> list:
        """The different values, numbers by size, texts in natural order."""
        return sorted(set(self.values), key=None if self.numeric else natural)


@dataclasses.dataclass(frozen=True)
class SweepValues:
    """Of each trial, in one order: the values of the keys that vary, its figure (NaN if it has
    none) and its state: FINISHED, PRUNED, FAILED or UNDER_WAY. `column` is the figure's, of
    history.csv, and whether it is shown in per cent; `kept` says that figures are those of the
    best evaluation."""

    varied: list[Varied]
    figures: list[float]
    states: list[str]
    column: str
    higher_is_better: bool
    percent: bool = False
    kept: bool = False

    @property
    def best(self) -> int | None:
        """Which trial that has come to its end has the best figure; None if there is none, or no
        validation set: nothing is chosen by the test set."""
        if not self.column.startswith("validation_"):
            return None
        there = [
            (figure if self.higher_is_better else -figure, -i)
            for i, (figure, state) in enumerate(zip(self.figures, self.states, strict=True))
            if state == FINISHED and not math.isnan(figure)
        ]
        return -max(there)[1] if there else None


def read_sweep(folder: str | Path) -> SweepValues:
    """The trials in a sweep's folder that have come to a figure, or have failed. The figure is the
    one that counts, on the validation set; on the test set where there is no other. Raises OSError,
    ValueError for what is no sweep or is damaged, NothingYet if no trial has a figure."""
    folder = Path(folder)
    described = _described(folder / SWEEP)
    keys = [key for key in described["varied"] if key != SEED] or [SEED]
    ranges = {key: make_range(given) for key, given in described.get("ranges", {}).items()}
    ends = Endings(folder)
    found, paths = [], run_names([folder])
    for path in paths.values():
        outcome = read_outcome(path)
        if outcome.figures or outcome.trouble == FAILED:
            ended = ends.ended.get(path.name, (UNDER_WAY,))[0]
            state = FAILED if outcome.trouble else ended
            found.append((load_config(path / "config.yaml").data, outcome, state))
    counts = [outcome for _, outcome, _ in found if outcome.counts]
    if not counts:
        raise NothingYet(f"{folder}: no trial of the sweep has come to an evaluation yet")
    names = [f"{part}_{counts[0].counts}" for part in ("validation", "test", "train")]
    there = {column for _, outcome, _ in found for column in outcome.figures}
    column = next((name for name in names if name in there), names[0])
    shorts = short_names([place_of(key) for key in keys])
    return SweepValues(
        [
            _varied(short, [_at(data, place_of(key)) for data, _, _ in found], ranges.get(key))
            for key, short in zip(keys, shorts, strict=True)
        ],
        [outcome.figures.get(column, math.nan) for _, outcome, _ in found],
        [state for _, _, state in found],
        column,
        counts[0].higher_is_better,
        is_share(counts[0].counts, percents(paths.values())),
        any(outcome.kept for _, outcome, _ in found),
    )


def _varied(name: str, values: list, given: Range | None) -> Varied:
    if not all(type(value) in (int, float) and math.isfinite(value) for value in values):
        return Varied(name, [label(value) for value in values], False, given)
    low, high = min(values), max(values)
    log = given.kind == "log" if given else low > 0 and high / low >= _FAR
    return Varied(name, values, log, given)


def _at(data, place: tuple):
    for key in place:
        if not isinstance(data, dict) or key not in data:
            return MISSING
        data = data[key]
    return data


def _described(path: Path) -> dict:
    if not path.is_file():
        raise ValueError(f"{path.parent}: is no folder of a sweep: it has no {SWEEP}")
    try:
        with opened(path) as file:
            data, _ = parse(file.read(MAX_BYTES).decode())
        keys = all(isinstance(key, str) for key in data["varied"])
        for given in data.get("ranges", {}).values():
            make_range(given)
        if not keys:
            raise ValueError("its content is not that of a sweep")
        return data
    except (YamlError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path}: is damaged: {error}") from None
