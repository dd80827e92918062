"""Short names for several run directories."""

from collections.abc import Iterable
from pathlib import Path

from lamina.experiment.differing import natural


def run_names(runs: Iterable[Path]) -> dict[str, Path]:
    """{name: directory} of runs, in the natural order of their names: those of the folders, or
    where two are called the same, as much of their paths as tells all apart. A directory that is
    named twice is one run."""
    there = {path.resolve(): path for path in runs}
    depths = range(1, max(len(path.parts) for path in there) + 1)
    ends = ([path.parts[-depth:] for path in there] for depth in depths)
    apart = next(parts for parts in ends if len(set(parts)) == len(there))
    names = {str(Path(*parts)): path for parts, path in zip(apart, there.values(), strict=True)}
    return dict(sorted(names.items(), key=lambda item: natural(item[0])))
