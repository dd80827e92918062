"""A run in MLflow: in a SQLite file that needs no server."""

import contextlib
import logging
import os
import re
import sqlite3
import time
from pathlib import Path

from lamina.common.extras import require
from lamina.training.callbacks.tracker import (
    FAILED,
    FINISHED,
    INTERRUPTED,
    Tracker,
    settings,
)

_STATUS = {FINISHED: "FINISHED", INTERRUPTED: "KILLED", FAILED: "FAILED"}
_PATIENCE = 120.0  # seconds until another run has made the tables
_LONGEST, _AT_ONCE = 6000, 100  # characters of a setting, settings of a request, in MLflow


class MLflow(Tracker):
    """The columns of history.csv as metrics, by iteration, and the settings as parameters.

    `store` is a SQLite file (default: mlflow.db beside the run directory, so that the runs of a
    folder share it), or a URI such as http://..., the one way to a network. The experiment is
    called as the folder that the run directory lies in, the run as its directory. MLflow changes no
    parameter of a run: a setting that has changed, as the iterations of one that is trained for
    longer, is a tag of its name.

        mlflow ui --backend-store-uri sqlite:///runs/mlflow.db

    Needs the extra `mlflow`.
    """

    def __init__(self, store: str = "", experiment: str = ""):
        for module in ("mlflow",) if "://" in store else ("mlflow", "sqlalchemy", "alembic"):
            require(module, "mlflow", "MLflow")
        self.store, self.experiment = store, experiment

    def begin(self, configuration: dict) -> None:
        client = self._client = self._connected()
        if "run" in self.kept:
            run = self.kept["run"]
            client.update_run(run, status="RUNNING")
            there = client.get_metric_history(run, "loss")
            self.kept["logged"] = max((metric.step for metric in there), default=0)
            self._tag_changes(run, configuration)
            return
        name = self.experiment or self.folder.resolve().parent.name or "lamina"
        self.kept["run"] = client.create_run(
            self._experiment(name), run_name=self.folder.name
        ).info.run_id
        self._remember()
        self._log_settings(configuration)

    def log(self, row: dict[str, float]) -> None:
        from mlflow.entities import Metric

        now, step = int(time.time() * 1000), int(row["iteration"])
        figures = {_name(n): float(v) for n, v in row.items() if n != "iteration"}
        metrics = [Metric(n, v, now, step) for n, v in figures.items()]
        self._client.log_batch(self.kept["run"], metrics=metrics)

    def end(self, how: str) -> None:
        self._client.set_terminated(self.kept["run"], status=_STATUS[how])

    def _connected(self):
        """What talks to the store, and to nothing else."""
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
        from mlflow.tracking import MlflowClient

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        if "://" in self.store:
            return MlflowClient(tracking_uri=self.store)
        store = Path(self.store or self.folder.parent / "mlflow.db").resolve()
        if not store.parent.is_dir():
            raise FileNotFoundError(f"{store}: there is no folder {store.parent}")
        with _alone(store):
            return MlflowClient(tracking_uri=f"sqlite:///{store}")

    def _experiment(self, name: str) -> str:
        """The number of the experiment, made if need be; another run may make it meanwhile."""
        from mlflow.exceptions import MlflowException

        if found := self._client.get_experiment_by_name(name):
            return found.experiment_id
        try:
            return self._client.create_experiment(name)
        except MlflowException:
            if found := self._client.get_experiment_by_name(name):
                return found.experiment_id
            raise

    def _log_settings(self, configuration: dict) -> None:
        from mlflow.entities import Param

        params = [Param(key, value) for key, value in _params(configuration).items()]
        for i in range(0, len(params), _AT_ONCE):
            self._client.log_batch(self.kept["run"], params=params[i : i + _AT_ONCE])

    def _tag_changes(self, run: str, configuration: dict) -> None:
        there = self._client.get_run(run).data
        for key, value in _params(configuration).items():
            if there.tags.get(key, there.params.get(key)) != value:
                self._client.set_tag(run, key, value)


def _params(configuration: dict) -> dict[str, str]:
    """The settings as MLflow takes them."""
    return {_name(key): str(v)[:_LONGEST] for key, v in settings(configuration).items()}


@contextlib.contextmanager
def _alone(store: Path):
    """One run at a time makes the tables of a store: side by side MLflow's trip over each other.
    The lock is SQLite's, on an empty file, and goes with the process."""
    with contextlib.closing(
        sqlite3.connect(store.with_name(f".{store.name}.lock"), _PATIENCE, isolation_level=None)
    ) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        yield


def _name(name: str) -> str:
    """As MLflow takes it: letters, digits and a few signs."""
    return re.sub(r"[^\w.\- ]", "_", name, flags=re.ASCII)[:250]
