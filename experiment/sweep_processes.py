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
from lamina.experiment.ledger import Ledger
from lamina.experiment.sweep_file import Trial
from lamina.experiment.trial import BROKEN, FAILED, FINISHED, STOPPED
from lamina.training.interrupt import Interrupt

# The import path of this process, however it has come about, is that of the others.
_BEGIN = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from lamina.experiment.trial import main; main()"
)


class Processes:
    """Runs the trials that the ledger does not have, each in a process of its own. `lengths` are
    iterations by name. What a trial says on stderr goes into `folder`/NAME.log. `broken` says, by
    name, why trials could not be run; that is not in the ledger, so they are tried again."""

    def __init__(
        self, trials: list[Trial], folder: Path, ledger: Ledger, lengths: dict, quiet: bool
    ):
        self._trials, self._folder, self._ledger = trials, folder, ledger
        self._lengths, self.broken = lengths, {}
        for name in [*ledger.ended]:
            if not (folder / name / "config.yaml").is_file():  # somebody has removed it
                del ledger.ended[name]
        self._at = {name: n if name in ledger.ended else 0 for name, n in lengths.items()}
        self._running: dict[str, subprocess.Popen] = {}
        self._listening: list[threading.Thread] = []
        self._answers: queue.Queue = queue.Queue()
        self._stopping = False
        self._bar = Bar(
            total=sum(lengths.values()),
            initial=sum(self._at.values()),
            desc="sweep",
            unit="it",
            dynamic_ncols=True,
            disable=quiet or None,
        )

    def run(self, jobs: int) -> int | None:
        """Run all, `jobs` at a time; the number of the signal that has ended it before, or None.
        A first Ctrl-C, or SIGTERM, lets each trial end its iteration and write a checkpoint."""
        waiting = [t for t in reversed(self._trials) if t.name not in self._ledger.ended]
        self._show()
        with Interrupt() as interrupt:
            while self._running or (waiting and not self._stopping):
                if interrupt.signal is not None and not self._stopping:
                    self._stopping = True
                    for process in self._running.values():
                        process.terminate()
                while waiting and not self._stopping and len(self._running) < jobs:
                    self._begin(waiting.pop())
                with contextlib.suppress(queue.Empty):
                    self._take(*self._answers.get(timeout=0.1))
            return interrupt.signal if waiting or self._stopping else None

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
            process.stdin.write(f"{json.dumps(order)}\n".encode())
            process.stdin.flush()
            for line in process.stdout:
                self._answers.put((name, json.loads(line)))
        self._answers.put((name, {"gone": process.returncode}))

    def _take(self, name: str, answer: dict) -> None:
        if "at" in answer:
            self._at[name] = answer["at"]
        elif "state" in answer:
            self._ended(name, answer["state"], answer["said"])
        else:
            del self._running[name]
            known = name in self._ledger.ended or name in self.broken
            if not known and not self._stopping:
                log = self._log(name)
                said = f"its process has ended with status {answer['gone']}; {log} may say more"
                self._ended(name, BROKEN, said)
            if not self._log(name).stat().st_size:
                os.unlink(self._log(name))
        self._show()

    def _ended(self, name: str, state: str, said: str) -> None:
        if state in (FINISHED, FAILED):
            self._ledger.note(name, state, said)
            self._at[name] = self._lengths[name]
        elif state != STOPPED or not self._stopping:
            self.broken[name] = said

    def _show(self) -> None:
        self._bar.to(sum(self._at.values()))
        ended = self._ledger.ended
        states = [ended[trial.name][0] for trial in self._trials if trial.name in ended]
        failed = f", {states.count(FAILED)} failed" if FAILED in states else ""
        self._bar.say(f"{len(states)} of {len(self._trials)} trials{failed}")

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"
