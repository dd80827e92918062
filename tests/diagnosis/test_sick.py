"""Sick nets, one disease each: the doctor names it. Healthy ones get a clean bill.

The thresholds were chosen on seeds 0 to 2. Other seeds, and all healthy configurations:

    python tests/diagnosis/test_sick.py 100 101 102
"""

import sys
import tempfile
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from lamina.diagnosis.doctor import diagnose
from lamina.diagnosis.record import read_record
from lamina.experiment.config import load_config
from lamina.experiment.run import run
from lamina.training.watch import NonFiniteError

HERE = Path(__file__).parent
SICK = sorted((HERE / "sick").glob("*.yaml"))


def diagnosis_of(path: Path) -> str:
    """What the second line of the file says: # Diagnosis: NAME."""
    return path.read_text().splitlines()[1].removeprefix("# Diagnosis: ")


def findings_of(path: Path, seed: int, folder: Path) -> list:
    """Train that configuration, its data drawn with the same seed, and ask the doctor."""
    config = load_config(path)
    config.set(f"training.seed={seed}")
    if "DrawnDigits" in path.read_text() or "parts.py" in path.read_text():
        config.set(f"dataset.seed={seed}")
    try:
        with threadpool_limits(1):  # small products; other work on the machine slows two threads
            run(config, path.stem, folder, quiet=True)
    except NonFiniteError:
        assert (folder / "culprit.json").exists()
    return diagnose(read_record(folder))


@pytest.fixture(autouse=True, scope="module")
def drawn_once(tmp_path_factory):
    """The digits of one seed are drawn once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAMINA_DATA", str(tmp_path_factory.mktemp("data")))
        yield


def test_there_are_twelve_and_one_more():
    assert len(SICK) == 13
    assert len({diagnosis_of(path) for path in SICK}) == 13


@pytest.mark.parametrize("path", SICK, ids=lambda path: path.stem)
def test_a_sick_net_is_diagnosed(path, tmp_path):
    findings = findings_of(path, 3, tmp_path / "run")
    assert [f.name for f in findings if not f.follows_from] == [diagnosis_of(path)]
    assert all(f.evidence and f.meaning and f.remedies for f in findings)


@pytest.mark.parametrize(
    "name",
    [
        "own_csv",
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("digits_relu", "digits_autoencoder")),
    ],
)
def test_a_healthy_net_gets_a_clean_bill(name, tmp_path):
    assert findings_of(Path("configs") / f"{name}.yaml", 3, tmp_path / "run") == []


def main(seeds: list[int]) -> int:
    """All sick nets on these seeds, as a table; 1 if a diagnosis was wrong."""
    wrong = 0
    print(f"{'net':<18}{'diagnosis':<28}" + "".join(f"seed {seed:<8}" for seed in seeds))
    for path in SICK:
        cells, expected = [], diagnosis_of(path)
        for seed in seeds:
            with tempfile.TemporaryDirectory() as folder:
                findings = findings_of(path, seed, Path(folder) / "run")
            causes = [f.name for f in findings if not f.follows_from]
            right = causes == [expected]
            wrong += not right
            cells.append("right" if right else f"{'; '.join(causes) or 'healthy'}")
        print(f"{path.stem:<18}{expected:<28}" + "".join(f"{cell:<13}" for cell in cells))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main([int(seed) for seed in sys.argv[1:]]))
