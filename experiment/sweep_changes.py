"""Which trials of a sweep were trained on other data or other code than there are now."""

import json
from collections import defaultdict
from pathlib import Path

from lamina.common.printable import printable
from lamina.datasets import Dataset
from lamina.experiment.config import Config
from lamina.experiment.provenance import data_changes, read_provenance
from lamina.experiment.sweep_endings import Endings
from lamina.training.provenance import as_json, own_code, start_weights

_LISTED = 3  # trials that a line names


class TrainedOn:
    """What the trials in a sweep's folder that have ended were trained on. `changes` are lines that
    say what has changed since, of all that `compare` was shown."""

    def __init__(self, folder: Path):
        self.changes: list[str] = []
        self._folder = folder
        # Trials of the same data and code together: a set is read once for all of them.
        self._alike: dict[str, list[str]] = defaultdict(list)
        for name in Endings(folder).ended:
            if (said := read_provenance(folder / name)) is not None:
                dataset = said.pop("config").get("dataset")
                self._alike[json.dumps({**said, "dataset": dataset})].append(name)

    def compare(self, dataset: Dataset, config: Config) -> None:
        """Compare those of the same configuration of data with what it gives now."""
        now = json.loads(as_json(config.data))["dataset"]
        for text in [text for text in self._alike if json.loads(text)["dataset"] == now]:
            said, names = json.loads(text), self._alike.pop(text)
            wrong = data_changes(said, dataset)
            files = {f"the code in {name}": (name, d) for name, d in own_code(config.data).items()}
            files |= {f"the {n}": (n, d) for n, d in start_weights(config.data).items()}
            wrong += [
                printable(words)
                for words, (name, digest) in files.items()
                if said["versions"].get(name, digest) != digest
            ]
            if wrong:
                more = ["..."] if len(names) > _LISTED else []
                listed = ", ".join(map(printable, names[:_LISTED] + more))
                self.changes.append(
                    f"{len(names)} trial{'s' * (len(names) != 1)} of {self._folder} ({listed}) "
                    f"ended before this changed: {'; '.join(wrong)}; they stand in rows of their "
                    "own, and are trained again where their folders are removed"
                )
