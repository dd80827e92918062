"""A run is called healthy only where its figures speak for it; else it is said what they lack."""

import dataclasses

import numpy as np
import pytest
from test_advice import record_of, with_outputs
from test_evidence import learned_by_heart

from lamina.diagnosis.causes.over_fitting import over_fitting
from lamina.diagnosis.causes.targets import a_mark_among_targets
from lamina.diagnosis.causes.unequal_classes import unequal_classes
from lamina.diagnosis.causes.unlike_sets import unlike_sets
from lamina.diagnosis.doctor import diagnose
from lamina.diagnosis.health import doubts
from lamina.diagnosis.report import figures, report, summary
from lamina.diagnosis.run_tables import Series
from lamina.optimizers.schedules import make_schedule


def scored(train: float, test: float, **facts):
    record = record_of()
    record.history["train_accuracy"][-1] = train
    record.history["test_accuracy"][-1] = test
    record.facts |= {"test_samples": 1000, **facts}
    return record


def test_what_has_learned_all_that_is_known_to_be_there_is_healthy():
    assert doubts(scored(0.97, 0.95)) == []
    assert doubts(scored(0.76, 0.74, nearest=0.6, ridge=0.75)) == []  # the rest is noise
    assert summary(scored(0.97, 0.95), []).endswith(": healthy, nothing found")


@pytest.mark.parametrize(
    ("train", "test", "facts", "said"),
    [
        (0.6, 0.62, {"nearest": 0.96}, "nearest neighbours among training samples: 96.0 %"),
        (0.8, 0.8, {}, "whether more can be learned is not known"),
        (
            0.97,
            0.11,
            {},
            "test accuracy 11.0 %: of 1,000 test samples that may be luck, guessing",
        ),
        (0.97, np.nan, {}, "test nan %: that of the test set is not defined"),
    ],
)
def test_what_speaks_against_it_is_said(train, test, facts, said):
    record = scored(train, test, **facts)
    assert any(said in doubt for doubt in doubts(record))
    assert summary(record, []) == "run: nothing found"
    lines = report(record, []).splitlines()
    assert lines[2].startswith("   but      ")
    assert said[:20] in " ".join(line.strip() for line in lines)


def test_without_a_test_figure_nothing_is_known_of_others():
    record = scored(0.97, 0.95)
    del record.history["test_accuracy"]
    assert doubts(record) == ["it was not evaluated on samples that it has not seen"]


def test_without_a_figure_or_what_guessing_scores_nothing_is_known():
    record = scored(0.97, 0.95)
    record.facts["figure"]["guess"] = None
    assert doubts(record) == [
        "train accuracy 97.0 %, test 95.0 %: what guessing scores is not known"
    ]
    record = scored(0.97, 0.95)
    record.facts.pop("figure")
    record.history = {"iteration": np.array([1.0])}
    assert doubts(record) == ["no metric says how well it does"]


def test_an_r2_below_1_is_not_said_to_be_1():
    record = scored(0.97, 0.95)
    assert record.said_as_r2(0.99724) == "an r2 of 0.997"
    assert record.said_as_r2(0.5) == "an r2 of 0.5"
    assert record.said_as_r2(1.0) == "an r2 of 1"


def test_classes_of_which_nothing_is_found():
    record = with_outputs(scored(0.97, 0.95), (100, 90), (100, 0), (5, 0))
    assert doubts(record)[0] == "of class 1 no training sample is found"
    record.facts["task"] = {"task": "multilabel"}
    assert doubts(dataclasses.replace(record))[0] == "of label 1 no training sample is found"


def test_what_is_found_is_that_of_the_weights_kept():
    """Where nothing was recorded then, nothing is said."""
    record = with_outputs(scored(0.97, 0.95), (200, 190), (20, 18))
    at = np.array([100.0, 400.0])
    for name, of, right in (("0", 200.0, [200.0, 190.0]), ("1", 20.0, [0.0, 18.0])):
        columns = {"counted": at * 0 + 220, "samples": at * 0 + of, "right": np.array(right)}
        record.outputs[name] = Series(name, "", at.copy(), columns)
    assert unequal_classes(dataclasses.replace(record), []) is None
    assert not any("of class" in said for said in doubts(dataclasses.replace(record)))
    record.history["validation_accuracy"] = np.array([0.0, 1.0, 0.7, 0.7, 0.7])
    record.config["training"] = {"keep_best": True}
    assert record.row_of_kept(record.outputs["1"]) == 0
    assert any(said == "of class 1 no training sample is found" for said in doubts(record))
    assert "class 1: 9.1 % of the training targets (20), of which 0.0 %" in str(
        unequal_classes(record, []).evidence
    )
    for series in record.outputs.values():  # recorded from there on alone
        series.iterations[0] = 200.0
    assert record.row_of_kept(record.outputs["1"]) is None
    assert not any("of class" in said for said in doubts(record))
    assert unequal_classes(record, []) is None


