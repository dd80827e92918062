"""A classifier for scikit-learn."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets

from lamina.common.predicted import UNKNOWN
from lamina.datasets import Classification
from lamina.estimators.estimator import Estimator
from lamina.experiment.probabilities import has_probabilities, probabilities


def _has_probabilities(estimator) -> bool:
    """Whether the loss is one of probabilities; where no net is made yet, nothing speaks against
    it."""
    net = getattr(estimator, "net_", None)
    if net is not None and not has_probabilities(net):
        raise AttributeError(
            f"{type(net.loss_of_scores).__name__} gives scores that are no probabilities; "
            "criterion='SoftmaxWithLoss' gives some"
        )
    return True


class LaminaClassifier(ClassifierMixin, Estimator):
    """A net that tells classes apart, for scikit-learn. Settings are named as in skorch.

    module: the layers, as a list, [{"type": "Affine", "n_out": 50}, "Relu", "Affine"]; or the
        `net:` of a configuration, a dict; or a function, or class, that gives one of these or a Net
        with its loss, called with the settings module__NAME and, if it takes it, an `rng`. The last
        layer of a chain takes its n_out from y. Default: one hidden layer of 100.
    criterion: the loss, a name or {"type": NAME, ...}, with the settings criterion__NAME. Default:
        that of the net, else SoftmaxWithLoss.
    optimizer: as criterion, with optimizer__NAME; `lr` is its rate. Default: Adam with 0.01.
    max_epochs, batch_size: of the training; a batch has no more than all samples.
    train_split: this share of the samples, class by class, is only looked at; with `patience` it
        chooses: after so many evaluations without a better one the training ends, and the best
        weights are kept. Default: none, train on all.
    callbacks: of the Trainer. verbose: 1 shows a progress bar. random_state: as everywhere in
        scikit-learn; None draws anew each time.

    X is (N, n), or (N, ...) if the net takes such, numbers, which become float32 to train on; y are
    N labels of any kind. After `fit`: net_, classes_, n_features_in_, history_ (a row for each
    evaluation, after as many whole batches as an epoch has, and at the end).
    """

    def fit(self, X, y) -> "LaminaClassifier":
        """Train a new net. X (N, n) or (N, ...), numbers; y (N,), labels of two or more classes.

        Raises ValueError for settings, samples and nets that do not fit, NonFiniteError where the
        loss overflows, KeyboardInterrupt if Ctrl-C has ended the training."""
        return super().fit(X, y)

    def predict(self, X) -> np.ndarray:
        """The class of each sample, (N,)."""
        return super().predict(X)

    @available_if(_has_probabilities)
    def predict_proba(self, X) -> np.ndarray:
        """The probability of each class, (N, C), in the order of `classes_`."""
        scores = self._scores(X)
        return probabilities(self.net_, scores)

    def _targets(self, y):
        check_classification_targets(y)
        self.classes_, t = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"LaminaClassifier: y has only one class, {self.classes_[0]}: nothing to tell apart"
            )
        return Classification([str(name) for name in self.classes_]), t

    def _read(self, scores):
        said = self.task_.predictions(scores)
        if (unknown := np.flatnonzero(said == UNKNOWN)).size:
            raise ValueError(
                f"LaminaClassifier: the scores of row {unknown[0]} of X are NaN: are its numbers "
                "far larger than those that it was fitted with?"
            )
        return self.classes_[said]
