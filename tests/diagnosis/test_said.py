"""Sentences of the doctor that once were not so: of rules that scale, schedules that end, nets with
branches, runs without a score."""

import dataclasses
import math

import numpy as np
import pytest
from test_advice import record_of

from lamina.diagnosis.causes.activations import dead_relus
from lamina.diagnosis.causes.capacity import narrowest, too_little_capacity
from lamina.diagnosis.causes.decay import decay_too_strong
from lamina.diagnosis.causes.depth import exploding
from lamina.diagnosis.causes.dropout import dropout_too_strong
from lamina.diagnosis.causes.frozen import nothing_can_learn
from lamina.diagnosis.causes.initial_weights import equal_weights
from lamina.diagnosis.causes.inputs import all_the_same
from lamina.diagnosis.causes.labels import wrong_labels
from lamina.diagnosis.causes.over_fitting import over_fitting
from lamina.diagnosis.causes.own_loss import loss_not_of_this_task
from lamina.diagnosis.causes.penalty import penalty_too_strong
from lamina.diagnosis.causes.rate_too_high import rate_too_high
from lamina.diagnosis.causes.rate_too_low import rate_too_low
from lamina.diagnosis.causes.too_short import training_too_short
from lamina.diagnosis.causes.zero_gradients import zero_gradients
from lamina.diagnosis.figure import Figure
from lamina.diagnosis.health import doubts
from lamina.diagnosis.run_tables import Series
from lamina.optimizers.schedules import make_schedule

EXP = {"type": "exp", "gamma": 0.95}


@pytest.mark.parametrize(
    ("iterations", "every", "ended"), [(400, 100, 2), (400, None, 2), (350, 100, None)]
)
def test_an_evaluation_that_was_not_due_ends_no_patience(iterations, every, ended):
    record = record_of(losses=[1.0] * iterations)
    record.facts |= {"samples": 10_000, "batch_size": 50}  # an epoch is 200 iterations, of 100 50
    record.config["training"] = {"patience": 2, "accumulate": 2}
    if every:
        record.config["training"]["evaluate_every"] = every
    record.history["validation_accuracy"] = np.array([0.1, 0.5, 0.4, 0.45])
    assert record.ended_by_patience == ended


@pytest.mark.parametrize(("test", "said"), [(0.58, "nearly equal"), (0.87, "27 points apart")])
def test_a_test_set_that_is_answered_far_better_is_not_nearly_equal(test, said):
    record = record_of(losses=[1.0] * 400)
    record.history["train_accuracy"][:], record.history["test_accuracy"][:] = 0.6, test
    record.facts |= {"nearest": 0.95, "ridge": 0.95, "layers": {"a": "Affine"}}
    assert said in too_little_capacity(record, []).evidence[0]


@pytest.mark.parametrize("linear", [True, False])
@pytest.mark.parametrize("settled", [True, False])
def test_a_line_that_has_come_to_rest_was_not_thrown_out(linear, settled):
    """Its weights are next to 0, so that any update is a large part of them. A net with a ReLU may
    rest where all of it is dead."""
    record = record_of(0.1, 0.4, losses=[3.9] + [0.37] * 399)
    record.layers["a"] = Series("a", "Affine", np.array([1.0, 400.0]), {"dead": np.full(2, np.nan)})
    record.facts |= {"guessing_loss": 0.367, "layers": {"a": "Affine"}}
    if not linear:
        record.facts["layers"]["r"] = "Relu"
    late = [0.366, 0.367, 0.366] if settled else [0.366, 0.8, 0.5]
    record.history["train_loss"] = np.array([0.366, 0.367, *late])
    assert (rate_too_high(record, []) is None) == (linear and settled)


def test_a_line_of_convolutions_has_no_activation():
    record = record_of(losses=[1.0] * 400)
    record.history["train_accuracy"][:] = record.history["test_accuracy"][:] = 0.6
    start = record.facts["parameters"]["a.W"]
    record.facts["parameters"] = {"c.W": start | {"shape": [4, 1, 3, 3]}, "a.W": start}
    record.facts |= {"nearest": 0.95, "ridge": 0.95, "ends": ["a"]}
    record.facts["layers"] = {"c": "Convolution", "flatten": "Flatten", "a": "Affine"}
    found = too_little_capacity(record, [])
    assert "no activation between inputs and outputs: straight lines alone" in found.evidence
    assert found.remedies[0] == "an activation behind c.W"
    assert "for images convolutions" not in found.remedies