def test_a_recorder_that_was_turned_on_later_says_when():
    record = scored(0.97, 0.95)
    assert " at the start, " in dict(figures(record))["gradient norm"]
    record.parameters["(all)"].iterations[0] = 90.0
    assert " at iteration 90, " in dict(figures(record))["gradient norm"]


def test_what_was_learned_by_heart_is_said_by_its_gap():
    record = scored(1.0, 0.89, ridge=0.86)
    assert doubts(record) == ["train accuracy 100.0 %, test 89.0 %: 11 points apart"]


def test_the_r_squared_of_the_training_set_stands_with_it():
    record = scored(0.0, 0.0, nearest=0.5)
    record.facts["figure"] |= {"name": "rmse", "higher_is_better": False, "limits": [0.0, None]}
    record.facts["figure"] |= {"guess": 1.0, "train_guess": 1.0, "percent": False}
    record.history |= {"train_rmse": np.array([0.8]), "test_rmse": np.array([0.85])}
    record.facts["task"] = {"task": "regression"}
    (said,) = doubts(record)
    by = "nearest neighbours among training samples, less the noise of their own"
    assert said == f"train rmse 0.8, an r2 of 0.36; {by}: an r2 of 0.5"
    record.facts["targets"] = {"width": 2}  # of several all are added up, as in the rmse
    (said,) = doubts(record)
    together = "an r2 of all numbers together of"
    assert said == f"train rmse 0.8, {together} 0.36; {by}: {together} 0.5"


def test_weights_kept_by_luck_are_no_sign_of_health():
    record = scored(0.97, 0.95, validation_samples=3)
    record.history["validation_accuracy"] = np.array([0.0, 1.0, 0.7, 0.7, 0.7])
    record.history["train_accuracy"][1] = 0.77
    record.config["training"] = {"keep_best": True}
    (said,) = doubts(record)
    assert said.startswith("the weights kept, of iteration 100: train accuracy 77.0 %")
    assert said.endswith("the validation set that chose them has 3 samples")


@pytest.mark.parametrize("weights", [{"class_weights": [0.5, 18.0]}, {"positive_weights": 30}])
def test_less_than_guessing_is_not_more(weights):
    """Losses that weigh the classes have a lower accuracy than the most frequent class for all."""
    record = scored(0.91, 0.906)
    record.facts["figure"] |= {"guess": 0.964, "train_guess": 0.97}
    record.config["net"] = {"loss": {"type": "SoftmaxWithLoss", **weights}}
    said = doubts(record)[-1]
    assert said.startswith("test accuracy 90.6 %: no better than by guessing, 96.4 %; the loss")
    assert said.endswith("metrics: [accuracy, recall]")
    record.config["net"] = {"loss": dict.fromkeys(weights)}  # none
    assert doubts(record)[-1].endswith("by guessing, 96.4 %")
    record.config["net"] = {"loss": {"type": "SoftmaxWithLoss", **weights}}
    record.history["test_recall"] = np.array([0.5, 0.804])
    assert doubts(record)[-1].endswith("which accuracy does not: test recall 80.4 %")


@pytest.mark.parametrize(
    ("figure", "least", "most", "said"),
    [
        ("rmse", 1.22, 94.2, True),
        ("mae", 1.22, 94.2, True),
        ("rmse", 1.22, 9.42, False),
        ("r2", 1.22, 94.2, False),  # the mean of those of each
        ("rmse", 0.0, 94.2, False),
    ],
)
def test_an_error_of_targets_of_unlike_size_says_nothing_of_the_small_ones(
    figure, least, most, said
):
    record = learned_by_heart(figure, [1.8, 0.1], [1.8, 0.1], higher=figure == "r2")
    record.facts["targets"] = {"mean": 0.0, "std": 60.0, "least_std": least, "most_std": most}
    pooled = [doubt for doubt in doubts(record) if "of all targets together" in doubt]
    assert bool(pooled) == said


