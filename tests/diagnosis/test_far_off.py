"""Rates that are far off are named before settings that do no harm with a usual one."""

import dataclasses

import numpy as np
import pytest
from test_advice import record_of, with_outputs

from lamina.diagnosis.causes.decay import decay_too_strong
from lamina.diagnosis.causes.dropout import dropout_too_strong
from lamina.diagnosis.causes.far_off import far_too_high, far_too_low
from lamina.diagnosis.causes.inputs import not_normalised
from lamina.diagnosis.causes.non_finite import overflow
from lamina.diagnosis.causes.over_time import short_sighted
from lamina.diagnosis.causes.penalty import penalty_too_strong
from lamina.diagnosis.causes.rate_too_high import rate_too_high
from lamina.diagnosis.causes.rate_too_low import rate_too_low
from lamina.diagnosis.causes.squashed import squashed_scores
from lamina.diagnosis.causes.targets import targets_not_scaled
from lamina.diagnosis.causes.too_short import training_too_short
from lamina.diagnosis.causes.unequal_classes import unequal_classes
from lamina.diagnosis.recall import misses_a_class
from lamina.diagnosis.run_tables import Series

AT = np.array([1.0, 100.0, 200.0, 300.0, 400.0])


def with_inputs(record, std):
    columns = {"mean": np.zeros(5), "std": np.full(5, std), "dead": np.full(5, np.nan)}
    record.layers["(input)"] = Series("(input)", "input", AT, columns)
    return record


def of_numbers(record, mean, std, loss="SquaredErrorLoss"):
    record.facts |= {"task": {"task": "regression"}, "losses": {"loss": loss}}
    record.facts["targets"] = {"mean": mean, "std": std, "low": mean - std, "high": mean + std}
    record.facts["figure"] |= {"name": "r2", "limits": [None, 1.0], "percent": False}
    record.facts["figure"] |= {"guess": 0.0, "train_guess": 0.0}
    record.history |= {"train_r2": AT * 0 - 0.1, "test_r2": AT * 0 - 0.1}
    return dataclasses.replace(record)


@pytest.mark.parametrize(("first", "high"), [(0.9, False), (1.1, True), (6.1, True)])
def test_a_first_update_as_large_as_the_weights_is_of_the_rate(first, high):
    record = record_of(3.0, first)
    assert far_too_high(record) == high
    record.facts["dropout"] = {"d": 0.85}
    assert (dropout_too_strong(record, []) is None) == high
    record.config["training"] = {"gradient_penalty": 0.6}  # six times a harmless one
    assert (penalty_too_strong(record, []) is None) == (first > 6.0)


@pytest.mark.parametrize(("rule", "high"), [("SGD", False), ("Adam", True)])
def test_large_numbers_make_updates_large_in_rules_that_hand_gradients_on(rule, high):
    record = record_of(3.0, 30.0, optimizer={"type": rule})
    assert far_too_high(record, 50.0) == high
    assert far_too_high(record, 20.0)
    assert (not_normalised(with_inputs(record, 50.0), []) is None) == high
    assert (targets_not_scaled(of_numbers(record, 0.0, 50.0), []) is None) == high
    robust = of_numbers(record_of(3.0, 30.0, optimizer={"type": rule}), 0.0, 50.0, "HuberLoss")
    assert targets_not_scaled(robust, []) is None  # its gradients do not grow with the errors


def test_a_decay_that_takes_off_more_than_half_of_it_is_to_blame():
    optimizer = {"type": "AdamW", "weight_decay": 0.5}
    for first, taken_off in ((74.0, True), (2.9, False)):
        record = record_of(4.0, first, optimizer=optimizer, rates=[4.0] * 5)
        assert far_too_high(record, taken_off=2.0) == taken_off
        assert (decay_too_strong(record, []) is None) == taken_off


@pytest.mark.parametrize(("ratio", "low"), [(1.5e-4, True), (2.5e-4, False)])
def test_where_weights_hardly_move_the_rate_is_too_low(ratio, low):
    record = record_of(1e-4, ratio, losses=np.linspace(2.3, 2.0, 400))
    assert far_too_low(record) == low
    record.facts["dropout"] = {"d": 0.85}
    record.config["training"] = {"gradient_penalty": 0.6}
    assert (dropout_too_strong(record, []) is None) == low
    assert (penalty_too_strong(record, []) is None) == low
    assert (not_normalised(with_inputs(record, 50.0), []) is None) == low


