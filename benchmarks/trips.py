"""How far one walks to follow a value: files, and calls from one file to another, on four trips.

    python benchmarks/trips.py

Counted with sys.setprofile: every call of a function of this project from another of its files,
class bodies and imports left out, a generator counted once. docs/decisions.md has the figures.
"""

import inspect
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Walk:
    """Counts the files that are entered, and the calls between two files, while it is open."""

    def __enter__(self):
        self.files, self.calls, self._generators = set(), 0, set()
        sys.setprofile(self._seen)
        return self

    def __exit__(self, *_):
        sys.setprofile(None)

    def _seen(self, frame, event, _):
        if event != "call" or frame.f_code.co_name == "<module>" or not _ours(frame):
            return
        if frame.f_code.co_flags & inspect.CO_GENERATOR:  # entered anew for each of its values
            if frame in self._generators:
                return
            self._generators.add(frame)
        callee = frame.f_code.co_filename
        self.files.add(callee)
        caller = frame.f_back
        if caller is not None and _ours(caller) and caller.f_code.co_filename != callee:
            self.calls += 1


def _ours(frame) -> bool:
    path = frame.f_code.co_filename
    return path.startswith(str(ROOT)) and "/benchmarks/" not in path and "/tests/" not in path


def trips():
    """Yield (name, what to do once warm-up is done)."""
    from lamina.experiment.build_trainer import build_trainer
    from lamina.experiment.config import load_config
    from lamina.experiment.run import resume, run

    def configured(iterations=3):
        config = load_config(ROOT / "configs" / "digits_relu.yaml")
        config.set(f"training.iterations={iterations}")
        config.set("training.threads=1")
        return config

    trainer = build_trainer(configured(), quiet=True)
    trainer.step()
    yield "one step: X to the loss and back", trainer.step
    config = configured()
    yield "YAML to a Trainer", lambda: build_trainer(config, quiet=True)

    def fail():
        made = build_trainer(configured(), quiet=True)
        made.net.layers["affine2"].W.data[0, 0] = float("nan")
        return made

    failing = fail()

    def run_into_nan():
        try:
            failing.run()
        except FloatingPointError as error:
            str(error)

    yield "NaN to its message", run_into_nan
    with tempfile.TemporaryDirectory() as folder:
        made = build_trainer(configured(), quiet=True)
        made.run_dir = Path(folder)
        made.history.open(Path(folder), 0)
        made.step()
        yield "writing a checkpoint", made._save
    with tempfile.TemporaryDirectory() as folder:
        run(configured(), "run", Path(folder) / "run", quiet=True)
        longer = configured(4)
        yield "resuming", lambda: resume(longer, Path(folder) / "run", quiet=True)


def main() -> None:
    print(f"{'trip':<36}{'files':>6}{'calls across files':>20}")
    for name, go in trips():
        with Walk() as walk:
            go()
        print(f"{name:<36}{len(walk.files):>6}{walk.calls:>20}")


if __name__ == "__main__":
    main()
