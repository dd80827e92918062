"""Short names for several run directories."""

from collections.abc import Iterable
from pathlib import Path

from lamina.common.natural import natural

SWEEP = "sweep.yaml"  # what a sweep's folder has, and no run


def run_names(runs: Iterable[Path]) -> dict[str, Path]:
    """{name: directory} of runs, in the natural order of their names: those of the folders, or
    where two are called the same, as much of their paths as tells all apart. A directory that is
    named twice is one run; the folder of a sweep stands for all of its runs. Raises ValueError for
    one that has none yet."""
    there = {path.resolve(): path for run in runs for path in _runs_in(Path(run))}
    depths = range(1, max(len(path.parts) for path in there) + 1)
    ends = ([path.parts[-depth:] for path in there] for depth in depths)
    apart = next(parts for parts in ends if len(set(parts)) == len(there))
    names = {str(Path(*parts)): path for parts, path in zip(apart, there.values(), strict=True)}
    return dict(sorted(names.items(), key=lambda item: natural(item[0])))


def _runs_in(path: Path) -> list[Path]:
    if not (path / SWEEP).is_file() or (path / "config.yaml").is_file():
        return [path]
    found = [run for run in path.iterdir() if (run / "config.yaml").is_file()]
    if not found:
        raise ValueError(f"{path}: the sweep has no run yet")
    return found
