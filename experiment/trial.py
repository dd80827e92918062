"""One trial of a sweep, in a process of its own: begins its run, or goes on with it.

It is told what to do by a line of JSON on stdin, {"config", "source", "folder", "run_dir"}, and
answers by lines of JSON on stdout: {"at": iteration} now and then, and at the end {"state": ...,
"said": ...}. With "judged", a column of history.csv, it answers {"evaluated": iteration, "value":
...} after evaluations, and is told on stdin to go "on", or to "stop". When stdin ends, whoever has
begun it is gone, and so is it: the run can be taken up.
"""

import json
import os
import queue
import threading
import time
from pathlib import Path

from lamina.common.memory import keep_memory
from lamina.common.threads import set_threads, stop_waiting_early
from lamina.experiment.config import Config

FINISHED, FAILED, BROKEN, STOPPED = "finished", "failed", "broken", "stopped"
PRUNED = "pruned"
_TOLD_EVERY = 0.3  # seconds
_PATIENCE = 20.0  # seconds until a process that has just been killed has let go of its run


def main() -> None:
    """Read what to do, do it, and say how it has ended."""
    order = json.loads(_line(0))
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the user's own code prints is no answer
    heard: queue.Queue = queue.Queue()
    threading.Thread(target=_listen, args=(heard,), daemon=True).start()

    def answer(**said) -> None:
        print(json.dumps(said), file=answers, flush=True)

    config = Config(order["config"], order["source"], {}, Path(order["folder"]))
    stop_waiting_early()
    keep_memory()
    set_threads(config.data["training"]["threads"])

    def stops(iteration: int, row: dict) -> bool:
        if (column := order["judged"]) is None:
            return False
        answer(evaluated=iteration, value=row[column])
        return heard.get() == b"stop"

    state, said = _trained(config, Path(order["run_dir"]), lambda at: answer(at=at), stops)
    answer(state=state, said=said)


def _trained(config: Config, run_dir: Path, at, stops) -> tuple[str, str]:
    """(state, what is said of it)."""
    # After set_threads: these import NumPy.
    from lamina.common.own_code import own_place
    from lamina.diagnosis.doctor import glance
    from lamina.experiment.run import USER_ERRORS, resume, run
    from lamina.training.callbacks import Callback
    from lamina.training.watch import NonFiniteError

    class Told(Callback):
        """Says now and then how far the run is, and asks whether it is to end early."""

        last = 0.0

        def stepped(self, trainer, loss: float) -> None:
            if (now := time.monotonic()) - self.last > _TOLD_EVERY:
                self.last = now
                at(trainer.iteration)

        def evaluated(self, trainer, row: dict) -> bool:
            return trainer.iteration < trainer.plan.iterations and stops(trainer.iteration, row)

    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            if (run_dir / "config.yaml").exists():
                summary, status = resume(config, run_dir, quiet=True, callbacks=(Told(),))
            else:
                summary, status = run(config, "", run_dir, quiet=True, callbacks=(Told(),))
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                return BROKEN, str(error)
            time.sleep(0.1)
        except NonFiniteError as error:
            return FAILED, glance(run_dir) or error.noticed
        except (OSError, ValueError, *USER_ERRORS) as error:
            return BROKEN, str(error)
        except Exception as error:
            if not (place := own_place(error)):
                raise
            return BROKEN, f"{place}: {type(error).__name__}: {error}"
        else:
            return (STOPPED if status else FINISHED), summary


def _line(handle: int) -> bytes:
    """A line, and not a byte of what follows it."""
    line = b""
    while not line.endswith(b"\n"):
        if not (byte := os.read(handle, 1)):
            break
        line += byte
    return line


def _listen(heard: queue.Queue) -> None:
    while line := _line(0):
        heard.put(line.strip())
    os._exit(1)


if __name__ == "__main__":
    main()
