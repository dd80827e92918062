"""The processes of a sweep, some at a time, and one bar over all of its trials."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

from lamina.common.notice import Bar
from lamina.experiment.sweep_endings import Endings
from lamina.experiment.sweep_file import Trial
from lamina.experiment.trial import BROKEN, FAILED, FINISHED, PRUNED, STOPPED
from lamina.training.interrupt import Interrupt

# The import path of this process, however it has come about, is that of the others.
_BEGIN = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from lamina.experiment.trial import main; main()"
)


class Listed:
    """The trials of a list that have not ended, in its order. `lengths` are iterations by name.
    `column` would be the figure of history.csv by which they are judged on the way."""

    column = None

    def __init__(self, trials: list[Trial], ends: Endings, lengths: dict[str, int]):
        self.lengths = lengths
        self._waiting = [t for t in reversed(trials) if t.name not in ends.ended]

    def next(self) -> Trial | None:
        return self._waiting.pop() if self._waiting else None

    def evaluated(self, name: str, iteration: int, value: float) -> bool:
        return False

    def ended(self, name: str) -> None:
        pass


class Processes:
    """Runs the trials that a source gives, each in a process of its own: a `Listed`, or a Search.
    What a trial says on stderr goes into `folder`/NAME.log. `broken` says, by name, why trials
    could not be run; that is no end, so they are tried again."""

    def __init__(self, source, folder: Path, ends: Endings, quiet: bool):
        self._source, self._folder, self._ends = source, folder, ends
        self._lengths = source.lengths
        self.broken: dict[str, str] = {}
        self._pruned: dict[str, int] = {}  # the iteration after which it was told to stop
        self._at = {name: n if name in ends.ended else 0 for name, n in self._lengths.items()}
        self._running: dict[str, subprocess.Popen] = {}
        self._listening: list[threading.Thread] = []
        self._answers: queue.Queue = queue.Queue()
        self._stopping = False
        self._bar = Bar(
            total=sum(self._lengths.values()),
            initial=sum(self._at.values()),
            desc="sweep",
            unit="it",
            dynamic_ncols=True,
            disable=quiet or None,
        )

    def run(self, jobs: int) -> int | None:
        """Run all, `jobs` at a time; the number of the signal that has ended it before, or None.
        A first Ctrl-C, or SIGTERM, lets each trial end its iteration and write a checkpoint."""
        self._show()
        more = True
        with Interrupt() as interrupt:
            while self._running or (more and not self._stopping):
                if interrupt.signal is not None and not self._stopping:
                    self._stopping = True
                    for process in self._running.values():
                        process.terminate()
                while more and not self._stopping and len(self._running) < jobs:
                    trial = self._source.next()
                    more = trial is not None
                    if more:
                        self._begin(trial)
                with contextlib.suppress(queue.Empty):
                    self._take(*self._answers.get(timeout=0.1))
            return interrupt.signal if more or self._stopping else None

    def close(self) -> None:
        """End at once what still runs, and the bar."""
        for process in self._running.values():
            process.kill()
        for thread in self._listening:
            thread.join()
        self._bar.close()

    def _begin(self, trial: Trial) -> None:
        order = {
            "config": trial.config.data,
            "source": trial.config.source,
            "folder": str(trial.config.folder),
            "run_dir": str(self._folder / trial.name),
            "judged": self._source.column,
        }
        with open(self._log(trial.name), "ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", _BEGIN, json.dumps(sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the sweep, which tells its trials
            )
        self._running[trial.name] = process
        thread = threading.Thread(target=self._listen, args=(trial.name, process, order))
        self._listening.append(thread)
        thread.start()

    def _listen(self, name: str, process: subprocess.Popen, order: dict) -> None:
        """Tell a trial what to do, and pass on what it answers. Its stdin stays open as long as it
        runs: when the sweep is gone, it ends, and so does the trial."""
        with process, contextlib.suppress(OSError, ValueError):  # it has broken off in its middle
            _tell(process, json.dumps(order))
            for line in process.stdout or ():
                self._answers.put((name, json.loads(line)))
        self._answers.put((name, {"gone": process.returncode}))

    def _take(self, name: str, answer: dict) -> None:
        if "at" in answer:
            self._at[name] = answer["at"]
        elif "evaluated" in answer:
            self._judge(name, answer["evaluated"], answer["value"])
        elif "state" in answer:
            self._ended(name, answer["state"], answer["said"])
        else:
            del self._running[name]
            known = name in self._ends.ended or name in self.broken
            if not known and not self._stopping:
                log = self._log(name)
                said = f"its process has ended with status {answer['gone']}; {log} may say more"
                self._ended(name, BROKEN, said)
            if not self._log(name).stat().st_size:
                os.unlink(self._log(name))
        self._show()

    def _judge(self, name: str, iteration: int, value: float) -> None:
        stop = self._source.evaluated(name, iteration, value)
        if stop:
            self._pruned[name] = iteration
        with contextlib.suppress(OSError, ValueError):  # it has broken off
            _tell(self._running[name], "stop" if stop else "on")

    def _ended(self, name: str, state: str, said: str) -> None:
        if state in (FINISHED, FAILED):
            if name in self._pruned:
                state, said = PRUNED, f"at iteration {self._pruned[name]}"
            self._ends.note(name, state, said)
            self._source.ended(name)
            self._at[name] = self._lengths[name]
        elif state != STOPPED or not self._stopping:
            self.broken[name] = said

    def _show(self) -> None:
        self._bar.to(sum(self._at.values()))
        ended = self._ends.ended
        states = [ended[name][0] for name in self._lengths if name in ended]
        others = (f", {states.count(s)} {s}" for s in (FAILED, PRUNED) if s in states)
        self._bar.say(f"{len(states)} of {len(self._lengths)} trials{''.join(others)}")

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"


def _tell(process: subprocess.Popen, line: str) -> None:
    if process.stdin is not None:
        process.stdin.write(f"{line}\n".encode())
        process.stdin.flush()
