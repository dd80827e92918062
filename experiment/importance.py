"""How much of what sets the best quarter of a sweep apart is due to each value, by Optuna."""

import importlib.util
import math
import warnings

from lamina.experiment.ranges import label
from lamina.experiment.sweep_values import SweepValues, Varied

FEWEST = 10  # trials with a figure; fewer say nothing
BEST = 0.25  # share that is compared with all; Optuna's tenth is two trials of twenty


def importances(sweep: SweepValues) -> dict[str, float]:
    """{key: share}, together 1, of the keys that take several values, by PED-ANOVA (Watanabe et al.
    2023): of the best quarter and all that are as good as its last. Those that were pruned or are
    not over count with the figure that they had, those that failed as the worst of all. {} without
    Optuna, with fewer than FEWEST trials, or where only one key varies."""
    varied = [varied for varied in sweep.varied if len(varied.places) > 1]
    finite = [figure for figure in sweep.figures if math.isfinite(figure)]
    if len(varied) < 2 or len(sweep.figures) < FEWEST or not importlib.util.find_spec("optuna"):
        return {}
    if not finite:
        return {}
    worst = (min if sweep.higher_is_better else max)(finite)
    figures = [figure if math.isfinite(figure) else worst for figure in sweep.figures]
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings(action="ignore"):
        ranges = {v.name: _distribution(v) for v in varied}
        study = optuna.create_study(direction="maximize" if sweep.higher_is_better else "minimize")
        try:
            for i, figure in enumerate(figures):
                trial = optuna.trial.create_trial(
                    params={v.name: _value(v, v.values[i]) for v in varied},
                    distributions=ranges,
                    value=figure,
                )
                study.add_trial(trial)
            judge = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=BEST)
            found = optuna.importance.get_param_importances(study, evaluator=judge)
        except (ValueError, RuntimeError, optuna.exceptions.OptunaError):
            return {}  # such as figures that are all the same
    return found if all(map(math.isfinite, found.values())) else {}


def _value(varied: Varied, value):
    if varied.range is not None:
        return label(value) if varied.range.kind == "choice" else value
    return float(value) if _fill_a_range(varied) else label(value)


def _fill_a_range(varied: Varied) -> bool:
    """Are they numbers of which most trials have one of their own? Else they are names: between two
    numbers of a short list there is nothing, and a range would be taken to be filled."""
    return varied.numeric and len(varied.values) < 2 * len(varied.places)


def _distribution(varied: Varied):
    """What the file draws from; of the values of a list what reaches from the least to the largest,
    if they fill that, or these very values."""
    from optuna import distributions

    if varied.range is not None:
        return varied.range.distribution()
    if not _fill_a_range(varied):
        return distributions.CategoricalDistribution(list(map(label, varied.places)))
    low, *_, high = varied.places
    return distributions.FloatDistribution(float(low), float(high), log=varied.log)