@pytest.mark.parametrize(
    ("size", "kind", "train", "said"),
    [
        *((16, "Relu", 0.35, True), (20, "Relu", 0.35, False)),
        *((16, "Tanh", 0.35, False), (16, "Relu", 0.97, False)),
    ],
)
def test_what_few_samples_do_not_show_is_said_where_something_is_missed(size, kind, train, said):
    record = scored(train, train - 0.01, batch_size=size)
    record.layers["r"] = Series("r", kind, np.array([1.0]), {"dead": np.array([np.nan])})
    assert any("ReLUs are dead is not known" in doubt for doubt in doubts(record)) == said


def test_test_samples_that_it_was_trained_on_are_no_others():
    assert doubts(scored(0.97, 0.95, seen=0.03)) == []
    assert doubts(scored(0.97, 0.95, seen=0.44))[0].startswith("44.0 % of the test samples stand")
    assert dict(figures(scored(0.97, 0.95, seen=0.44)))["test set"].startswith("44.0 % of the test")
    (said,) = doubts(scored(0.97, 0.95, seen=0.98))
    assert said.startswith("98.0 % of the test samples stand among the training ones too")
    record = scored(0.97, 0.95, seen=0.98)
    record.history["validation_accuracy"] = record.history["test_accuracy"]
    assert "among the training or validation ones too" in doubts(record)[0]


@pytest.mark.parametrize(
    ("schedule", "last"),
    [
        ({"type": "step", "gamma": 0.1, "step_size": 25}, 100),
        ({"type": "exp", "gamma": 0.9}, 66),
        ({"type": "exp", "gamma": 0.98}, None),
        ({"type": "cosine", "max_steps": 400}, None),
        ({"type": "cosine", "max_steps": 100}, 98),
    ],
)
def test_a_schedule_that_has_long_ended_the_training_is_said(schedule, last):
    record = scored(0.97, 0.95)
    rates = [0.1 * make_schedule(**schedule)(int(i) - 1) for i in record.history["iteration"]]
    record.history["lr"] = np.array(rates)
    record.config["optimizer"]["schedule"] = schedule
    said = [doubt for doubt in doubts(record) if "the rate" in doubt]
    assert [doubt.split(" of 400")[0] for doubt in said] == (
        [f"behind iteration {last}"] if last else []
    )


@pytest.mark.parametrize(("n", "may_be"), [(2, True), (5, False)])
def test_a_perfect_answer_of_few_samples_is_not_called_a_guess(n, may_be):
    record = scored(1.0, 1.0, test_samples=n)
    record.facts["figure"] |= {"guess": 0.5, "train_guess": 0.5}
    words = [f"test accuracy 100.0 %: of {n} test samples that may be luck, guessing has 50.0 %"]
    assert doubts(record) == (words if may_be else [])


@pytest.mark.parametrize(("n", "error", "may_be"), [(3, 1e-6, False), (3, 4.0, True), (1, 3, True)])
def test_an_error_of_few_samples_may_be_luck_unless_it_is_small(n, error, may_be):
    record = scored(1.0, 1.0, test_samples=n)
    figure = {"name": "rmse", "higher_is_better": False, "limits": [0.0, None], "percent": False}
    record.facts["figure"] = figure | {"guess": 5.5, "train_guess": 5.5}
    record.facts["task"] = {"task": "regression"}
    record.history |= {"train_rmse": np.full(5, 1e-6), "test_rmse": np.full(5, error)}
    found = [doubt for doubt in doubts(record) if "may be luck, guessing has 5.5" in doubt]
    assert bool(found) == may_be


@pytest.mark.parametrize(("test", "said"), [(0.83, True), (0.88, False)])
def test_a_test_set_that_is_better_answered_without_a_net(test, said):
    record = scored(0.92, test, nearest=0.57, ridge=0.905, alike=[0.905, 0.9], samples=400)
    found = [d for d in doubts(record) if "training samples tell 90.0 % without a net" in d]
    assert bool(found) == said


