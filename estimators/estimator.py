"""What both estimators are: settings, fitted by the trainer to the samples of scikit-learn."""

import signal
from pathlib import Path
from typing import Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from lamina.common.names import suggest
from lamina.datasets import Dataset, Samples, Task
from lamina.datasets.sampler import check_batch_size
from lamina.datasets.split import split_off, validation_out_of
from lamina.datasets.tasks.numbers import check_float32
from lamina.estimators.module import made_net
from lamina.experiment.build import build_optimizer
from lamina.experiment.config import Config
from lamina.training.trainer import Trainer

_PREFIXES = ("module__", "criterion__", "optimizer__")


class Estimator(BaseEstimator):
    """Base of LaminaClassifier and LaminaRegressor, which say what the targets are.

    Subclasses have `_targets(y)`, the task and the targets for it, and `_read(scores)`.
    """

    def __init__(
        self,
        module=None,
        *,
        criterion=None,
        optimizer="Adam",
        lr: float = 0.01,
        max_epochs: float = 20,
        batch_size: int = 32,
        train_split: float | None = None,
        patience: int | None = None,
        callbacks=(),
        verbose: int = 0,
        random_state=None,
        **settings,
    ):
        self.module = module
        self.criterion = criterion
        self.optimizer = optimizer
        self.lr = lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.train_split = train_split
        self.patience = patience
        self.callbacks = callbacks
        self.verbose = verbose
        self.random_state = random_state
        self.__dict__.update(settings)  # looked at in fit, as all settings are

    def get_params(self, deep: bool = True) -> dict:
        """The settings by name, those with two underscores included."""
        return super().get_params(deep) | self._settings()

    def set_params(self, **params) -> Self:
        """Change settings; returns self."""
        further = {key: value for key, value in params.items() if key.startswith(_PREFIXES)}
        super().set_params(**{k: v for k, v in params.items() if k not in further})
        self.__dict__.update(further)
        return self

    def fit(self, X, y) -> Self:
        """Train a new net. X (N, n) or (N, ...), numbers; y as the estimator takes it. Raises
        ValueError for settings, samples and nets that do not fit, FloatingPointError where the
        numbers overflow, KeyboardInterrupt if Ctrl-C has ended the training."""
        self._check_settings()
        floats = [np.float64, np.float32]
        X, y = validate_data(self, X, y, dtype=floats, allow_nd=True, **self._checks)
        check_float32("X", X)
        if np.abs(X).max(initial=0) > np.finfo(np.float32).max:
            raise ValueError("X: holds a number too large for float32; take its logarithm, say")
        X = np.asarray(X, np.float32)
        task, t = self._targets(y)
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        of_weights, of_batches = np.random.default_rng(seed).spawn(2)
        dataset = _Data(*self._split(X, t, seed), task)
        kind, sections = type(self).__name__, {}
        sections["optimizer"] = {
            **self._named("optimizer", self.optimizer, {"lr": self.lr}),
            **self._further("optimizer"),
        }
        criterion = None
        if self.criterion is not None or self._further("criterion"):
            criterion = self._named("criterion", self.criterion or task.losses[0], {})
            criterion |= self._further("criterion")
        config = Config(sections, kind, {}, Path.cwd())
        net = made_net(config, self.module, self._further("module"), criterion, dataset, of_weights)
        if self.patience is not None and dataset.validation is None:
            raise ValueError(
                f"{kind}: patience: chooses by samples that are not trained on, and there are "
                "none; put a share of them aside: train_split=0.1"
            )
        n_train = len(dataset.train)
        batch_size = min(self.batch_size, n_train)
        check_batch_size(batch_size, n_train)
        trainer = Trainer(
            net,
            build_optimizer(config, net.parameters()),
            dataset,
            rng=of_batches,
            epochs=self.max_epochs,
            batch_size=batch_size,
            patience=self.patience,
            keep_best=self.patience is not None,
            callbacks=self.callbacks,
            quiet=not self.verbose,
        )
        trainer.run()
        if trainer.interrupted == signal.SIGINT:
            raise KeyboardInterrupt
        if trainer.interrupted is not None:
            raise SystemExit(128 + trainer.interrupted)
        self.net_, self.task_, self.history_ = net, task, trainer.history.evaluations
        return self

    def predict(self, X) -> np.ndarray:
        """What the net says of each sample: (N,), or (N, D) for D numbers each."""
        return self._read(self._scores(X))

    def _scores(self, X) -> np.ndarray:
        """(N, ...), computed in the floats of X: in float64 a sample's scores are the same,
        to 1e-12 or so, whatever other samples stand beside it."""
        check_is_fitted(self, "net_")
        floats = [np.float64, np.float32]
        X = validate_data(self, X, dtype=floats, allow_nd=True, reset=False)
        return self.net_.predict(X)

    _checks: dict = {}  # noqa: RUF012  (further arguments of validate_data; never written into)

    def _targets(self, y) -> tuple[Task, np.ndarray]:
        raise NotImplementedError(f"{type(self).__name__} has no _targets")

    def _read(self, scores) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} has no _read")

    def _split(self, X, t, seed: int) -> tuple[Samples, Samples | None]:
        """(samples to train on, samples to choose by), class by class."""
        n_off = validation_out_of(len(X), self.train_split, None)
        if not n_off:
            return Samples(X, t), None
        classes = t if t.dtype.kind == "i" else None
        train, off = split_off(len(X), n_off, seed, classes)
        return Samples(X[train], t[train]), Samples(X[off], t[off])

    def _settings(self) -> dict:
        """Those that no argument of __init__ has by name; what fit makes ends with _."""
        named = self._get_param_names()
        return {
            key: value
            for key, value in vars(self).items()
            if key not in named and not key.startswith("_") and not key.endswith("_")
        }

    def _check_settings(self) -> None:
        for key in self._settings():
            if not key.startswith(_PREFIXES):
                raise TypeError(
                    f"{type(self).__name__}: unknown setting {key}"
                    f"{suggest(key, self._get_param_names())}; those of parts begin with "
                    f"{', '.join(_PREFIXES)}, as optimizer__weight_decay"
                )

    def _further(self, part: str) -> dict:
        """The settings of a part: {"momentum": 0.9} of optimizer__momentum=0.9."""
        start = f"{part}__"
        found = {k: v for k, v in self._settings().items() if k.startswith(start)}
        return {key.removeprefix(start): _plain(value) for key, value in found.items()}

    def _named(self, part: str, value, settings: dict) -> dict:
        """A name, or {"type": NAME, ...}, as a section of a configuration."""
        if isinstance(value, str):
            return {"type": value} | settings
        if isinstance(value, dict):
            return settings | value
        raise TypeError(
            f"{type(self).__name__}: {part}: expects a name or a dict, as in configurations, "
            f'{{"type": NAME, ...}}, got {value!r:.60}'
        )


class _Data(Dataset):
    """The samples of a fit: none to test on, which scikit-learn keeps for itself. A training is
    told of the validation samples alone; its own samples have the loss of their batches."""

    def __init__(self, train: Samples, validation: Samples | None, task: Task):
        self.train, self.validation, self.task = train, validation, task
        self.input_shape = tuple(train.X.shape[1:])
        self.target_shape = task.target_shape(train.t)

    def sets(self) -> dict[str, Samples]:
        return {} if self.validation is None else {"validation": self.validation}


def _plain(value):
    """NumPy's numbers, which searches draw, as Python's, which configurations have."""
    return value.item() if isinstance(value, np.generic) else value