def test_the_highest_rate_is_that_of_the_run():
    """A sigmoid that would rise at iteration 800 of 400."""
    schedule = {"type": "sigmoid", "gamma": 0.02, "step_size": 800}
    factor = make_schedule(**schedule)
    rates = [0.1 * factor(i - 1) for i in (1, 100, 200, 300, 400)]
    record = record_of(0.1, 1e-8, optimizer={"schedule": schedule}, rates=rates)
    (said,) = rate_too_low(record, []).remedies
    assert said.endswith("in the whole run 3.3e-05 at the most, of lr: 0.1")


def test_where_branches_meet_what_is_next_in_the_list_need_not_stand_above():
    record = record_of()
    zero = {"shape": [4, 3], "mean": 0.0, "std": 0.0, "learns": True}
    some = zero | {"std": 0.5}
    record.facts["parameters"] = {"b1.W": zero, "b2.W": zero, "a.W": some, "top.W": some}
    assert "b1.W" in str(equal_weights(record, []))
    record.facts["layers"] = {"b1": "Affine", "b2": "Affine", "side": "Concatenation"}
    assert equal_weights(record, []) is None


@pytest.mark.parametrize(("kind", "found"), [("Affine", True), ("MyLinear", False)])
def test_how_many_outputs_a_layer_of_ones_own_has_is_not_known(kind, found):
    record = record_of()
    record.facts["layers"] = {"a": kind, "b": "Affine"}
    assert narrowest(record) == ((3, "a.W") if found else (0, ""))


@pytest.mark.parametrize("known", [True, False])
def test_the_last_layer_is_that_which_the_loss_reads(known):
    record = record_of()
    for name in ("(input)", "scores", "shape", "code"):
        record.layers[name] = Series(name, "", np.array([1.0]), {})
    record.facts["layers"] = {"scores": "Affine", "shape": "Reshape", "code": "Tanh"}
    if known:
        record.facts["last"] = "scores"
    assert record.last_layer == ("scores" if known else "code")
    del record.layers["code"], record.layers["(input)"]
    assert record.last_layer == "scores"


@pytest.mark.parametrize(
    ("train_loss", "loss", "schedule", "found"),
    [
        ([2.3, 2.2, 2.1, 2.0, 1.9], np.linspace(2.3, 0.1, 400), EXP, True),
        ([2.3, 2.3, 2.3, 2.3, 2.3], np.full(400, 2.3), {"type": "exp", "gamma": 0.98}, False),
        ([2.3, 2.2, 2.1, 2.0, 1.9], np.linspace(2.3, 0.1, 400), {"type": "plateau"}, False),
    ],
)
def test_a_schedule_has_ended_the_training_where_the_loss_was_falling(
    train_loss, loss, schedule, found
):
    """Not where nothing was to be learned any more, and not one that waits for that."""
    factors = [schedule.get("gamma", 0.95) ** i for i in (0, 99, 199, 299, 399)]
    rates = [0.1 * factor for factor in factors]
    record = record_of(0.1, 0.01, losses=loss, optimizer={"schedule": schedule}, rates=rates)
    record.history["train_loss"] = np.array(train_loss)
    finding = rate_too_low(record, [])
    assert (finding is not None) == found
    if found:
        assert "had all but ended the training" in finding.meaning


def test_without_a_score_a_loss_that_is_all_but_gone_is_well():
    record = record_of(losses=np.linspace(3.5, 0.001, 400))
    record.facts.pop("figure")
    record.history = {"iteration": np.array([1.0, 400.0]), "lr": np.array([0.1, 0.1])}
    record.loss["loss"][-40:] = 0.01
    assert record.well
    assert not dataclasses.replace(record, loss=record.loss | {"loss": np.full(400, 3.0)}).well


@pytest.mark.parametrize(
    ("optimizer", "rate"), [({"type": "Adam"}, 0.001), ({"type": "own"}, 0.05)]
)
def test_a_rate_that_is_not_given_is_that_of_the_rule(optimizer, rate):
    record = record_of(0.1, rates=[0.05, 0.02, 0.01, 0.005, 0.001])
    record.config["optimizer"] = optimizer
    assert record.lr == rate