@pytest.mark.parametrize(("loss", "said"), [(9.69, True), (2.31, False), (0.1, False)])
def test_a_loss_above_that_of_guessing_is_no_sign_of_health(loss, said):
    record = scored(0.97, 0.95, guessing_loss=2.303)
    record.history["test_loss"] = np.full(5, loss)
    words = f"test loss {loss}, that of one answer for all 2.3"
    assert any(doubt.startswith(words) for doubt in doubts(record)) == said
    record.loss["loss"][-40:] = 0.1  # it knows its own
    assert any("it is sure" in doubt for doubt in doubts(dataclasses.replace(record))) == said
    record.loss["loss"][-40:] = 5.0  # it knows nothing yet
    of_both = [
        d for d in doubts(dataclasses.replace(record)) if "training samples is no better" in d
    ]
    assert bool(of_both) == said


def test_a_loss_is_held_against_that_of_guessing_on_its_own_set():
    """Guessing where 95 of 100 are of one class costs 0.2, where it is half of them 0.69."""
    record = scored(0.97, 0.95, guessing_loss=0.199, test_guessing_loss=0.693)
    record.history["test_loss"] = np.full(5, 0.369)
    assert doubts(record) == []
    del record.facts["test_guessing_loss"]  # an older run
    assert len(doubts(dataclasses.replace(record))) == 1


def test_answers_of_sequences_are_counted_as_positions():
    record = scored(0.97, 0.11, test_samples=60, test_targets=720)
    assert any("of 720 positions of 60 test samples that may be luck" in d for d in doubts(record))
    record = scored(0.97, 0.11, test_samples=70, test_targets=60)  # ten are not labelled
    assert any("of 60 test samples that may be luck" in d for d in doubts(record))


def test_a_class_that_is_never_found_is_called_by_its_name():
    record = with_outputs(scored(0.97, 0.95), (50, 50), (50, 0))
    record.facts["task"]["class_names"] = ["3", "4"]
    assert "of class 4 no training sample is found" in doubts(record)


@pytest.mark.parametrize(("dead", "said"), [(np.nan, True), (0.0, False)])
def test_whether_channels_are_dead_is_known_of_small_batches_too(dead, said):
    record = scored(0.6, 0.62, nearest=0.96, batch_size=10)
    record.layers["r"] = Series("r", "Relu", np.array([1.0, 400.0]), {"dead": np.full(2, dead)})
    assert any("whether its ReLUs are dead" in doubt for doubt in doubts(record)) == said


@pytest.mark.parametrize("figure", ["accuracy", "recall", "roc_auc"])
def test_only_an_accuracy_is_held_against_that_of_the_test_set(figure):
    record = scored(0.92, 0.85, alike=[0.97, 0.97], samples=1000)
    record.facts["figure"]["name"] = figure
    record.history |= {f"{p}_{figure}": record.history[f"{p}_accuracy"] for p in ("train", "test")}
    assert record.outdone == (figure == "accuracy")


def test_a_schedule_that_rises_late_has_not_ended():
    schedule = {"type": "multistep", "gamma": 10_000.0, "steps": [250]}
    record = scored(0.97, 0.95)
    rates = [0.1 * make_schedule(**schedule)(int(i) - 1) for i in record.history["iteration"]]
    record.history["lr"] = np.array(rates)
    record.config["optimizer"]["schedule"] = schedule
    assert doubts(record) == []


def test_where_guessing_costs_nothing_a_loss_is_not_above_it():
    record = scored(0.97, 0.95, guessing_loss=0.0)
    record.history["test_loss"] = np.full(5, 0.01)
    assert doubts(record) == []


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("nearest", "by nearest neighbours 500 training samples tell an r2 of 0.79 of each other,"
         " an r2 of -0.75 of the test set, of targets cut off at their tails, less the noise of"),
        ("ridge", "by kernel ridge regression 500 training samples tell an r2 of 0.79 of each"
         " other, an r2 of -0.75 of the test set, of targets cut off at their tails"),
    ],
)  # fmt: skip
def test_what_tells_of_the_other_set_is_named(by, said):
    record = learned_by_heart("r2", [0.9, 0.9], [-0.9, -0.9], higher=True, limits=(None, 1.0))
    record.facts |= {"alike": [0.79, -0.75], "alike_by": by, "nearest": 0.79, "ridge": 0.7}
    record.facts["compared"] = 500
    record.facts |= {"task": {"task": "regression"}, "samples": 500, "test_samples": 500}
    (evidence,) = unlike_sets(record, []).evidence[1:]
    assert said in evidence
    assert evidence.endswith("own" if by == "nearest" else "tails")


