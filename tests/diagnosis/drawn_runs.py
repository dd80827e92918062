"""How often the doctor is right on runs of kinds that its rules were not written for.

python tests/diagnosis/drawn_runs.py first 500 501
python tests/diagnosis/drawn_runs.py first 500 --only rate_ten,kelvin
"""

import argparse
import collections
import contextlib
import importlib
import io
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from drawn.kinds import findings_of, verdict


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "set",
        choices=(
            *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"),
            *("ninth", "tenth"),
        ),
    )
    parser.add_argument("seeds", nargs="+", type=int)
    parser.add_argument("--only")
    parser.add_argument("--keep", type=Path, help="a folder for the runs")
    arguments = parser.parse_args()
    kinds = importlib.import_module(f"drawn.{arguments.set}").KINDS
    if arguments.only:
        kinds = [kind for kind in kinds if kind.name in arguments.only.split(",")]
    counts = collections.Counter()
    for kind in kinds:
        for seed in arguments.seeds:
            with tempfile.TemporaryDirectory() as folder:
                place = arguments.keep / f"{kind.name}-{seed}" if arguments.keep else Path(folder)
                place.mkdir(parents=True, exist_ok=True)
                start = time.perf_counter()
                with contextlib.redirect_stderr(io.StringIO()):
                    findings = findings_of(kind, seed, place)
                seconds = time.perf_counter() - start
            causes = {f.name for f in findings if not f.follows_from}
            said = verdict(kind, causes)
            counts["healthy" if kind.healthy else "sick", said] += 1
            print(
                f"{said:<7}{kind.name:<26}{seed:<6}{seconds:4.1f} s  "
                f"{'; '.join(sorted(causes)) or 'healthy':<50}"
                + (
                    ""
                    if said == "right"
                    else f" right: {'; '.join(sorted(kind.right)) or 'healthy'}"
                ),
                flush=True,
            )
    for (group, said), n in sorted(counts.items()):
        print(f"{group:<8} {said:<7} {n}")
    return 0 if all(said == "right" for _, said in counts) else 1


if __name__ == "__main__":
    sys.exit(main())