def test_the_weights_of_a_state_before_one_step_get_no_gradient():
    record = record_of()
    columns = record.parameters["a.W"].columns
    record.parameters["r.Wh"] = Series("r.Wh", "", np.array([1.0, 100.0, 200.0, 300.0, 400.0]),
                                       columns | {"gradient_norm": np.zeros(5)})  # fmt: skip
    record.facts["parameters"]["r.Wh"] = record.facts["parameters"]["a.W"]
    assert zero_gradients(record, []) is not None
    record.facts["layers"] = {"r": "Lstm"}
    assert zero_gradients(record, []) is None


def test_one_layer_that_makes_signals_large_is_no_matter_of_depth():
    record = _of_depth([1.0, 0.7, 0.5, 0.35, 1750.0])
    assert exploding(record, []) is None
    record = _of_depth([1.0, 12.0, 144.0, 1728.0, 20736.0])
    assert "in the geometric mean" in str(exploding(record, []).evidence)


def _of_depth(sizes):
    record = record_of()
    for i, size in enumerate(sizes):
        name = f"a{i}"
        record.layers[name] = Series(name, "Affine", np.array([1.0]), {"std": np.array([size])})
        record.parameters[f"{name}.W"] = record.parameters["a.W"]
        record.facts["parameters"][f"{name}.W"] = record.facts["parameters"]["a.W"]
    return record


@pytest.mark.parametrize(
    ("start", "end", "risen"), [(-4.5, -4.6, False), (-4.5, 60.0, True), (2.0, 30.0, True)]
)
def test_a_negative_loss_has_risen_where_it_has(start, end, risen):
    record = record_of(losses=np.linspace(start, end, 400))
    assert (rate_too_high(record, []) is not None) == risen


def test_decay_mult_is_named_where_it_is_what_is_large():
    record = record_of(0.1, optimizer={"weight_decay": 0.0005})
    for start in record.facts["parameters"].values():
        start["decay_mult"] = 1000.0
    (said,) = decay_too_strong(record, []).remedies
    assert said == "decay_mult: 1 instead of 1000 in the layer of a.W"


@pytest.mark.parametrize(
    ("task", "share", "start", "end", "train", "guess", "found"),
    [
        ("classification", True, 2.3, 0.01, 0.12, 0.1, True),  # nothing left of it, and a guess
        ("classification", True, 1.9, 0.04, 0.993, 0.993, False),  # nearly all are of one class
        ("multilabel", True, 0.7, 0.3, 0.1, 0.157, False),  # says no label yet
        ("regression", False, 9.4, 0.08, 1.98, 2.0, False),  # the mean was most of the way
        ("classification", True, -0.2, -0.201, 0.1, 0.1, False),  # moves too little to tell
    ],
)
def test_a_loss_of_ones_own_is_blamed_for_what_it_does(
    task, share, start, end, train, guess, found
):
    record = record_of(losses=np.linspace(start, end, 400))
    record.loss["loss"][-40:] = end
    name = "accuracy" if share else "rmse"
    figure = {"name": name, "higher_is_better": share, "percent": share}
    record.facts["figure"] = figure | {
        "limits": [0.0, 1.0 if share else None], "guess": guess, "train_guess": guess
    }  # fmt: skip
    record.facts |= {"losses": {"loss": "MyLoss"}, "task": {"task": task, "classes": 10}}
    record.history[f"train_{name}"] = np.full(5, train)
    assert (loss_not_of_this_task(record, []) is not None) == found


def test_an_error_that_is_smaller_on_the_test_set_is_none_learned_by_heart():
    record = record_of(losses=[1.0] * 400)
    figure = {"name": "rmse", "higher_is_better": False, "percent": False, "limits": [0.0, None]}
    record.facts["figure"] = figure | {"guess": 1.2, "train_guess": 5.0}
    record.facts |= {"task": {"task": "regression"}, "samples": 2000, "test_samples": 200}
    record.history |= {"train_rmse": np.full(5, 1.9), "test_rmse": np.full(5, 1.27)}
    assert wrong_labels(record, []) is None
    assert over_fitting(record, []) is None
    record.history["test_rmse"] = np.full(5, 1.95)  # and worse than a guess there
    record.facts["figure"]["guess"] = 1.9
    assert wrong_labels(record, []) is not None


