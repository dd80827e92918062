"""By what a run is judged, as facts.json says it: what its tables cannot be read without."""

import math


def figure_facts(trainer) -> dict | None:
    """Name, direction and limits of the metric that counts, whether it is a share, and what
    guessing scores on the test and the training set; None if the run is judged by its loss."""
    if not trainer.evaluator.metrics:
        return None
    metric, dataset = trainer.evaluator.metrics[0], trainer.dataset
    usual = metric.name == dataset.task.metrics[0]
    low, high = metric.limits
    return {
        "name": metric.name,
        "higher_is_better": metric.higher_is_better,
        "limits": [low if math.isfinite(low) else None, high if math.isfinite(high) else None],
        "percent": metric.percent,
        "guess": rounded(dataset.guess("test")) if usual else None,
        "train_guess": rounded(dataset.guess("train")) if usual else None,
    }


def percent_facts(trainer) -> dict[str, bool]:
    """Which metrics are shown in per cent: a reader of the tables cannot ask those of the user."""
    return {metric.name: bool(metric.percent) for metric in trainer.evaluator.metrics}


def rounded(value: float | None) -> float | None:
    """To six digits; None for what JSON does not have."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")