@pytest.mark.parametrize(
    ("rows", "missed"),
    [
        ([(900, 890), (900, 880), (200, 0)], True),
        ([(900, 400), (900, 520), (200, 0)], False),  # no better than by a coin
        ([(900, 900), (900, 0), (200, 0)], False),  # one answer for all
        ([(1800, 1800), (200, 0)], True),
    ],
)
def test_a_net_that_only_guesses_has_not_settled_for_the_other_classes(rows, missed):
    record = with_outputs(record_of(losses=np.full(400, 0.5)), *rows)
    assert misses_a_class(record) == missed
    assert (unequal_classes(record, []) is not None) == missed


@pytest.mark.parametrize("gamma", [0.95, 0.999])
def test_a_schedule_that_has_ended_the_training_comes_before_a_class_that_is_not_found(gamma):
    schedule = {"type": "exp", "gamma": gamma}
    rates = [0.1 * gamma**i for i in (0, 99, 199, 299, 399)]
    record = record_of(losses=np.full(400, 0.5), optimizer={"schedule": schedule}, rates=rates)
    record = with_outputs(record, (900, 890), (900, 880), (200, 0))
    record.history["train_accuracy"] = AT * 0 + 0.9
    found = rate_too_low(record, [])
    assert (found is not None) == (gamma == 0.95)
    assert (unequal_classes(record, [found] if found else []) is None) == (gamma == 0.95)


@pytest.mark.parametrize(("gained", "found"), [(0.05, True), (0.3, False)])
def test_while_the_loss_falls_a_class_may_be_found_yet(gained, found):
    """Where the others are missed as well it is the training that is too short."""
    record = with_outputs(record_of(losses=np.linspace(1.5, 0.5, 400)), (900, 690), (900, 680),
                          (200, 0))  # fmt: skip
    record.history["train_accuracy"] = AT * 0 + 0.68
    record.facts |= {"samples": 2000, "nearest": 0.68 + gained, "ridge": 0.5}
    finding = unequal_classes(record, [])
    assert (finding is not None) == found
    if found:
        assert "the net has not come to it yet, or" in finding.meaning
        assert finding.remedies[0].startswith("more iterations")


@pytest.mark.parametrize(
    ("std", "rows", "found"),
    [(0.005, 6, True), (0.03, 6, False), (0.0025, 784, True), (0.005, 784, False)],
)
def test_small_inputs_are_those_of_short_samples(std, rows, found):
    """By the length of a sample: 784 numbers of 0.005 have 0.14 together."""
    record = with_inputs(record_of(), std)
    record.facts["parameters"]["a.W"]["shape"] = [rows, 3]
    finding = not_normalised(dataclasses.replace(record), [])
    assert (finding is not None) == found
    if found:
        assert "is as small" in finding.meaning


@pytest.mark.parametrize(("before", "found"), [("Affine", False), ("Relu", True)])
def test_a_last_layer_that_adds_or_multiplies_squashes_where_the_one_before_does(before, found):
    record = with_outputs(record_of(), *[(100, 20)] * 5)
    for series in record.outputs.values():
        series.columns |= {"low": np.array([19.0]), "high": np.array([22.0])}
    kinds = {"a": "Affine", "b": before, "scale": "Scale", "bias": "Bias"}
    record.facts |= {"layers": kinds, "last": "bias", "losses": {"loss": "SoftmaxWithLoss"}}
    at = {"mean": AT * 0, "std": AT * 0 + 1.0}
    record.layers = {name: Series(name, kind, AT, at) for name, kind in kinds.items()}
    assert (squashed_scores(record, []) is not None) == found


@pytest.mark.parametrize(("least", "blind"), [(3e-5, True), (1e-4, False)])
def test_a_layer_whose_steps_keep_most_loses_no_sight(least, blind):
    """28 steps that keep 0.71 each leave 7e-5."""
    columns = {"steps": AT * 0 + 28, "asked": AT * 0 + 1, "last": AT * 0 + 1.0}
    columns["first"] = np.array([least, 0.01, 0.01, 0.01, 0.01])
    record = record_of()
    record.steps = {"r": Series("r", "Rnn", AT, columns)}
    assert short_sighted(record) == blind