@pytest.mark.parametrize("where", [None, {"column": 2, "columns": 6, "train": [-0.6, 0.7],
                                          "test": [-0.6, 7.29]}])  # fmt: skip
def test_inputs_that_lie_elsewhere_tell_sets_apart_though_the_net_copes(where):
    """Ridge regression answers 55 % of the test set, the net 81 %: by itself that says little."""
    record = scored(0.912, 0.808, alike=[0.878, 0.55], alike_by="ridge", nearest=0.79, ridge=0.878)
    record.facts |= {"samples": 2000, "test_samples": 400, "compared": 500}
    if where:
        record.facts["elsewhere"] = where
    finding = unlike_sets(record, [])
    assert (finding is not None) == bool(where)
    if where:
        assert finding.evidence[1] == (
            "column 3 of the 6 of the inputs: half of the training samples have -0.6 to 0.7, half "
            "of the test samples -0.6 to 7.29 (the middle ones)"
        )


def test_near_copies_and_marks_keep_a_run_from_being_healthy():
    record = scored(0.99, 0.99, near=0.98)
    (doubt,) = doubts(record)
    assert doubt.startswith("98.0 % of the test samples that were looked at lie a hundred times")
    record = scored(0.99, 0.99)
    record.facts["targets"] = {"mark": 0.0, "marked": 972, "numbers": 2000, "next": 2.07593}
    (doubt,) = doubts(record)
    assert doubt.startswith("972 of 2,000 targets are 0; the nearest of the others is 2.07593: if")
    assert a_mark_among_targets(record, []) is None
    assert a_mark_among_targets(scored(0.5, 0.5, targets=record.facts["targets"]), []) is not None


def test_it_is_said_where_nothing_is_told_of_the_targets_whatever_else_is_wrong():
    known = {"samples": 2000, "nearest": 0.1, "ridge": 0.11, "told": [0.01, -0.02], "compared": 500}
    rows = dict(figures(scored(0.3, 0.1, **known)))
    assert rows["without a net"] == (
        "nothing is told of the targets; kernel ridge regression on 500 training samples: 11.0 %"
    )
    for other in ({"told": [0.5, 0.4]}, {"told": None}, {"samples": 100}, {"ridge": 0.5}):
        assert "without a net" not in dict(figures(scored(0.3, 0.1, **known | other)))


@pytest.mark.parametrize(("ridge", "untold"), [(0.02, True), (0.2, False), (-0.1, True)])
def test_numbers_of_which_next_to_nothing_is_told(ridge, untold):
    """An r2 of 0.02 is what 400 samples give by chance."""
    record = learned_by_heart("r2", [0.9, 0.9], [-0.9, -0.9], higher=True, limits=(None, 1.0))
    record.facts |= {"ridge": ridge, "told": [0.05, 0.02], "task": {"task": "regression"}}
    record.facts |= {"samples": 400, "test_samples": 400}
    assert record.is_untold == untold


@pytest.mark.parametrize(("told", "names"), [
    ([0.01, -0.02], ["wrong labels", "dropout too strong"]),
    ([0.5, 0.4], ["dropout too strong"]),
])  # fmt: skip
def test_no_setting_is_blamed_alone_where_nothing_is_told_of_the_targets(told, names):
    known = {"samples": 2000, "nearest": 0.1, "ridge": 0.11 if told[0] < 0.1 else 0.6}
    record = scored(0.12, 0.1, told=told, compared=500, dropout={"d": 0.85}, **known)
    assert [finding.name for finding in diagnose(record)] == names


@pytest.mark.parametrize(("shape", "found"), [([3, 1], False), ([40, 1], True)])
def test_so_few_parameters_know_no_sample_by_heart(shape, found):
    """Of 700 samples; whatever a test set with outliers of its own makes of the errors."""
    record = learned_by_heart("r2", [0.9, 0.9], [0.1, 0.1], higher=True, limits=(None, 1.0))
    record.facts |= {"samples": 700, "test_samples": 200}
    record.facts["parameters"] = {"o.W": {"shape": shape, "mean": 0, "std": 1, "learns": True}}
    assert (over_fitting(record, []) is not None) == found
