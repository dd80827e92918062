"""The net and the data of a finished run, if they are still those of its training."""

import contextlib
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lamina.common.errors import RunError
from lamina.common.notice import note
from lamina.common.own_imports import with_imports
from lamina.common.printable import printable
from lamina.datasets import Dataset
from lamina.datasets.tasks import Reconstruction, Task, task_from_facts
from lamina.experiment.build import build_dataset, build_net, check_sections
from lamina.experiment.config import Config, ConfigError
from lamina.experiment.provenance import data_changes, differences, read_provenance
from lamina.experiment.rooms import METRICS
from lamina.experiment.run_config import load_run_config
from lamina.experiment.section import Section
from lamina.nets.weights import load_weights
from lamina.training.described import ARRAYS, NOT_WRITTEN, is_text_of_object
from lamina.training.provenance import FILE, as_json, digests, own_names

_LISTED = 10  # changes that an error lists


class DataUnknown(ValueError):
    """A run was trained on arrays, which no configuration can name."""


class NetUnknown(DataUnknown):
    """A net that was made in Python, and that no configuration can make again."""


class RunChanged(RunError):
    """Data, code or configuration of a run are no longer those that it was trained with."""


class Run:
    """A finished run: its configuration and provenance.json, each read once and for all.

    `code` are the files of own layers that it may run, see `load_run_config`. Data, class names,
    own code and configuration are compared with those of the training, before they are used: the
    methods raise RunChanged, naming what is another, or with `changed` say so on stderr and go on.
    A run without provenance.json is taken as it is, which a line says.
    """

    def __init__(self, run_dir: str | Path, code: Iterable[Path] = (), *, changed: bool = False):
        self.path, self._changed = Path(run_dir), changed
        self._config = load_run_config(self.path, code)
        check_sections(self._config)
        self._trained_on = read_provenance(self.path)
        if self._trained_on is None:
            said = "whether data and code are those of its training cannot be compared"
            note(f"{self.path}: has no {FILE}: {said}")

    @property
    def file(self) -> Path | None:
        """The file that the training set is of, None if it is of no single one."""
        path = self._config.data["dataset"].get("path")
        return Path(path) if isinstance(path, str) else None

    def load(self, dataset: Dataset | None = None):
        """(net, dataset): the configuration built again, and the weights put in. A run that was
        made in Python on arrays needs its `dataset`: raises DataUnknown without it."""
        config, trained_on = self._config, self._trained_on
        if dataset is None:
            self._refuse_arrays()
        if trained_on is not None:  # before any of it is run
            self._say(_changed_code(trained_on, config, ("dataset", "net")))
        dataset = build_dataset(config) if dataset is None else dataset
        if trained_on is not None:  # before a net for other classes is refused
            wrong = _changed_config(trained_on, config, "dataset")
            self._say(wrong + data_changes(trained_on, dataset))
        return self._net(dataset), dataset

    def without_data(self):
        """(net, task, preparation): what files of one's own need, though the data that it was
        trained on be gone. A run of an older version, which does not say how files became its
        inputs, needs its data. Raises RunError if it was on arrays, DataUnknown if they were
        those of a program."""
        trained_on = self._trained_on
        if trained_on is None or "preparation" not in trained_on:
            net, dataset = self.load()
            return net, dataset.task, self._not_arrays(dataset.preparation)
        made = self._not_arrays(trained_on["preparation"])
        self._say(_changed_code(trained_on, self._config, ("net",)))
        try:
            dataset = _Described(task_from_facts(trained_on["task"]), made)
        except (ValueError, TypeError, KeyError) as error:
            raise RunError(f"{self.path / FILE}: is damaged: {error}") from None
        return self._net(dataset), dataset.task, made

    def _refuse_arrays(self) -> None:
        if self._config.data["dataset"].get("type") == ARRAYS:
            raise DataUnknown(
                f"{self.path}: its data were arrays of a program: load_run(run, dataset=dataset)"
            )

    def _not_arrays(self, preparation: dict | None) -> dict:
        self._refuse_arrays()
        if preparation is None:
            kind = printable(str(self._config.data["dataset"].get("type")))
            raise RunError(
                f"{self.path}: was trained on arrays ({kind}), not on pictures or a table; in "
                "Python: net, dataset = load_run(RUN); net.predict(X)"
            )
        return preparation

    def _net(self, dataset: Dataset):
        """The net for these data, with the weights of the run."""
        config, trained_on = self._config, self._trained_on
        written = config.data.get("net")
        if isinstance(written, dict) and NOT_WRITTEN in written:
            raise NetUnknown(
                f"{self.path}: its net was made in Python, and cannot be made again from its "
                f"config.yaml: {printable(str(written[NOT_WRITTEN]))}; make it there, and "
                f"load_weights({str(self.path / 'weights.npz')!r}, net)"
            )
        # Without the weights where training began: they need not be there still.
        net = build_net(config, dataset, np.random.default_rng(0), weights=False)
        if trained_on is not None:
            self._say(_changed_config(trained_on, config, "net"))
        if not (self.path / "weights.npz").exists():
            raise ValueError(
                f"{self.path}: has no weights.npz, since the run has failed, or is not over; "
                f"lamina doctor {self.path} says more"
            )
        load_weights(self.path / "weights.npz", net)
        return net

    def metrics(self, task: Task) -> list | None:
        """The metrics that the configuration names, made for this task; None if it leaves them to
        the task."""
        if self._trained_on is not None:
            wrong = _changed_config(self._trained_on, self._config, "metrics")
            self._say(wrong + _changed_code(self._trained_on, self._config, ("metrics",)))
        training = Section(self._config).section("training")
        if "metrics" not in training.data:
            return None
        given = training.data["metrics"]
        if isinstance(given, list) and any(map(is_text_of_object, given)):
            note(f"{self.path}: its metrics were objects of a program; these are those of the task")
            return None
        return training.build_each("metrics", METRICS, task.metric_options)

    def _say(self, wrong: list[str]) -> None:
        """Refuse what has changed, or say it."""
        if not wrong:
            return
        more = [f"and {len(wrong) - _LISTED} more"] if len(wrong) > _LISTED else []
        said = "; ".join([*wrong[:_LISTED], *more])
        said = f"{printable(str(self.path))}: changed since its training: {said}"
        if not self._changed:
            raise RunChanged(
                f"{said}. What is said of it would not be of this run: put back what it was "
                "trained with, or go on regardless: --changed (load_run(..., changed=True))"
            )
        note(said)


