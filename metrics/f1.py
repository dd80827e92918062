"""F1: the harmonic mean of precision and recall."""

from lamina.metrics.per_class import PerClass, ratio


class F1(PerClass):
    """The harmonic mean of precision and recall of a class; over the classes by `average`.

        F1[c] = 2 · precision · recall / (precision + recall) = 2 hits / (predictions + targets)

    The macro average is the mean of the classes' F1, not the F1 of mean precision and recall.
    Averages, degenerate cases, shapes, errors: see PerClass. Source: van Rijsbergen 1979.
    """

    name = "f1"
    percent = False  # the share of nothing

    def figure(self, hits, predictions, support):
        return ratio(2 * hits, predictions + support)
