import numpy as np
import pytest

from lamina.metrics import F1, METRICS, Accuracy, Metric, Recall, RocAuc, TopK, make_metric
from lamina.metrics.make_metric import _FOREIGN


class Always(Metric):
    """A metric of the user's own."""

    name = "always"

    def reset(self):
        self.total = 0

    def update(self, scores, targets):
        self.total += len(targets)

    def value(self):
        return 1.0 if self.total else float("nan")


@pytest.mark.parametrize("name", METRICS)
def test_names_and_class_names(name):
    cls = METRICS[name]
    for spec in (name, cls.__name__, cls, {"type": name}, {"type": cls.__name__}):
        assert type(make_metric(spec)) is cls
    metric = make_metric(name)
    assert metric.name == (name if name != "top_k" else "top5")
    assert type(make_metric(metric.name)) is cls
    assert make_metric(metric) is metric


def test_names_that_say_an_argument():
    top = make_metric("top10")
    assert (type(top), top.k, top.name) == (TopK, 10, "top10")
    assert make_metric("top5", k=5).k == 5
    f1 = make_metric("f1_weighted")
    assert (type(f1), f1.average, f1.name) == (F1, "weighted", "f1_weighted")
    with pytest.raises(ValueError, match="top5 says k 5; got k=3"):
        make_metric("top5", k=3)


def test_arguments():
    assert make_metric("TopK", k=3).name == "top3"
    assert make_metric({"type": "TopK", "k": 3}, ignore_index=0).ignore_index == 0
    assert make_metric("recall", average="micro").average == "micro"
    for spec, words in (
        ("TopK", "TopK: unknown argument kk; did you mean k"),
        ("accuracy", "Accuracy: unknown argument kk; did you mean|Accuracy: unknown.*ignore_index"),
        ("r2", "R2: unknown argument kk; it takes none"),
    ):
        with pytest.raises(ValueError, match=words):
            make_metric(spec, kk=3)
    with pytest.raises(
        ValueError, match="accuracy is made already; give ignore_index to its class"
    ):
        make_metric(Accuracy(), ignore_index=0)


def test_defaults_go_to_those_that_know_them():
    defaults = {"multilabel": True, "ignore_index": 7}
    assert make_metric("recall", defaults).multilabel
    assert make_metric("accuracy", defaults).ignore_index == 7
    assert make_metric("accuracy", defaults, ignore_index=2).ignore_index == 2
    assert make_metric("rmse", defaults).name == "rmse"
    assert make_metric({"type": "f1", "multilabel": False}, defaults).multilabel is False


def test_metrics_of_ones_own():
    metric = make_metric(Always)
    metric.update(np.zeros((2, 3)), np.zeros(2, int))
    assert metric.value() == 1.0
    with pytest.raises(ValueError, match="a metric of your own is given as its class"):
        make_metric("mine.py:Always")

    class Nameless(Always):
        name = ""

    for spec in (Nameless, Nameless()):
        with pytest.raises(ValueError, match="Nameless: name is ''; it heads a column"):
            make_metric(spec)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("acuracy", "; did you mean accuracy?"),
        ("ACCURACY", "; did you mean accuracy?"),
        ("acc", "; here it is accuracy"),
        ("mse", "; here it is rmse, the root of it"),
        ("mean_squared_error", "; here it is rmse, the root of it"),
        ("MeanSquaredError", "; here it is rmse, the root of it"),
        ("RMSE", "; did you mean rmse?"),
        ("auc", "; here it is roc_auc"),
        ("AUROC", "; here it is roc_auc"),
        ("ROCAUC", "; did you mean roc_auc?"),
        ("r2_score", "; here it is r2"),
        ("R²", "; here it is r2"),
        ("f1_score", "; here it is f1"),
        ("F1Score", "; here it is f1"),
        ("top_5", "; did you mean top5?"),
        ("top-3", "; did you mean top3?"),
        ("acc@5", None),
        ("Top5Accuracy", "; did you mean top5?"),
        ("top0", None),
        ("balanced_accuracy", "; here it is recall, whose mean"),
        ("loss", "; here it is the loss, which has a column"),
        ("", "; known: accuracy, confusion"),
        ("zzz", "; known: accuracy, confusion"),
    ],
)
def test_unknown_names_are_answered(name, answer):
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        make_metric(name)
    assert str(raised.value).startswith(f"unknown metric {name}{answer or '; '}")


def test_foreign_names_are_none_of_ours_and_answered_by_ours():
    for foreign, ours in _FOREIGN.items():
        with pytest.raises(ValueError, match="unknown metric"):
            make_metric(foreign)
        first = ours.partition(",")[0]
        assert first == "the loss" or first == make_metric(first).name


@pytest.mark.parametrize("spec", [None, 5, ["accuracy"], int, Metric, np.mean])
def test_what_names_no_metric(spec):
    with pytest.raises(TypeError, match="a metric is a name, a Metric or a class of them, got"):
        make_metric(spec)


def test_mappings_without_a_type():
    with pytest.raises(ValueError, match='a metric as a mapping has "type": NAME, got'):
        make_metric({"k": 5})


def test_wrong_values_are_the_metrics_own_errors():
    with pytest.raises(ValueError, match="TopK: k is a whole number"):
        make_metric("TopK", k="5")
    assert isinstance(make_metric("roc_auc"), RocAuc)
    assert isinstance(make_metric("recall_macro"), Recall)