class _Described(Dataset):
    """What a net is built for, without samples: the task, and how inputs are made."""

    def __init__(self, task: Task, preparation: dict):
        shape = preparation["input_shape"]
        if not shape or not all(type(n) is int and n > 0 for n in shape):
            raise ValueError(f"no shape of inputs: {str(shape)[:60]}")
        self.task, self.input_shape = task, tuple(shape)
        names = getattr(task, "target_names", getattr(task, "label_names", ()))
        self.target_shape = (len(names),) if names else ()
        if isinstance(task, Reconstruction):
            self.target_shape = self.input_shape


def load_run(
    run_dir: str | Path,
    code: Iterable[Path] = (),
    dataset: Dataset | None = None,
    *,
    changed: bool = False,
):
    """(net, dataset) of a finished run: `Run(run_dir, code, changed=changed).load(dataset)`."""
    return Run(run_dir, code, changed=changed).load(dataset)


def _changed_config(trained_on: dict, config: Config, part: str) -> list[str]:
    """In words, what is another in a part of the configuration."""
    before, now = (_of(data, part) for data in (trained_on["config"], config.data))
    return differences(before, json.loads(as_json(now)))


def _changed_code(trained_on: dict, config: Config, parts: tuple) -> list[str]:
    """In words, which files of own code that these parts name are others."""
    root, files = Section(config), []
    for name in (name for part in parts for name in own_names(_of(config.data, part))):
        with contextlib.suppress(ConfigError):  # building it will say the same, with its line
            files.append(root.code_file(name))
    now = digests(file for path in files for file in with_imports(path))
    named = {path.name for path in files}
    return [
        f"the code in {printable(name)}"
        for name, digest in now.items()
        # Older runs have kept no account of imported files.
        if trained_on["versions"].get(name, None if name in named else digest) != digest
    ]


def _of(data: dict, part: str) -> dict:
    """A section of a configuration alone; "metrics" are those of training."""
    if part != "metrics":
        return {part: data[part]} if part in data else {}
    training = data.get("training")
    if not isinstance(training, dict) or "metrics" not in training:
        return {}
    return {"training": {"metrics": training["metrics"]}}
