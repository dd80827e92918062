"""A regressor for scikit-learn."""

import numpy as np
from sklearn.base import RegressorMixin

from lamina.datasets import Regression
from lamina.datasets.tasks.numbers import as_float32
from lamina.estimators.estimator import Estimator


class LaminaRegressor(RegressorMixin, Estimator):
    """A net that learns numbers, for scikit-learn. Settings: see LaminaClassifier; the loss is, if
    neither net nor criterion says another, SquaredErrorLoss.

    y is (N,) or (N, D). Like X it should be of about mean 0 and deviation 1; where it is not,
    sklearn.compose.TransformedTargetRegressor makes it so. After `fit`: net_, n_features_in_,
    history_ (a row for each evaluation).
    """

    _checks = {"y_numeric": True, "multi_output": True}  # noqa: RUF012  (never written into)

    def fit(self, X, y) -> "LaminaRegressor":
        """Train a new net. X (N, n) or (N, ...), y (N,) or (N, D), numbers.

        Raises ValueError for settings, samples and nets that do not fit, NonFiniteError where the
        loss overflows, KeyboardInterrupt if Ctrl-C has ended the training."""
        return super().fit(X, y)

    def predict(self, X) -> np.ndarray:
        """The numbers of each sample, (N,) or (N, D), as y had them."""
        return super().predict(X)

    def _targets(self, y):
        self._one_number = y.ndim == 1
        try:
            t = as_float32(y).reshape(len(y), -1)
        except ValueError as error:
            raise ValueError(f"LaminaRegressor: y: {error}") from None
        return Regression([f"target{i}" for i in range(1, t.shape[1] + 1)]), t

    def _read(self, scores):
        return scores[:, 0] if self._one_number else scores

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