@pytest.mark.parametrize(("end", "found"), [(1e-5, False), (0.5, True)])
def test_a_run_whose_loss_is_all_but_gone_is_not_too_short(end, found):
    """As where a class has the weight 0: its samples never count."""
    record = record_of(losses=np.geomspace(2.3, end, 400))
    record.facts["guessing_loss"] = 2.3
    record.history["train_accuracy"] = record.history["test_accuracy"] = AT * 0 + 0.66
    assert (training_too_short(dataclasses.replace(record), []) is not None) == found


def test_where_a_layer_is_of_ones_own_its_gradient_is_suspected_too():
    record = record_of(4.0, 2.0, losses=np.linspace(2.3, 9.0, 400))
    record.layers = with_inputs(record_of(), 1.0).layers
    assert not any("lamina check" in remedy for remedy in rate_too_high(record, []).remedies)
    record.facts["layers"] = {"a": "Affine", "mine": "Squash", "b": "Affine"}
    finding = rate_too_high(record, [])
    assert finding.meaning.endswith(
        "A gradient of Squash that is wrong looks the same, at any rate."
    )
    assert finding.remedies[0] == "lamina check of Squash"


@pytest.mark.parametrize(
    ("kind", "value", "options", "name"),
    [
        ("Rnn", "nan", {}, "overflow"),
        ("Power", "inf", {"power": 2.0}, "overflow"),
        ("Power", "inf", {"power": 40}, "overflow"),
        ("Power", "inf", {"power": -1.0}, "undefined result"),
        ("Power", "nan", {"power": 0.5}, "undefined result"),
        ("Mine", "nan", {}, "undefined result"),
        ("Affine", "inf", {}, "overflow"),
    ],
)
def test_undefined_is_what_a_layer_of_that_kind_can_leave_undefined(kind, value, options, name):
    record = record_of()
    record.facts["layers"] = {"a": kind}
    record.config["net"] = {"layers": {"a": {"type": kind, **options}}}
    record.culprit = {"when": "forward", "layer": "a", "value": value, "largest": {"X": 30.0}}
    assert overflow(record, []).name == name


@pytest.mark.parametrize(("power", "name"), [(0.5, "undefined result"), (3.0, "overflow")])
def test_a_root_has_no_derivative_at_0_also_inside_a_block(power, name):
    record = record_of()
    record.facts["layers"] = {"block.pow": "Power"}
    inner = {"type": "Sequential", "layers": {"pow": {"type": "Power", "power": power}}}
    record.config["net"] = {"layers": {"block": inner}}
    record.culprit = {"when": "backward", "layer": "block.pow", "value": "inf", "largest": {}}
    assert overflow(record, []).name == name


@pytest.mark.parametrize(
    ("train", "name", "found"),
    [(0.87, "accuracy", False), (0.97, "accuracy", True), (0.87, "f1", True)],
)
def test_who_is_right_less_often_than_by_one_answer_has_not_settled_for_it(train, name, found):
    """By other figures one answer for all is not what guessing scores."""
    record = with_outputs(record_of(losses=np.linspace(0.9, 0.4, 400)), (1170, 1043), (39, 1))
    record.facts["figure"] |= {"guess": 0.968, "train_guess": 0.968}
    record.facts |= {"samples": 1209, "nearest": 0.99, "ridge": 0.99}
    record.facts["figure"]["name"] = name
    record.history[f"train_{name}"] = AT * 0 + train
    record = dataclasses.replace(record)
    assert (unequal_classes(record, []) is not None) == found
    record.history[f"train_{name}"][-1] = 0.5  # what counts is the evaluation of the weights kept
    record.history[f"validation_{name}"] = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    record.config["training"] = {"keep_best": True}
    record.history["iteration"] = AT[-1] - 4.0 + np.arange(5)
    record = dataclasses.replace(record)
    for series in record.outputs.values():
        series.iterations[:] = AT[-1] - 4.0
    assert (unequal_classes(record, []) is not None) == found
