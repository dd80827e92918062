"""A metric from its name, with answers for the names that other tools have."""

import inspect
import re

from lamina.common.names import suggest
from lamina.metrics.accuracy import Accuracy
from lamina.metrics.base import Metric
from lamina.metrics.confusion import ConfusionMatrix
from lamina.metrics.exact_match import ExactMatch
from lamina.metrics.f1 import F1
from lamina.metrics.mean_absolute_error import MeanAbsoluteError
from lamina.metrics.per_class import AVERAGES, PerClass
from lamina.metrics.perplexity import Perplexity
from lamina.metrics.precision import Precision
from lamina.metrics.r2 import R2
from lamina.metrics.recall import Recall
from lamina.metrics.roc_auc import RocAuc
from lamina.metrics.root_mean_squared_error import RootMeanSquaredError
from lamina.metrics.top_k import TopK

METRICS: dict[str, type[Metric]] = {
    "accuracy": Accuracy,
    "confusion": ConfusionMatrix,
    "exact_match": ExactMatch,
    "f1": F1,
    "mae": MeanAbsoluteError,
    "perplexity": Perplexity,
    "precision": Precision,
    "r2": R2,
    "recall": Recall,
    "rmse": RootMeanSquaredError,
    "roc_auc": RocAuc,
    "top_k": TopK,
}

# What others call them, as small letters and digits alone, and what it is here.
_FOREIGN = {
    **dict.fromkeys(
        (
            *("acc", "accuracyscore", "binaryaccuracy", "categoricalaccuracy"),
            *("sparsecategoricalaccuracy", "multiclassaccuracy"),
        ),
        "accuracy",
    ),
    **dict.fromkeys(
        ("balancedaccuracy", "balancedaccuracyscore"), "recall, whose mean over the classes it is"
    ),
    **dict.fromkeys(
        (
            *("topkaccuracy", "topkaccuracyscore", "topkcategoricalaccuracy"),
            "sparsetopkcategoricalaccuracy",
        ),
        "top5, or TopK with its k",
    ),
    **dict.fromkeys(
        ("mse", "meansquarederror", "squarederror", "l2"),
        "rmse, the root of it, in the unit of the targets",
    ),
    **dict.fromkeys(("rootmeansquarederror", "rms"), "rmse"),
    **dict.fromkeys(("meanabsoluteerror", "absoluteerror", "l1"), "mae"),
    **dict.fromkeys(("r2score", "rsquared", "rsquare", "r²"), "r2"),
    **dict.fromkeys(("f1score", "fscore", "fmeasure", "binaryf1score", "multiclassf1score"), "f1"),
    **dict.fromkeys(("auc", "auroc", "rocaucscore", "binaryauroc"), "roc_auc"),
    **dict.fromkeys(("recallscore", "sensitivity", "tpr", "truepositiverate"), "recall"),
    **dict.fromkeys(("precisionscore", "ppv", "positivepredictivevalue"), "precision"),
    **dict.fromkeys(("confusionmatrix", "confmat"), "confusion"),
    **dict.fromkeys(("ppl", "perp"), "perplexity"),
    **dict.fromkeys(("em", "subsetaccuracy", "sequenceaccuracy"), "exact_match"),
    **dict.fromkeys(
        ("loss", "logloss", "crossentropy", "nll", "crossentropyloss"),
        "the loss, which has a column without being named",
    ),
}


_TOP_OF_OTHERS = r"topk?0*([1-9]\d{0,8})(?:accuracy|acc)?"  # top_5, Top5Accuracy


def make_metric(spec, defaults: dict | None = None, /, **arguments) -> Metric:
    """The metric that `spec` says: "accuracy", "top5", "f1_micro", a class name as "TopK" with its
    arguments, a mapping {"type": "TopK", "k": 3}, a class of your own, or a metric itself.

    `defaults` are arguments of which each metric gets those that it knows, such as ignore_index
    and multilabel of a task. Raises ValueError for unknown names and arguments, with what to write
    instead, and TypeError for what names no metric.
    """
    if isinstance(spec, Metric):
        if arguments:
            raise ValueError(
                f"{spec.name} is made already; give {', '.join(arguments)} to its class"
            )
        return _named(spec)
    if isinstance(spec, dict):
        named = {name: value for name, value in spec.items() if name != "type"}
        if not isinstance(spec.get("type"), (str, type)):
            raise ValueError(f'a metric as a mapping has "type": NAME, got {spec!r:.80}')
        return make_metric(spec["type"], defaults, **named, **arguments)
    cls, given = _class_of(spec)
    for name in given.keys() & arguments.keys():
        if given[name] != arguments[name]:
            raise ValueError(f"{spec} says {name} {given[name]!r}; got {name}={arguments[name]!r}")
    arguments = given | arguments
    parameters = inspect.signature(cls).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        for name in (n for n in arguments if n not in parameters):
            said = suggest(name, parameters) if parameters else "; it takes none"
            raise ValueError(f"{cls.__name__}: unknown argument {name}{said}")
    known = {name: value for name, value in (defaults or {}).items() if name in parameters}
    return _named(cls(**(known | arguments)))


def _class_of(spec) -> tuple[type[Metric], dict]:
    """The class that a name stands for, and the arguments that the name says."""
    if isinstance(spec, type) and issubclass(spec, Metric) and spec is not Metric:
        return spec, {}
    if not isinstance(spec, str):
        raise TypeError(f"a metric is a name, a Metric or a class of them, got {spec!r:.60}")
    if spec in METRICS:
        return METRICS[spec], {}
    by_class = {cls.__name__: cls for cls in METRICS.values()}
    if spec in by_class:
        return by_class[spec], {}
    if top := re.fullmatch(r"top([1-9]\d{0,8})", spec):
        return TopK, {"k": int(top[1])}
    name, _, average = spec.rpartition("_")
    if average in AVERAGES and issubclass(METRICS.get(name, Metric), PerClass):
        return METRICS[name], {"average": average}
    raise ValueError(f"unknown metric {spec}{_answer(spec)}")


def _answer(spec: str) -> str:
    """What to write instead of an unknown name."""
    if ".py:" in spec:
        return "; a metric of your own is given as its class"
    plain = re.sub(r"[\W_]", "", spec.lower())
    if top := re.fullmatch(_TOP_OF_OTHERS, plain):
        return f"; did you mean top{top[1]}?"
    ours = {re.sub("_", "", name): name for name in METRICS}
    if plain in ours:
        return f"; did you mean {ours[plain]}?"
    if plain in _FOREIGN:
        return f"; here it is {_FOREIGN[plain]}"
    return suggest(spec, [*METRICS, "top5"])


def _named(metric: Metric) -> Metric:
    """A metric of the user's own may have forgotten its name, which its column needs."""
    if not isinstance(metric.name, str) or not re.fullmatch(r"\w[\w.+-]*", metric.name):
        raise ValueError(
            f"{type(metric).__name__}: name is {metric.name!r}; it heads a column of history.csv, "
            'as in name = "accuracy": letters, digits and _'
        )
    return metric
