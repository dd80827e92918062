"""Precision: how many of those predicted as a class are of it."""

from lamina.metrics.per_class import PerClass, ratio


class Precision(PerClass):
    """The share of right ones among those predicted as a class; over the classes by `average`.

        precision[c] = hits[c] / predictions[c]

    Averages, degenerate cases, shapes, errors: see PerClass.
    """

    name = "precision"

    def figure(self, hits, predictions, support):
        return ratio(hits, predictions)
