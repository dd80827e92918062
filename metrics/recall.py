"""Recall: how many of a class are found."""

from lamina.metrics.per_class import PerClass, ratio


class Recall(PerClass):
    """The share of the samples of a class that are predicted as it; over the classes by `average`.

        recall[c] = hits[c] / targets[c]

    The macro average is called balanced accuracy, too (scikit-learn's leaves out classes that are
    predicted but never the target). Averages, degenerate cases, shapes, errors: see PerClass.
    """

    name = "recall"

    def figure(self, hits, predictions, support):
        return ratio(hits, support)