def test_one_sample_does_not_vary_and_one_wrong_answer_is_no_over_fitting():
    record = record_of()
    record.facts |= {"inputs_vary": 0.0, "samples": 1}
    assert all_the_same(record, []) is None
    record.facts["samples"] = 100
    assert all_the_same(record, []) is not None
    record.history["train_accuracy"][:], record.history["test_accuracy"][:] = 1.0, 0.0
    record.facts |= {"test_samples": 1, "test_targets": 1}
    assert over_fitting(record, []) is None


def test_a_test_set_of_one_class_is_guessed_for_nothing():
    record = record_of(losses=[0.05] * 400)
    record.history["train_accuracy"][:], record.history["test_accuracy"][:] = 0.97, 0.972
    record.history["test_loss"] = np.full(5, 0.08)
    record.facts |= {"guessing_loss": 0.69, "test_guessing_loss": 0.0, "test_samples": 1000}
    record.facts["figure"]["guess"] = 1.0
    assert over_fitting(record, []) is None


def test_a_straight_line_has_no_fewer_units():
    record = record_of(losses=[0.05] * 400)
    record.facts["parameters"] = {"a.W": record.facts["parameters"]["a.W"]}
    record.history["train_accuracy"][:], record.history["test_accuracy"][:] = 1.0, 0.6
    assert "fewer columns, if many say little" in over_fitting(record, []).remedies


@pytest.mark.parametrize("ratio", [1e-6, 1e-3])
def test_where_nothing_moves_the_rate_is_to_blame(ratio):
    """Not a penalty or dropout that hardly had anything to do yet."""
    record = record_of(1e-5, ratio)
    record.config["training"] = {"gradient_penalty": 0.6}
    record.facts |= {"dropout": {"d": 0.8}, "left_by_dropout": 0.2}
    assert (penalty_too_strong(record, []) is None) == (ratio == 1e-6)
    assert (dropout_too_strong(record, []) is None) == (ratio == 1e-6)


@pytest.mark.parametrize("chooses", [True, False])
def test_what_was_seen_stands_where_it_was_looked_for(chooses):
    record = record_of()
    record.history["validation_accuracy"] = np.full(5, 0.1)
    record.facts |= {"chooses": chooses, "seen": 0.25}
    among = "training or validation" if chooses else "training"
    record.facts |= {"test_samples": 5000, "seen_of": 5000}
    assert record.where_seen == f"the test samples stand among the {among} ones too"
    assert any(f"25.0 % of the test samples stand among the {among}" in d for d in doubts(record))
    record.facts["test_samples"] = 20_000
    assert record.where_seen.startswith("5,000 test samples that were drawn stand")


def test_a_figure_is_that_of_the_iteration_that_is_named():
    """A run that was interrupted has gone on since its last evaluation."""
    record = record_of(1e-3, 1e-3, losses=2.0 - 0.004 * np.arange(400))
    record.history["iteration"] = np.array([70.0, 140.0, 210.0, 280.0, 350.0])
    record.history["train_accuracy"] = np.linspace(0.1, 0.3, 5)
    record.history["test_accuracy"] = np.linspace(0.1, 0.3, 5)
    assert "after 350 iterations" in " ".join(training_too_short(record, []).evidence)


def test_what_moves_between_two_records_does_learn():
    """As by an optimizer that waits for three gradients, where no record is of a third step."""
    record = record_of(0.1, 0.0)
    for series in record.parameters.values():
        series.columns["gradient_norm"] = np.ones(5)
        series.columns["weight_norm"] = np.ones(5)
    assert nothing_can_learn(record, []).evidence[0].startswith("there are gradients")
    for series in record.parameters.values():
        series.columns["update_ratio"] = np.full(5, np.nan)  # biases that are still 0
    assert nothing_can_learn(record, []) is not None
    for series in record.parameters.values():
        series.columns["weight_norm"] = np.array([1.0, 1.0, 1.01, 1.02, 1.02])
    assert nothing_can_learn(record, []) is None


def test_who_guesses_has_learned_nothing_by_heart():
    """The test set has another share of the class that is said of all."""
    record = record_of(losses=[0.3] * 400)
    record.facts["figure"] |= {"guess": 0.515, "train_guess": 0.896}
    record.history["train_accuracy"][:], record.history["test_accuracy"][:] = 0.896, 0.515
    assert over_fitting(record, []) is None
    record.history["train_accuracy"][:] = 0.99
    assert over_fitting(dataclasses.replace(record), []) is not None


