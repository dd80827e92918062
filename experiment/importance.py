"""How much of what sets the best quarter of a sweep apart is due to each value, by Optuna."""

import importlib.util
import math
import warnings

from lamina.experiment.sweep_values import SweepValues, Varied

FEWEST = 10  # trials with a figure; fewer say nothing
BEST = 0.25  # share that is compared with all; Optuna's tenth is two trials of twenty


def importances(sweep: SweepValues) -> dict[str, float]:
    """{key: share}, together 1, of the keys that take several values, by PED-ANOVA (Watanabe et al.
    2023). Those that were pruned count with the figure that they had. {} without Optuna, with fewer
    than FEWEST trials, or where only one key varies."""
    varied = [varied for varied in sweep.varied if len(varied.places) > 1]
    there = [i for i, figure in enumerate(sweep.figures) if math.isfinite(figure)]
    if len(varied) < 2 or len(there) < FEWEST or not importlib.util.find_spec("optuna"):
        return {}
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings(action="ignore"):
        ranges = {v.name: _distribution(v) for v in varied}
        study = optuna.create_study(direction="maximize" if sweep.higher_is_better else "minimize")
        for i in there:
            values = {v.name: float(v.values[i]) if v.numeric else v.values[i] for v in varied}
            trial = optuna.trial.create_trial(
                params=values, distributions=ranges, value=sweep.figures[i]
            )
            study.add_trial(trial)
        try:
            judge = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=BEST)
            found = optuna.importance.get_param_importances(study, evaluator=judge)
        except (ValueError, RuntimeError, optuna.exceptions.OptunaError):
            return {}  # such as figures that are all the same
    return found if all(map(math.isfinite, found.values())) else {}


def _distribution(varied: Varied):
    from optuna import distributions

    if not varied.numeric:
        return distributions.CategoricalDistribution(varied.places)
    low, *_, high = varied.places
    return distributions.FloatDistribution(float(low), float(high), log=varied.log)
