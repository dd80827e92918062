"""What the doctor advises makes arithmetical sense, whatever the numbers."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from lamina.diagnosis.causes.capacity import too_little_capacity
from lamina.diagnosis.causes.decay import decay_too_strong
from lamina.diagnosis.causes.depth import vanishing
from lamina.diagnosis.causes.frozen import too_much_frozen
from lamina.diagnosis.causes.initial_weights import equal_weights, weights_too_large
from lamina.diagnosis.causes.inputs import not_normalised
from lamina.diagnosis.causes.labels import wrong_labels
from lamina.diagnosis.causes.nothing_learned import nothing_learned
from lamina.diagnosis.causes.over_fitting import over_fitting
from lamina.diagnosis.causes.rate_too_high import rate_too_high
from lamina.diagnosis.causes.rate_too_low import rate_too_low
from lamina.diagnosis.causes.targets import targets_not_scaled
from lamina.diagnosis.causes.unequal_classes import unequal_classes
from lamina.diagnosis.causes.unlike_sets import unlike_sets
from lamina.diagnosis.health import doubts
from lamina.diagnosis.progress import still_falling
from lamina.diagnosis.record import Record
from lamina.diagnosis.run_tables import Series
from lamina.diagnosis.updates import better_rate
from lamina.optimizers.schedules import make_schedule


def record_of(lr=0.1, first=0.01, losses=(2.3,) * 400, optimizer=None, rates=None, clipped=1.0):
    """A run of ten classes that has learned nothing, with updates of that size."""
    at = np.array([1.0, 100.0, 200.0, 300.0, 400.0])
    columns = {"weight_norm": at * 0 + 1, "gradient_norm": at * 0 + clipped}
    columns["update_ratio"] = at * 0 + first
    parameters = {name: Series(name, "", at, columns) for name in ("a.W", "b.W", "(all)")}
    start = {"shape": [4, 3], "mean": 0.0, "std": 0.5, "learns": True}
    figure = {"name": "accuracy", "higher_is_better": True, "limits": [0.0, 1.0], "percent": True}
    facts = {
        "parameters": {"a.W": start, "b.W": start},
        "task": {"task": "classification", "classes": 10},
        "figure": {**figure, "guess": 0.1, "train_guess": 0.1},
        "losses": {"loss": "SoftmaxWithLoss"},
    }
    history = {
        "iteration": at,
        "lr": at * 0 + lr if rates is None else np.array(rates),
        "train_accuracy": at * 0 + 0.1,
        "test_accuracy": at * 0 + 0.1,
    }
    losses = np.array(losses)
    loss = {"iteration": np.arange(1.0, len(losses) + 1), "loss": losses}
    config = {"optimizer": {"type": "SGD", "lr": lr, **(optimizer or {})}}
    return Record(Path("run"), config, loss, history, {}, parameters, facts, {})


@pytest.mark.parametrize("larger", [True, False])
@pytest.mark.parametrize("first", [0.0, 1e-9, 1e-4, 0.009, 0.01, 0.011, 0.5, 1e6, np.nan, np.inf])
@pytest.mark.parametrize("lr", [1e-6, 0.1, 0.95, 100.0])
def test_a_larger_rate_is_larger_and_a_smaller_one_smaller(lr, first, larger):
    said = better_rate(record_of(lr, first), larger)
    advised, now = map(float, re.fullmatch(r"lr: about (\S+) instead of (\S+)", said).groups())
    assert now == pytest.approx(lr)
    assert advised >= 1.9 * lr if larger else advised <= 0.6 * lr  # they are said with one digit


def test_a_rate_that_is_too_low_by_itself_or_by_what_is_made_of_it():
    (said,) = rate_too_low(record_of(1e-4, 1e-6), []).remedies
    assert said.startswith("a larger rate: lr: about")
    (said,) = rate_too_low(record_of(0.1, 1e-6, optimizer={"clip_norm": 1e-4}), []).remedies
    assert said == "clip_norm: about 1 instead of 0.0001: gradients have norm 1"
    adam = {"clip_norm": 1e-4, "type": "Adam"}  # whose steps are as large whatever gradients are
    (said,) = rate_too_low(record_of(0.1, 1e-6, optimizer=adam), []).remedies
    assert said.startswith("a larger rate: lr: about")
    rates = [0.1, 0.01, 1e-3, 1e-4, 1e-5]
    (said,) = rate_too_low(record_of(0.1, 1e-6, rates=rates), []).remedies
    words = "falls more slowly: at iteration 200 of 400 the rate was 0.001, in the whole run 0.1 at"
    assert said.startswith(f"a schedule that {words}")
    record = record_of(0.1, 1e-6, rates=rates)  # evaluated late alone: where it was is not known
    record.history = {name: values[-2:] for name, values in record.history.items()}
    assert rate_too_low(record, []).remedies[0].startswith("a larger rate: lr: about")


RISING = {"type": "sigmoid", "gamma": 0.05, "step_size": 150}


@pytest.mark.parametrize("larger", [True, False])
@pytest.mark.parametrize("full", [1e-4, 0.3])
@pytest.mark.parametrize("schedule", [{"type": "fixed", "warm_up": 99}, RISING])
def test_a_first_update_at_a_part_of_the_rate_counts_as_at_the_full_rate(full, larger, schedule):
    """The first of 99 steps is taken at a hundredth of the rate: the advice is the same."""
    factor = make_schedule(**schedule)
    rates = [0.1 * factor(i - 1) for i in (1, 100, 200, 300, 400)]
    warmed = record_of(0.1, full * factor(0), optimizer={"schedule": schedule}, rates=rates)
    assert better_rate(warmed, larger) == better_rate(record_of(0.1, full), larger)


def test_a_schedule_that_rises_late_is_not_one_that_falls():
    schedule = {"type": "sigmoid", "gamma": 0.05, "step_size": 390}
    rates = [0.1 * make_schedule(**schedule)(i - 1) for i in (1, 100, 200, 300, 400)]
    record = record_of(0.1, 1e-6, rates=rates, optimizer={"schedule": schedule})
    (said,) = rate_too_low(record, []).remedies
    assert said.startswith("a schedule that rises sooner: at iteration 200 of 400 the rate was 7.")


def test_a_warm_up_that_takes_most_of_the_run_is_named():
    rates = [0.0001 * i for i in (1, 100, 200, 300, 400)]
    schedule = {"schedule": {"type": "fixed", "warm_up": 999}}
    (said,) = rate_too_low(record_of(0.1, 1e-6, rates=rates, optimizer=schedule), []).remedies
    assert said == "warm_up: about 40 instead of 999: the rate was 0.04 at the end, of 0.1"


def test_a_loss_falls_if_it_does_so_beyond_its_noise():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.3, 400)
    assert not still_falling(record_of(losses=2.0 + noise))
    assert still_falling(record_of(losses=np.linspace(2.3, 1.2, 400) + noise))
    assert not still_falling(record_of(losses=np.exp(-np.arange(400) / 20) + 0.01 * noise + 1))


def with_outputs(record, *rows):
    """With (samples, how many of them are right) of each class."""
    at, n = np.array([400.0]), sum(samples for samples, _ in rows)
    record.outputs = {
        str(i): Series(
            str(i), "", at, {"counted": at * 0 + n, "samples": at * 0 + of, "right": at * 0 + right}
        )
        for i, (of, right) in enumerate(rows)
    }
    return record


def test_weights_of_classes_make_them_count_alike():
    record = with_outputs(record_of(), (900, 890), (90, 80), (10, 0))
    finding = unequal_classes(record, [])
    weights = re.search(r"\[(.*)\]", finding.remedies[0])[1].split(", ")
    assert np.array(weights, float) * [900, 90, 10] == pytest.approx([1000 / 3] * 3, rel=0.05)
    assert "class 2: 1.0 % of the training targets (10), of which 0.0 % are found" in str(
        finding.evidence
    )
    record.facts["task"] = {"class_names": ["cat", "dog", "\x1b[31mhen"]}
    (said,) = unequal_classes(record, []).evidence[:1]
    assert said.startswith("class \\x1b[31mhen: 1.0 %")
    assert "; class cat: 90.0 %" in said
    record.outputs["2"].columns["right"] += 6.0  # found: rare, and no finding
    assert unequal_classes(record, []) is None


def test_a_decay_is_that_of_the_weights_that_it_pulls_at_at_the_rates_that_there_were():
    record = record_of(0.1, optimizer={"weight_decay": 0.5})
    (said,) = [line for line in decay_too_strong(record, []).evidence if "times the rate" in line]
    assert (
        said
        == "weight_decay 0.5 times the rate 0.1: 0.05 of each weight is taken off at every step"
    )
    rates = [0.1, 0.08, 0.04, 0.02, 0.02]  # in straight lines between evaluations 0.05
    fell = record_of(0.1, optimizer={"weight_decay": 0.5}, rates=rates)
    assert "times the rate 0.0499 (its mean): 0.025 of each" in str(
        decay_too_strong(fell, []).evidence
    )
    for start in record.facts["parameters"].values():
        start["decay_mult"] = 0.8
    said = "weight_decay 0.5 times decay_mult 0.8 times the rate 0.1: 0.04 of each weight of a.W is"
    assert said in str(decay_too_strong(record, []).evidence)
    for start in record.facts["parameters"].values():
        start["lr_mult"] = 2.0
    said = "0.5 times decay_mult 0.8 times the rate 0.1 times lr_mult 2: 0.08 of each weight of a.W"
    assert said in str(decay_too_strong(record, []).evidence)
    assert decay_too_strong(record, []).remedies[0].endswith("instead of 0.5")
    for start in record.facts["parameters"].values():
        start["decays"] = False
    assert decay_too_strong(record, []) is None


@pytest.mark.parametrize(("mean", "found"), [(0.1, False), (250.0, True)])
def test_inputs_are_judged_by_what_the_first_weights_get(mean, found):
    record, at = record_of(), np.array([1.0])
    sizes = {"(input)": 300.0, "norm": mean, "a": 0.5, "b": 0.5}
    record.layers = {n: Series(n, "", at, {"mean": at * x, "std": at}) for n, x in sizes.items()}
    record.facts["layers"] = {"norm": "BatchNormalization", "a": "Affine", "b": "Affine"}
    assert (not_normalised(record, []) is not None) == found
    record.facts["layers"] = {"a": "Affine", "b": "Affine"}
    assert not_normalised(record, []) is not None


@pytest.mark.parametrize("rare", [0, 1])
def test_one_score_weighs_the_second_class_be_it_rare_or_not(rare):
    rows = [(960, 960), (40, 0)] if rare else [(40, 0), (960, 960)]
    record = with_outputs(record_of(), *rows)
    record.facts["losses"] = {"loss": "SigmoidWithLoss"}
    said = unequal_classes(record, []).remedies[0]
    weight = float(said.removeprefix("positive_weights in the loss: "))
    assert weight * rows[1][0] == pytest.approx(rows[0][0], rel=0.05)


@pytest.mark.parametrize(
    ("task", "loss", "said"),
    [
        ("classification", "SoftmaxWithLoss", "class_weights in the loss, if one class has"),
        ("multilabel", "SigmoidWithLoss", "positive_weights in the loss, if one label has"),
        ("classification", "own.py:Loss", "a loss with class_weights, such as SoftmaxWithLoss, if"),
    ],
)
def test_what_is_advised_against_one_class_is_what_the_loss_has(task, loss, said):
    record = record_of()
    record.facts |= {"task": {"task": task}, "losses": {"loss": loss}}
    assert nothing_learned(record, []).remedies[-1].startswith(said)


def test_labels_are_weighed_by_the_one_that_is_named():
    """Also beside one that no training row has."""
    record = with_outputs(record_of(), (0, 0), (40, 0), (500, 500))
    for series in record.outputs.values():
        series.columns["counted"][:] = 1000
    record.facts |= {"task": {"task": "multilabel"}, "losses": {"loss": "SigmoidWithLoss"}}
    assert unequal_classes(record, []).remedies[0] == "positive_weights in the loss: 24 for it"


def test_the_rate_is_that_of_the_configuration_whatever_a_schedule_made_of_it():
    """history.csv has the rate at evaluations alone, the last one perhaps of next to nothing."""
    assert record_of(20.0, 100.0, rates=[2e-3, 1e-3, 1e-4, 1e-5, 1e-6]).lr == 20.0
    said = better_rate(record_of(20.0, 100.0, rates=[2e-3] * 5), larger=False)
    assert said.endswith("instead of 20")


def grown(kind: str, last: float) -> Record:
    """A run that learns, whose table of 100 words has grown from next to nothing to this norm."""
    record = record_of(first=0.3)
    record.history["train_accuracy"][:] = 0.5
    record.loss["loss"] = np.linspace(2.3, 0.5, 400)
    record.layers = {"a": Series("a", kind, np.array([1.0]), {"dead": np.array([np.nan])})}
    record.facts["layers"] = {"a": kind, "b": "Affine"}
    record.facts["parameters"]["a.W"] = {"shape": [100, 8], "mean": 0, "std": 0, "learns": True}
    columns = dict(record.parameters["a.W"].columns)
    columns["weight_norm"] = np.geomspace(0.1, last, 5)
    record.parameters["a.W"] = Series("a.W", "", record.parameters["a.W"].iterations, columns)
    return record


def test_a_table_of_words_may_start_near_0_and_grow():
    """Rows of length 1, of 100 words, have the norm 10."""
    assert rate_too_high(grown("Affine", 30.0), []).name == "learning rate too high"
    assert rate_too_high(grown("Embedding", 20.0), []) is None
    assert rate_too_high(grown("Embedding", 60.0), []).name == "learning rate too high"


def test_an_update_of_a_table_near_0_is_beside_rows_of_length_1():
    lost = grown("Embedding", 0.4)
    lost.parameters["b.W"] = record_of(first=1e-3).parameters["b.W"]
    lost.loss["loss"] = np.full(400, 2.3)
    lost.parameters["a.W"].columns["update_ratio"] = np.full(5, 3.0)
    assert rate_too_high(lost, []) is None
    assert better_rate(lost, larger=True) == "lr: about 0.3 instead of 0.1"
    lost.parameters["a.W"].columns["update_ratio"] = np.full(5, 60.0)
    assert "was 60 times its weights at iteration 400" in rate_too_high(lost, []).evidence[0]


@pytest.mark.parametrize(
    ("rate", "found"), [(1e-5, rate_too_low), (1e-3, None), (0.7, rate_too_high)]
)
def test_an_update_of_a_last_layer_that_began_at_0_is_beside_the_norm_of_he(rate, found):
    """Beside its own norm any first update is a large one, also that of the smallest rate."""
    record, at = (
        record_of(rate, losses=(2.3,) * 399 + (2.2,)),
        np.array([1.0, 2.0, 100.0, 200.0, 400.0]),
    )
    record.history["lr"][:] = rate
    record.facts["layers"] = {"a": "Affine", "b": "Affine"}
    record.facts["parameters"]["b.W"] = {"shape": [8, 4], "mean": 0.0, "std": 0.0, "learns": True}
    update = rate * np.sqrt(32.0)  # as Adam's, each number by the rate
    norms = rate * np.sqrt(32.0) * np.array([1.0, 2.0, 10.0, 15.0, 20.0])
    columns = {"weight_norm": norms, "update_ratio": update / norms, "gradient_norm": at * 0 + 1}
    record.parameters["b.W"] = Series("b.W", "", at, columns)
    record.parameters["a.W"].columns["update_ratio"] = at * 0 + rate
    record.layers = {"a": Series("a", "Affine", at, {"dead": at * 0, "std": at * 0 + 1})}
    causes = [cause for cause in (rate_too_high, rate_too_low) if cause(record, [])]
    assert causes == ([found] if found else [])


def test_factors_and_summands_of_images_are_no_weights():
    record = record_of()
    one = {"shape": [3, 1, 1], "mean": 1.0, "std": 0.0, "learns": True}
    zero = {"shape": [1, 1, 1], "mean": 0.0, "std": 0.0, "learns": True}
    record.facts["layers"] = {"s": "Scale", "b": "Bias", "a": "Affine", "c": "Affine"}
    affine = record.facts["parameters"]["a.W"]
    record.facts["parameters"] = {"s.s": one, "b.b": zero, "a.W": affine, "c.W": affine}
    record.parameters = {"s.s": record.parameters["a.W"], **record.parameters}
    assert equal_weights(record, []) is None
    assert list(record.weights) == ["a.W"]
    for name in ("a.W", "c.W"):
        record.facts["parameters"][name] = affine | {"learns": False}
    assert "s.s, b.b" in too_much_frozen(Record(**vars_of(record)), []).evidence[0]


def test_equal_weights_are_named_with_what_they_started_at():
    record = record_of()
    zero = {"shape": [4, 3], "mean": 0.0, "std": 0.0, "learns": True}
    ones, alone = zero | {"mean": 1.0}, {"shape": [1, 1], "mean": 0.3, "std": 0.0, "learns": True}
    last = record.facts["parameters"]["b.W"]
    record.facts["parameters"] = {"a.W": ones, "e.W": alone, "z.W": zero, "b.W": last | zero}
    assert equal_weights(record, []).evidence[:2] == [
        "all weights of a.W started at 1",
        "all weights of z.W started at 0",
    ]


def test_units_that_what_is_above_tells_apart_are_no_copies():
    """A residual branch, or the head of a second loss, may begin at zero; not what stays there."""
    record = record_of()
    last, at = record.facts["parameters"]["b.W"], np.array([1.0, 400.0])
    record.facts["parameters"] = {"a.W": last, "z.W": last | {"mean": 0.0, "std": 0.0}, "b.W": last}
    for norm, found in ((2.0, False), (0.0, True)):
        record.parameters["z.W"] = Series("z.W", "", at, {"weight_norm": np.array([0.0, norm])})
        assert (equal_weights(record, []) is not None) == found
    record.facts["ends"] = ["z", "b"]
    assert equal_weights(record, []) is None
    record.facts |= {"ends": ["b"], "parameters": {n: last | {"std": 0.0} for n in ("a.W", "b.W")}}
    assert equal_weights(record, []) is not None


@pytest.mark.parametrize(
    ("start", "late", "found"), [(0.0, 0.2, False), (0.0, 1e-5, True), (0.5, 0.2, True)]
)
def test_what_a_last_layer_near_0_lets_through_at_first_is_no_vanishing(start, late, found):
    record, at = record_of(), np.array([1.0, 10.0, 100.0, 400.0])
    last = record.facts["parameters"]["b.W"]
    record.facts["parameters"] = dict.fromkeys(("a.W", "c.W"), last) | {
        "b.W": last | {"std": start}
    }
    little = np.array([1e-5, 1e-4, late, late])
    for name, gradient in {"a.W": little, "c.W": little, "b.W": at * 0 + 1}.items():
        columns = {"gradient_norm": gradient, "weight_norm": at * 0 + 1, "update_ratio": gradient}
        record.parameters[name] = Series(name, "", at, columns)
    record.parameters.pop("(all)")
    record.parameters = {n: record.parameters[n] for n in ("a.W", "c.W", "b.W")}
    assert (vanishing(record, []) is not None) == found
    for series in record.parameters.values():  # of Adam, which moves them alike
        series.columns["update_ratio"] = at * 0 + 1
    assert vanishing(record, []) is None


def vars_of(record: Record) -> dict:
    """What it is made of, without what it has worked out."""
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}


@pytest.mark.parametrize(
    ("at_first", "asked", "said"), [(1e-7, 1.0, False), (1e-2, 1.0, True), (1e-7, 60.0, True)]
)
def test_what_a_layer_learned_by_heart_that_saw_late_steps_alone_says_nothing_of_the_labels(
    at_first, asked, said
):
    """As an Rnn or Gru over 60 steps, of a label that depends on the first one."""
    record = record_of()
    record.history["train_accuracy"][:] = 1.0
    at = np.array([1.0, 400.0])
    columns = {"steps": at * 0 + 60, "asked": at * 0 + asked, "last": at * 0 + 1}
    columns["first"] = np.array([at_first, 1.0])  # much later, when all is known by heart
    record.steps = {"rec": Series("rec", "", at, columns)}
    finding = wrong_labels(record, [])
    assert (finding is not None and finding.name == "wrong labels") == said


@pytest.mark.parametrize(("mean", "std", "found"), [(110.0, 25.0, False), (0.0, 1.0, True)])
def test_targets_are_far_from_where_the_outputs_begin(mean, std, found):
    """Behind a Scale and a Bias outputs begin where the targets are."""
    record, at = record_of(), np.array([1.0])
    record.facts["targets"] = {"mean": 100.0, "std": 20.0, "low": 0, "high": 200, "width": 1}
    record.layers = {"out": Series("out", "Bias", at, {"mean": at * mean, "std": at * std})}
    assert (targets_not_scaled(record, []) is not None) == found


@pytest.mark.parametrize(("learned", "ridge", "found"), [(0.38, 0.2, False), (0.05, 0.83, True)])
def test_targets_of_which_the_rest_is_noise_are_learned_whatever_their_size(learned, ridge, found):
    record = record_of()
    record.facts["task"] = {"task": "regression"}
    figure = {"name": "r2", "higher_is_better": True, "limits": [None, 1.0], "percent": False}
    record.facts["figure"] = figure | {"guess": 0.0, "train_guess": 0.0}
    record.history |= {f"{part}_r2": np.full(5, learned) for part in ("train", "test")}
    record.facts |= {"nearest": 0.29, "ridge": ridge}
    record.facts["targets"] = {"mean": 50.0, "std": 5.0, "low": 30, "high": 70, "width": 1}
    record.facts["layers"] = {"a": "Affine", "relu": "Relu", "b": "Affine"}
    assert (targets_not_scaled(record, []) is not None) == found


@pytest.mark.parametrize(
    ("train", "ridge", "found"),
    [(0.927, 0.98, True), (0.941, 0.98, True), (0.96, 0.98, False), (0.93, 0.95, False)],
)
def test_inputs_are_to_blame_where_far_less_is_learned_than_without_a_net(train, ridge, found):
    record, at = record_of(), np.array([1.0])
    record.history["train_accuracy"][:] = record.history["test_accuracy"][:] = train
    record.facts |= {"ridge": ridge, "samples": 409, "layers": {"a": "Affine", "b": "Affine"}}
    columns = {"mean": at * 62, "std": at * 225}
    record.layers = {n: Series(n, "", at, columns) for n in ("(input)", "a", "b")}
    assert (not_normalised(record, []) is not None) == found
    assert record.outdone == found
    assert any("kernel ridge" in doubt for doubt in doubts(record)) == found


@pytest.mark.parametrize(("kind", "found"), [("Sigmoid", True), ("Relu", False)])
def test_in_a_deep_net_of_sigmoids_that_guesses_a_larger_part_is_little(kind, found):
    """A hundredth of what the top gets; of Relus it may be their widths."""
    record, at = record_of(), np.array([1.0, 10.0, 100.0, 400.0])
    record.facts["parameters"] = dict.fromkeys(
        ("a.W", "c.W", "b.W"), record.facts["parameters"]["b.W"]
    )
    for name, gradient in {"a.W": 0.003, "c.W": 0.05, "b.W": 1.0}.items():
        columns = {"gradient_norm": at * 0 + gradient, "weight_norm": at * 0 + 1}
        columns["update_ratio"] = columns["gradient_norm"]
        record.parameters[name] = Series(name, "", at, columns)
    record.parameters = {n: record.parameters[n] for n in ("a.W", "c.W", "b.W")}
    record.layers |= {f"s{i}": Series(f"s{i}", kind, at, {}) for i in range(4)}
    assert (vanishing(record, []) is not None) == found


@pytest.mark.parametrize(
    ("reachable", "end", "found"), [(0.98, 0.34, True), (0.98, 0.6, False), (0.8, 0.34, False)]
)
def test_where_more_is_within_reach_weights_that_are_half_gone_tell_of_decay(reachable, end, found):
    record = record_of(0.1, optimizer={"weight_decay": 0.1})
    record.history["train_accuracy"][:] = 0.78
    record.facts |= {"nearest": reachable - 0.01, "ridge": reachable}
    for name in ("a.W", "b.W"):
        columns = record.parameters[name].columns
        columns["weight_norm"] = np.array([1.0, 0.9, 0.7, 0.5, end])
    assert (decay_too_strong(record, []) is not None) == found


@pytest.mark.parametrize(
    ("largest", "late", "end", "found"),
    [
        *((0.14, 1e-8, 4.2, True), (0.02, 1e-8, 4.2, False)),
        *((0.14, 1e-3, 4.2, False), (0.14, 1e-8, 1.1, False)),
    ],
)
def test_what_was_thrown_far_off_and_lies_still_had_too_high_a_rate(largest, late, end, found):
    """Batches of one sample, of which dead units are not known: it is not moved by too low one."""
    record = record_of(0.05, late)
    for name in ("a.W", "b.W"):
        columns = record.parameters[name].columns
        columns["update_ratio"][1] = largest
        columns["weight_norm"] = np.array([1.0, 3.0, end, end, end])
    record.layers["r"] = Series("r", "Relu", np.array([1.0, 400.0]), {"dead": np.full(2, np.nan)})
    high = rate_too_high(record, [])
    assert (high is not None) == found
    if found:
        assert f"has grown from 1 to {end}; since then it hardly moves, by 1e-08" in str(high)
        assert rate_too_low(record, [high]) is None
    record.history["lr"] = np.array([0.05, 0.05, 0.02, 0.01, 0.001])  # a schedule has lowered it
    assert rate_too_high(record, []) is None


@pytest.mark.parametrize(
    ("validation", "test", "found"),
    [(0.97, 0.902, True), (0.93, 0.902, False), (0.97, 0.96, False), (0.905, 0.902, False)],
)
def test_what_validation_samples_show_is_not_learned_by_heart(validation, test, found):
    record = record_of()
    for part, value in (("train", 0.987), ("validation", validation), ("test", test)):
        record.history[f"{part}_accuracy"] = np.full(5, value)
    record.facts |= {"samples": 1800, "validation_samples": 200, "test_samples": 2000}
    finding = unlike_sets(record, [])
    assert (finding is not None) == found
    if (said := over_fitting(record, [])) is not None:
        assert f"validation {100 * validation:.1f} %" in said.evidence[0]


@pytest.mark.parametrize("found", [True, False])
def test_a_rate_is_not_too_low_where_all_has_been_learned(found):
    """As of a straight line through noise: little though it has fallen, the loss is at rest."""
    record = record_of(0.001, 1e-4, losses=[0.5] * 400)
    record.history["train_loss"] = 0.44 + 0.05 * np.exp(-np.array([1, 100, 200, 300, 400]) / 40)
    if found:
        record.history["train_loss"] = np.linspace(0.49, 0.44, 5)
    assert (rate_too_low(record, []) is not None) == found
    schedule = {"type": "exp", "gamma": 0.97}  # at rest because the rate is
    factor = make_schedule(**schedule)
    rates = [0.001 * factor(i - 1) for i in (1, 100, 200, 300, 400)]
    ended = record_of(
        0.001, 1e-4, losses=[0.5] * 400, optimizer={"schedule": schedule}, rates=rates
    )
    ended.history["train_loss"] = record.history["train_loss"]
    assert rate_too_low(ended, []) is not None


@pytest.mark.parametrize(("test", "found"), [(0.11, True), (0.135, False)])
def test_labels_that_test_samples_are_told_by_are_not_wrong(test, found):
    """Nearest neighbours guess, but 1,000 test samples are answered 3.7 deviations better."""
    record = record_of()
    record.history["train_accuracy"][:], record.history["test_accuracy"][:] = 1.0, test
    record.facts |= {"test_samples": 1000, "samples": 1000, "nearest": 0.1, "ridge": 0.1}
    finding = wrong_labels(record, [])
    assert (finding is not None) == found
    if found:
        assert "parity" in finding.meaning


@pytest.mark.parametrize(("mean", "found"), [(50.0, True), (5.0, False)])
def test_a_rate_that_scaled_targets_would_bear_is_not_to_blame(mean, found):
    record = record_of(0.1, first=8.9)
    record.facts["task"] = {"task": "regression"}
    record.culprit = {"when": "forward"}
    record.facts["targets"] = {
        "mean": mean,
        "std": 5.0,
        "low": mean - 9,
        "high": mean + 9,
        "width": 1,
    }
    assert (targets_not_scaled(record, []) is not None) == found


@pytest.mark.parametrize(("until", "found"), [(5, False), (100, True)])
def test_weights_that_were_soon_unlearned_are_not_too_large(until, found):
    record = record_of(losses=[8.0] * until + [0.01] * (400 - until))
    record.history["train_accuracy"][:] = record.history["test_accuracy"][:] = 0.98
    record.facts |= {"guessing_loss": 1.1, "layers": {"a": "Affine", "relu": "Relu", "b": "Affine"}}
    for start in record.facts["parameters"].values():
        start["std"] = 4.0
    finding = weights_too_large(record, [])
    assert (finding is not None) == found
    assert not found or "sigmoid" not in finding.meaning


def test_products_of_decay_and_rate_are_those_of_one_layer():
    record = record_of(0.02, optimizer={"weight_decay": 0.1})
    start = record.facts["parameters"]["a.W"]
    record.facts["parameters"] = {
        "a.W": start | {"decay_mult": 0.1, "lr_mult": 10.0},
        "b.W": start | {"decay_mult": 5.0, "lr_mult": 1.0},
    }
    assert decay_too_strong(record, []) is None  # 0.01 of b.W at a step is the most


@pytest.mark.parametrize(
    ("samples", "test_samples", "test", "found"),
    [(1000, 1000, 0.515, True), (40_000, 20_000, 0.51, False), (40_000, 20_000, 0.5, True)],
)
def test_of_many_samples_little_is_more_than_a_guess(samples, test_samples, test, found):
    record = record_of()
    figure = record.facts["figure"] | {"guess": 0.5, "train_guess": 0.5}
    record.facts |= {"figure": figure, "samples": samples, "test_samples": test_samples}
    record.facts |= {"guessing_loss": 0.693, "task": {"task": "classification", "classes": 2}}
    record.history["train_accuracy"][:], record.history["test_accuracy"][:] = 0.52, test
    record.history["test_loss"] = np.full(5, 0.6925)
    finding = nothing_learned(record, [])
    assert (finding is not None) == found
    if found:
        assert finding.meaning.startswith("On samples" if samples > 1000 else "The net does not")


@pytest.mark.parametrize(("of_test", "found"), [(0.742, False), (0.92, True), (None, True)])
def test_rows_that_are_nearly_copies_ask_for_no_larger_net(of_test, found):
    """What rows of one patient tell of each other they do not tell of others."""
    record = record_of(losses=[0.5] * 400)
    record.history["train_accuracy"][:] = record.history["test_accuracy"][:] = 0.795
    record.facts |= {"layers": {"a": "Affine"}, "ends": ["a", "b"], "test_samples": 1000}
    record.facts |= {"nearest": 0.928, "ridge": 0.8, "alike": [0.928, of_test]}
    assert (too_little_capacity(record, []) is not None) == found


@pytest.mark.parametrize(
    ("told", "found"), [([0.3, 0.3], False), ([0.3, 0.05], True), ([0.05, 0.3], True), ([], True)]
)
def test_labels_that_samples_tell_of_each_other_and_of_the_test_set_are_not_wrong(told, found):
    """Whatever accuracy says, where one class is the likeliest everywhere."""
    record = record_of()
    record.history["train_accuracy"][:], record.history["test_accuracy"][:] = 1.0, 0.7
    record.facts["figure"] |= {"guess": 0.78, "train_guess": 0.78}
    record.facts |= {"test_samples": 800, "samples": 2200, "nearest": 0.7, "ridge": 0.76}
    record.facts |= {"told": told or [None, None]}
    assert (wrong_labels(record, []) is not None) == found


@pytest.mark.parametrize(("units", "more"), [(16, True), (99, True), (100, False), (300, False)])
def test_fewer_units_are_no_advice_where_they_are_few_for_the_classes(units, more):
    record = record_of()
    record.history["train_accuracy"][:], record.history["test_accuracy"][:] = 1.0, 0.75
    start = record.facts["parameters"]["a.W"]
    record.facts["parameters"] = {
        "a.W": start | {"shape": [30, units]},
        "b.W": start | {"shape": [units, 100]},
    }
    record.facts |= {"task": {"task": "classification", "classes": 100}, "ends": ["b"]}
    record.facts |= {"layers": {"a": "Affine", "b": "Affine"}, "samples": 1000}
    remedies = over_fitting(record, []).remedies
    assert ("fewer units" in remedies) != more
    assert any(f"more units in a.W: {units} are few for 100 classes" in r for r in remedies) == more


@pytest.mark.parametrize(("told", "ridge", "found"), [(0.4, 0.19, False), (0.05, 0.19, True)])
def test_large_numbers_are_no_cause_where_all_is_learned_that_is_told(told, ridge, found):
    """Targets and inputs in their own units, and noise that leaves R² 0.2."""
    record, at = record_of(), np.array([1.0])
    record.facts["task"] = {"task": "regression"}
    figure = {"name": "r2", "higher_is_better": True, "limits": [None, 1.0], "percent": False}
    record.facts["figure"] = figure | {"guess": 0.0, "train_guess": 0.0}
    record.history |= {f"{part}_r2": np.full(5, 0.19) for part in ("train", "test")}
    record.facts |= {"nearest": 0.1, "ridge": ridge, "told": [told, told], "samples": 2000}
    record.facts["targets"] = {"mean": 200.0, "std": 30.0, "low": 100, "high": 300, "width": 1}
    record.facts["layers"] = {"a": "Affine", "relu": "Relu", "b": "Affine"}
    assert (targets_not_scaled(record, []) is not None) == found
    columns = {"mean": at * 50, "std": at * 12}
    record.layers = {n: Series(n, "", at, columns) for n in ("(input)", "a", "b")}
    assert (not_normalised(record, []) is not None) == found


@pytest.mark.parametrize(
    ("train", "test", "found"), [(0.500, 0.473, False), (0.500, 0.522, True), (0.530, 0.522, True)]
)
def test_what_only_losses_show_has_been_learned(train, test, found):
    """One answer is right for 80 %, and the net knows for whom it is less sure."""
    record = record_of(losses=[0.5] * 400)
    record.facts["figure"] |= {"guess": 0.803, "train_guess": 0.803}
    record.history["train_accuracy"][:] = record.history["test_accuracy"][:] = 0.801
    record.history |= {"train_loss": np.full(5, train), "test_loss": np.full(5, test)}
    record.facts["guessing_loss"] = 0.523
    assert (nothing_learned(record, []) is not None) == found


@pytest.mark.parametrize(("end", "found"), [(0.523, True), (0.45, False)])
def test_one_answer_for_all_is_not_what_is_told(end, found):
    """Ridge regression has a lower accuracy than the majority, and still it tells something."""
    record = record_of(0.1, losses=[end] * 400, optimizer={"weight_decay": 0.5})
    record.history["train_accuracy"][:] = record.history["test_accuracy"][:] = 0.78
    record.facts["figure"] |= {"guess": 0.78, "train_guess": 0.78}
    record.facts |= {"guessing_loss": 0.523, "nearest": 0.7, "ridge": 0.76, "told": [0.3, 0.3]}
    for name in ("a.W", "b.W"):
        record.parameters[name].columns["weight_norm"] = np.array([1.7, 0.5, 0.1, 0.01, 0.001])
    assert record.has_what_is_told != found
    assert (decay_too_strong(record, []) is not None) == found


def test_weights_that_do_not_learn_are_not_pulled():
    record = record_of(0.1, optimizer={"weight_decay": 0.5})
    for start in record.facts["parameters"].values():
        start["lr_mult"] = 0.0
    assert decay_too_strong(record, []) is None


def test_where_guessing_is_never_right_nothing_is_learned_either():
    record = record_of()
    record.facts["figure"] |= {"name": "exact_match", "guess": 0.0, "train_guess": 0.0}
    record.history |= {f"{part}_exact_match": np.zeros(5) for part in ("train", "test")}
    record.facts["samples"] = 1000
    assert nothing_learned(record, []) is not None