@pytest.mark.parametrize(("test_rmse", "found"), [(0.4967, False), (0.9, True)])
def test_an_r2_is_lower_where_targets_vary_less(test_rmse, found):
    record = record_of(losses=[0.1] * 400)
    figure = {"name": "r2", "higher_is_better": True, "percent": False, "limits": [None, 1.0]}
    record.facts["figure"] = figure | {"guess": 0.0, "train_guess": 0.0}
    record.facts["task"] = {"task": "regression"}
    record.history |= {"train_r2": np.full(5, 0.95), "test_r2": np.full(5, 0.227)}
    record.history |= {"train_rmse": np.full(5, 0.5099), "test_rmse": np.full(5, test_rmse)}
    assert (over_fitting(record, []) is not None) == found


def test_an_r2_is_held_against_that_of_guessing():
    """Where test targets lie elsewhere guessing is below 0: a net above it knows something."""
    figure = Figure("r2", True, -math.inf, 1.0, -0.968, False, 0.0)
    assert figure.score(-0.111) == pytest.approx(1 - (1.18 / 1.577) ** 2, abs=1e-2)
    assert figure.score(0.3, "train") == 0.3
    assert figure.chance("test") == 0.0


@pytest.mark.parametrize(("decay", "found"), [(0.0, False), (0.01, True)])
def test_weights_that_have_moved_get_a_gradient_between_two_records(decay, found):
    record = record_of(0.1, optimizer={"weight_decay": decay})
    columns = record.parameters["a.W"].columns | {"gradient_norm": np.zeros(5)}
    at = record.parameters["a.W"].iterations
    moves = columns | {"weight_norm": np.array([3.926, 3.923, 3.905, 3.9, 3.83])}
    record.parameters["a.W"] = Series("a.W", "", at, moves)
    assert (zero_gradients(record, []) is not None) == found
    record.parameters["a.W"] = Series("a.W", "", at, columns)
    assert zero_gradients(dataclasses.replace(record), []) is not None


def test_weights_that_have_a_long_way_to_go_do_not_overshoot():
    """Targets of mean 150: the loss falls to that of guessing, while weights grow sevenfold."""
    losses = np.r_[1.4e4 * 0.97 ** np.arange(100) + 3.1e3, np.full(300, 3.1e3)]
    record = record_of(0.01, 0.022, losses=losses)
    record.facts |= {"guessing_loss": 3.13e3, "task": {"task": "regression"}}
    record.layers["a"] = Series("a", "Affine", np.array([1.0, 400.0]), {"dead": np.full(2, np.nan)})
    for series in record.weights.values():
        series.columns["weight_norm"] = np.array([1.3, 3.0, 5.0, 7.0, 9.7])
    assert rate_too_high(record, []) is None
    near = dataclasses.replace(record, loss={**record.loss, "loss": losses.clip(0, 5e3)})
    assert rate_too_high(near, []) is not None  # it began near guessing
    record.loss["loss"][50] = 1e6  # one that shot up on the way
    assert rate_too_high(dataclasses.replace(record), []) is not None


@pytest.mark.parametrize(("line", "found"), [(0.5, False), (0.05, True)])
def test_a_line_that_is_not_where_lines_can_get_is_not_too_small(line, found):
    record = record_of(0.1, 0.02, losses=[1.0] * 400)
    record.facts |= {"line": line, "ridge": 0.95, "nearest": 0.95, "layers": {"a": "Affine"}}
    del record.facts["parameters"]["b.W"]
    assert (too_little_capacity(record, []) is not None) == found


@pytest.mark.parametrize(
    ("ratio", "share", "found"), [(1e-6, 0.53, 0), (1e-6, 1.0, 1), (1e-3, 0.53, 1)]
)
def test_units_are_not_to_blame_where_nothing_was_tried(ratio, share, found):
    record = record_of(1e-6, ratio, losses=[2.3] * 400)
    columns = {"dead": np.full(5, share), "saturated": np.full(5, np.nan)}
    at = np.array([1.0, 100.0, 200.0, 300.0, 400.0])
    record.layers["r"] = Series("r", "Relu", at, columns)
    assert (dead_relus(record, []) is not None) == found
