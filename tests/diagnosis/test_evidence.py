"""What the doctor gives as evidence is true of the run."""

import dataclasses

import numpy as np
import pytest
from test_advice import record_of

from lamina.datasets import Regression
from lamina.datasets.rows import FileRows, Rows
from lamina.diagnosis.causes.capacity import narrowest
from lamina.diagnosis.causes.decay import decay_too_strong
from lamina.diagnosis.causes.depth import exploding
from lamina.diagnosis.causes.dropout import dropout_too_strong
from lamina.diagnosis.causes.labels import wrong_labels
from lamina.diagnosis.causes.over_fitting import over_fitting
from lamina.diagnosis.causes.over_time import not_seen
from lamina.diagnosis.causes.running_averages import averages_behind, averages_noisy
from lamina.diagnosis.causes.targets import (
    a_mark_among_targets,
    targets_far_out,
    targets_not_scaled,
)
from lamina.diagnosis.facts import _averages, _ends, _left, _targets, _uses
from lamina.diagnosis.run_tables import Series
from lamina.layers import (
    Addition,
    Affine,
    BatchNormalization,
    Bias,
    Convolution,
    Dropout,
    Flatten,
    Gru,
    Lstm,
    MultiHeadAttention,
    PRelu,
    Relu,
    Reshape,
    Rnn,
    Scale,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    TransposedConvolution,
)
from lamina.nets import Graph, Head, Node, Sequential

LAYERS = {
    **{"gru": Gru(9, 2, rng=0), "lstm": Lstm(9, 2, rng=0), "rnn": Rnn(9, 2, rng=0)},
    **{"affine": Affine(9, 2, rng=0), "attention": MultiHeadAttention(2, 1, rng=0)},
}
OF_CHANNELS = {
    "convolution": Convolution(9, 2, 3, rng=0),
    "transposed": TransposedConvolution(9, 2, 3, rng=0),
}


def test_targets_that_vary_little_beside_their_mean_keep_their_digits():
    t = 1_000_023.0 + 0.5 * np.array([-1.0, 1.0, -1.0, 1.0, 2.0, -2.0])
    found = _targets(t)
    assert (found["mean"], found["low"], found["high"]) == (1_000_023.0, 1_000_022.0, 1_000_024.0)
    assert found["std"] == pytest.approx(t.std(), rel=1e-5)
    assert _targets(t * 0 + 7.0)["mean"] == 7.0
    record = record_of()
    record.facts["targets"] = found
    assert targets_far_out(record, []) is None
    advice = targets_not_scaled(record, []).remedies[0]
    assert advice.startswith("train on (target - 1000023.000) / 0.707")


@pytest.mark.parametrize("name", LAYERS | OF_CHANNELS)
def test_the_units_of_a_layer_are_its_outputs(name):
    record, layer = record_of(), (LAYERS | OF_CHANNELS)[name]
    last = record.facts["parameters"]["b.W"]
    shapes = {f"{name}.{n}": p.data.shape for n, p in layer.parameters().items()}
    starts = {n: last | {"shape": list(shape)} for n, shape in shapes.items()}
    record.facts["parameters"] = {**starts, "last.W": last | {"shape": [2, 50]}}
    record.facts["layers"] = {name: type(layer).__name__, "last": "Affine"}
    assert narrowest(record) == ((2, next(iter(shapes))) if name in LAYERS else (0, ""))


def test_what_has_no_units_is_neither_narrow_nor_the_end():
    """A Scale and a Bias of images, and those that put outputs to the size of targets."""
    layers = {"mean": Bias((1, 6, 6)), "f": Flatten(), "a": Affine(36, 9, rng=0), "r": PRelu(9)}
    layers |= {"b": Affine(9, 2, rng=0), "scale": Scale((2,)), "shift": Bias((2,))}
    net, record = Sequential(layers, SoftmaxWithLoss()), record_of()
    start = record.facts["parameters"]["b.W"]
    record.facts |= {
        "parameters": {n: start | {"shape": p.data.shape} for n, p in net.parameters().items()},
        "ends": _ends(net),
        "layers": {name: type(layer).__name__ for name, layer in layers.items()},
    }
    assert record.facts["ends"] == ["b"]
    assert narrowest(record) == (9, "a.W")


def test_dropouts_add_up_one_after_another_alone():
    half = Sequential({"d": Dropout(0.5, rng=0), "a": Affine(4, 4, rng=0)})
    assert _left(half) == 0.5
    assert (
        _left(Sequential({"d": Dropout(0.5, rng=0), "inner": half, "e": Dropout(0.2, rng=0)}))
        == 0.2
    )
    side_by_side = {f"d{i}": Node(Dropout(0.5, rng=0), "a") for i in range(3)}
    layers = {"a": Affine(4, 4, rng=0), **side_by_side, "sum": Node(Addition(), ["d0", "d1", "d2"])}
    assert _left(Graph(layers)) == 0.5
    assert _left(Graph({**layers, "past": Node(Addition(), ["sum", "a"])})) == 1.0


def test_the_head_of_a_second_loss_is_no_hidden_layer():
    """Also where it stands in a net in the net, behind what has no weights."""
    head = Sequential(
        {"a": Affine(9, 5, rng=0), "r": Relu(), "b": Affine(5, 1, rng=0), "s": Reshape((1,))}
    )
    layers = {"h": Affine(4, 9, rng=0), "side": head, "main": Node(Affine(9, 2, rng=0), "h")}
    heads = {"one": Head(SoftmaxWithLoss(), "main"), "other": Head(SigmoidWithLoss(), "side")}
    net, record = Graph(layers, outputs=["main", "side"], losses=heads), record_of()
    start = record.facts["parameters"]["b.W"]
    record.facts |= {
        "parameters": {n: start | {"shape": p.data.shape} for n, p in net.parameters().items()},
        "ends": _ends(net),
    }
    assert record.facts["ends"] == ["main", "side.b"]
    assert narrowest(record) == (5, "side.a.W")


def test_the_factor_of_a_layer_is_over_those_up_to_the_largest():
    """From a1 to a3 two steps of 39.4; the three layers behind it do not count."""
    sizes = {"a1": 1, "r1": 0.6, "a2": 39.4, "r2": 20, "a3": 39.4**2, "r3": 900, "a4": 30}
    sizes |= {"a5": 3, "a6": 1}
    said = "layers with weights behind a1 up to a3: 2, each about 39.4 times as large"
    assert said in str(exploding(_of_sizes(sizes), []).evidence)


def test_of_branches_no_factor_of_a_layer_is_said():
    sizes = {"a1": 1, "a2": 39.4, "a3": 39.4**2, "a4": 30, "a5": 3}
    record = _of_sizes(sizes)
    assert "each about" in str(exploding(record, []).evidence)
    record.facts["layers"]["sum"] = "Addition"
    assert "each about" not in str(exploding(record, []).evidence)


def test_the_way_with_most_dropout_is_named_where_it_is_one():
    record = record_of()
    record.facts |= {"dropout": {"d1": 0.75, "d2": 0.7}, "left_by_dropout": 0.075}
    assert (
        "on the way through d1, d2 one unit in 13.3" in dropout_too_strong(record, []).evidence[0]
    )
    record.facts["dropout"]["d3"] = 0.5  # beside them
    said = dropout_too_strong(record, []).evidence[0]
    assert said == "on the way that drops least one unit in 13.3 is left"


@pytest.mark.parametrize(("accumulate", "left"), [(1, "54.7 %"), (4, None)])
def test_averages_move_with_every_batch(accumulate, left):
    """0.99 to the 60th is 0.547, to the 240th 0.09."""
    record = record_of(losses=[1.0] * 60)
    record.facts["averages"] = {"bn": 0.99}
    record.history["train_loss"] = np.array([9.0] * 5)
    record.history["iteration"] = np.arange(12.0, 61.0, 12.0)
    record.config["training"] = {"accumulate": accumulate}
    said = str(averages_behind(record, []).evidence)
    assert (left or "9.0 %") in said
    assert f"{60 * accumulate} batches" in said
    for odd in (None, "4", True, float("nan")):  # as a file may have it
        record.config["training"] = {"accumulate": odd}
        assert "60 batches" in str(averages_behind(record, []).evidence)


@pytest.mark.parametrize(
    ("momentum", "batch", "losses", "noisy"),
    [
        (0.1, 4, [2, 1, 2, 1, 2, 1, 2, 1], True),  # of 4.9 samples
        (0.1, 100, [2, 1, 2, 1, 2, 1, 2, 1], False),  # of 122
        (0.9, 4, [2, 1, 2, 1, 2, 1, 2, 1], False),  # the usual one
        (0.1, 4, [2, 2, 2, 2, 2, 1.4, 1, 0.7], False),  # falls
        (0.1, 4, [2, 1.9, 2, 1.9, 2, 1.9, 2, 1.9], False),  # hardly moves
        (0.1, 4, [2, 1, 2, 1, 2, 1], False),  # too few to tell
    ],
)
def test_averages_of_few_samples_are_noise_where_the_loss_jumps(momentum, batch, losses, noisy):
    record = record_of(losses=[1.0] * 60)
    record.facts |= {"averages": {"bn": momentum}, "batch_size": batch}
    record.history["train_loss"] = np.array(losses, float)
    finding = averages_noisy(record, [])
    assert bool(finding) == noisy
    if noisy:
        assert "about 5 samples: momentum 0.1, batches of 4" in finding.evidence[0]
        assert "4 evaluations 1 to 2, 1 at the last" in finding.evidence[1]


def test_of_several_recurrent_layers_the_one_that_saw_least_is_named():
    record, at = record_of(), np.array([1.0, 2.0])
    columns = {"steps": at * 0 + 9, "asked": at * 0 + 1, "last": at * 0 + 1}
    record.steps = {
        "none": Series("none", "", at, columns | {"first": at * np.nan}),
        "each": Series("each", "", at, columns | {"asked": at * 0 + 9, "first": at * 1e-9}),
        "seen": Series("seen", "", at, columns | {"first": at * 1e-6}),
    }
    assert not_seen(record).startswith("gradient of seen at its least, iteration 1: 1 at the last")


def test_two_ways_to_take_outputs_together_are_not_compared():
    record = record_of()
    record.facts |= {"ridge": 0.99, "nearest": 0.9, "targets": {"least_std": 0.2, "most_std": 2.7}}
    record.facts["figure"] |= {"name": "r2", "guess": 0.0, "train_guess": 0.0}
    assert np.isnan(record.ridge)
    again = record_of()
    again.facts |= record.facts | {"targets": {"least_std": 1.0, "most_std": 1.1}}
    assert again.ridge == 0.99


def test_what_a_normalization_sets_is_no_growth():
    """Outputs of 1e-5 become 1 there; behind it they grow, or they do not."""
    sizes = {"a1": 1e-5, "norm": 1.0, "a2": 1.0, "a3": 1.0, "a4": 1.0}
    assert exploding(_of_sizes(sizes), []) is None
    sizes |= {"a3": 40.0, "a4": 1600.0}
    (deviation, steps, *_) = exploding(_of_sizes(sizes), []).evidence
    assert deviation.endswith("1 in norm, 1.6e+03 in a4")
    assert steps.startswith("layers with weights behind norm up to a4: 3, each about 11.7 times")


def _of_sizes(sizes: dict):
    record, at = record_of(), np.array([1.0])
    record.layers = {n: Series(n, "", at, {"std": at * size}) for n, size in sizes.items()}
    kinds = {"a": "Affine", "r": "Relu", "n": "BatchNormalization"}
    record.facts["layers"] = {name: kinds[name[0]] for name in sizes}
    weights = [f"{name}.W" for name in sizes if name[0] == "a"]
    record.parameters = dict.fromkeys(weights, record.parameters["a.W"])
    record.facts["parameters"] = dict.fromkeys(weights, record.facts["parameters"]["a.W"])
    return record


A_SHARE = "weight_decay 0.5 times the rate 0.1: 0.05 of each weight is taken off at every step"


@pytest.mark.parametrize(
    ("optimizer", "said"),
    [
        ({"type": "SGD"}, A_SHARE),
        ({"type": "AdamW"}, A_SHARE),
        ({"type": "Adam", "decay": "decoupled"}, A_SHARE),
        ({"type": "SGD", "decay": "l1"}, "weight_decay 0.5 times the rate 0.1: 0.05 is taken off "
         "the weights, whatever their size, at every step"),
        ({"type": "Adam", "decay": "l1"}, "weight_decay 0.5 is in the gradient of each weight, "
         "whatever its size; the rule scales it"),
        *(({"type": rule}, "weight_decay 0.5 times the weight is in the gradient of each weight; "
           "the rule scales it")
          for rule in ("Adam", "Momentum", "RMSProp", "AdaGrad", "own.py:SGD")),
    ],
)  # fmt: skip
def test_a_decay_takes_off_a_share_of_the_weight_only_where_it_does(optimizer, said):
    record = record_of(lr=0.1, optimizer={**optimizer, "weight_decay": 0.5})
    (found,) = (e for e in decay_too_strong(record, []).evidence if "weight_decay" in e)
    assert found == said


def test_a_decay_beside_the_rule_has_no_pull_in_the_gradient():
    for optimizer, pulls in (({"type": "SGD"}, True), ({"type": "AdamW"}, False)):
        record = record_of(lr=0.1, optimizer={**optimizer, "weight_decay": 0.5})
        assert ("last pull" in str(decay_too_strong(record, []).evidence)) == pulls


def learned_by_heart(name: str, train, test, *, percent=False, higher=False, limits=(0.0, None)):
    """A run that ends so on its 1,000 training samples and on as many others; figures of each
    evaluation. Guessing has 2, or of perplexity 20."""
    record = record_of()
    figure = {"name": name, "higher_is_better": higher, "limits": list(limits), "percent": percent}
    guess = {"perplexity": 20.0, "r2": 0.0, "accuracy": 0.1}.get(name, 2.0)
    record.facts["figure"] = {**figure, "guess": guess, "train_guess": guess}
    at = np.linspace(1.0, 400.0, len(train))
    record.history = {"iteration": at, "lr": at * 0 + 0.1}
    record.history |= {f"train_{name}": np.array(train), f"test_{name}": np.array(test)}
    return record


@pytest.mark.parametrize(
    ("name", "train", "test", "more", "said"),
    [
        ("rmse", 0.03776, 1.597, {}, "train rmse 0.03776, test 1.597: 42.3 times as large"),
        ("rmse", 0.0, 1.5, {}, "train rmse 0, test 1.5: 1.5 apart"),
        ("perplexity", 1.5, 9.0, {"limits": (1.0, None)}, "test 9: 6 times as large"),
        ("r2", 0.9, 0.25, {"higher": True, "limits": (None, 1.0)}, "test 0.25: 0.65 apart"),
        (
            *("accuracy", 1.0, 0.755),
            {"percent": True, "higher": True, "limits": (0.0, 1.0)},
            "train accuracy 100.0 %, test 75.5 %: 24.5 points apart",
        ),
    ],
)
def test_how_far_the_sets_are_apart_is_said_of_the_metric(name, train, test, more, said):
    record = learned_by_heart(name, [1.9, train], [1.9, test], **more)
    assert over_fitting(record, []).evidence[0].endswith(said)


def test_of_sequences_each_position_counts():
    """5 windows of 64 characters are 320 answers: a perplexity of 1.81 beside 6.7 is no luck."""
    record = learned_by_heart("perplexity", [15.0, 1.81], [15.0, 6.7], limits=(1.0, None))
    record.facts["test_samples"] = 5
    assert over_fitting(record, []) is None
    record.facts["test_targets"] = 5 * 64
    assert over_fitting(record, []).name == "over-fitting"


@pytest.mark.parametrize(("figure", "known"), [("accuracy", False), ("exact_match", True)])
def test_labels_of_positions_are_guessed_in_narrower_bounds(figure, known):
    """A share of 0.3 where guessing gives 0.1: of 25 samples luck, of 25 times 40 positions not."""
    limits = {"percent": True, "higher": True, "limits": (0.0, 1.0)}
    record = learned_by_heart(figure, [0.2, 1.0], [0.3, 0.3], **limits)
    record.facts["figure"] |= {"guess": 0.1, "train_guess": 0.1}
    record.facts |= {"test_samples": 25, "test_targets": 1000}
    assert (wrong_labels(record, []) is not None) == known


@pytest.mark.parametrize(
    ("training", "advised"),
    [
        ({}, "patience and keep_best under training: stop where it was best"),
        ({"keep_best": True}, "patience under training: stop where it was best"),
        ({"patience": 5}, "keep_best under training: end with the best weights"),
        ({"patience": 5, "keep_best": True}, None),
    ],
)
def test_what_a_run_kept_is_said_and_what_is_on_is_not_advised(training, advised):
    record = learned_by_heart("rmse", [1.8, 0.3, 0.1], [1.8, 1.2, 1.6])
    record.history["validation_rmse"] = np.array([1.8, 1.1, 1.7])
    record.config["training"] = training
    found = over_fitting(record, [])
    said = "the weights kept, of iteration 200: train rmse 0.3, validation 1.1, test 1.2"
    keeps = "keep_best" in training
    assert (said in found.evidence) == keeps
    assert found.evidence[0].endswith(", at the last evaluation") == keeps
    named = [r for r in found.remedies if "patience" in r or "keep_best" in r]
    assert named == ([advised] if advised else [])


def test_weights_kept_that_do_not_over_fit_are_no_finding():
    def found(keep_best: bool, has_weights: bool):
        record = learned_by_heart("rmse", [1.8, 0.9, 0.1], [1.8, 1.0, 1.6])
        record.history["validation_rmse"] = np.array([1.8, 1.1, 1.7])
        record.config["training"] = {"keep_best": keep_best}
        record.has_weights = has_weights  # a run that was killed has none
        return over_fitting(record, [])

    assert found(False, True)
    assert found(True, True) is None
    assert found(True, False)


def test_nothing_is_said_of_weights_kept_that_are_the_last():
    record = learned_by_heart("rmse", [1.8, 0.1], [1.8, 1.6])
    record.history["validation_rmse"] = np.array([1.8, 1.7])
    record.config["training"] = {"keep_best": True}
    assert "kept" not in str(over_fitting(record, []).evidence)


WORDS = {"task": "language_model", "classes": 5000}


def sure_of_rare_classes(train=1.0, test=0.973, test_loss=0.219, end_loss=0.004):
    limits = {"percent": True, "higher": True, "limits": (0.0, 1.0)}
    record = learned_by_heart("accuracy", [0.98, train], [0.977, test], **limits)
    record.facts["figure"] |= {"guess": 0.977, "train_guess": 0.977}
    record.facts |= {"guessing_loss": 0.109, "test_samples": 300, "test_targets": 300}
    record.history["test_loss"] = np.array([0.1, test_loss])
    record.loss["loss"] = np.full(50, end_loss)
    return record


def test_where_guessing_is_nearly_always_right_the_loss_tells_of_over_fitting():
    """2 % of a class: 100 and 97.3 % are 2.7 points apart, and no more can be."""
    found = over_fitting(sure_of_rare_classes(), [])
    assert "test loss 0.219, that of one answer for all 0.109: it is sure of answers" in str(found)
    assert over_fitting(sure_of_rare_classes(test_loss=0.1), []) is None
    assert over_fitting(sure_of_rare_classes(end_loss=0.1), []) is None
    assert over_fitting(sure_of_rare_classes(train=0.98), []) is None


@pytest.mark.parametrize(
    ("layers", "decay", "advised"),
    [
        ({}, 0.0, "Dropout, weight_decay: 0.0005"),
        ({}, None, "Dropout, a weight_decay above 0.01"),  # what AdamW has if none is said
        ({"drop": "Dropout"}, 0.02, "a higher p of Dropout, a weight_decay above 0.02"),
    ],
)
def test_what_a_run_has_is_advised_in_a_larger_measure(layers, decay, advised):
    record = learned_by_heart("rmse", [1.8, 0.1], [1.8, 1.6])
    record.facts |= {"layers": layers, "task": {"task": "regression"}}
    record.config["optimizer"] = {"type": "AdamW", "lr": 0.1} | (
        {} if decay is None else {"weight_decay": decay}
    )
    assert advised in over_fitting(record, []).remedies


@pytest.mark.parametrize(
    ("loss", "figure", "said"),
    [
        ("SquaredErrorLoss", "rmse", "Squared errors are those of a few samples"),
        ("HuberLoss", "rmse", "HuberLoss hardly follows a few samples, but rmse does"),
        ("AbsoluteErrorLoss", "rmse", "metrics: [mae]"),
        ("HuberLoss", "mae", None),
        ("HuberLoss", "", None),
    ],
)
def test_what_is_far_out_counts_where_errors_are_squared(loss, figure, said):
    record = learned_by_heart(figure or "rmse", [1.8, 1.75], [1.8, 1.75])
    if not figure:
        record.facts.pop("figure")
        record.history = {"iteration": np.array([1.0])}
    record.facts |= {"losses": {"loss": loss}, "samples": 1500}
    record.facts["targets"] = {"mean": 0.0, "std": 60.0, "low": -1200.0, "high": 900.0}
    assert targets_not_scaled(record, []) is None  # their deviation is that of a few
    found = targets_far_out(record, [])
    assert found is None if said is None else said in str(found)
    assert "HuberLoss" not in str(found and found.remedies) or loss == "SquaredErrorLoss"


@pytest.mark.parametrize(("numbers", "far"), [(300, True), (6000, False)])
def test_how_far_out_is_asked_of_all_numbers(numbers, far):
    """Of 300 sequences of 20 steps there are 6,000: 12 deviations may be the work of forty."""
    record = learned_by_heart("rmse", [1.8, 1.75], [1.8, 1.75])
    record.facts |= {"losses": {"loss": "SquaredErrorLoss"}, "samples": 300}
    targets = {"mean": 0.0, "std": 420.0, "low": -9.0, "high": 5000.0, "width": 1}
    record.facts["targets"] = targets | {"numbers": numbers}
    assert (targets_far_out(record, []) is not None) == far


@pytest.mark.parametrize(
    ("others", "mark", "times", "found"),
    [
        (np.linspace(-1, 1, 50), -999, 3, {"mark": -999, "marked": 3, "next": -1}),
        (np.linspace(-1, 1, 50), 99, 30, {"mark": 99, "marked": 30, "next": 1}),
        (np.linspace(-1, 1, 50), -999, 2, {}),  # a slip of the pen, twice
        (np.linspace(-1, 1, 50), 5, 30, {}),  # less than three times as far as they are apart
        (np.linspace(1, 100, 50), 0, 30, {}),  # counts, of which many are 0
        (np.zeros(50), 1, 30, {}),  # yes and no
    ],
)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_what_comes_again_far_from_all_others_is_a_mark(others, mark, times, found, kind, tmp_path):
    t = np.random.default_rng(0).permutation(np.append(others, [mark] * times)).astype(kind)
    targets = _targets(t)
    assert {k: targets[k] for k in ("mark", "marked", "next") if k in targets} == found
    np.save(tmp_path / "t.npy", t)
    assert _targets(Rows(FileRows([tmp_path / "t.npy"]), "t.npy")) == targets


def test_marks_are_looked_for_column_by_column():
    """A switch beside small numbers is none, nor is a column that never changes."""
    rng = np.random.default_rng(0)
    small, switch = rng.standard_normal(500), 100.0 * rng.integers(0, 2, 500)
    for column in (switch, np.full(500, 1000.0)):
        assert "mark" not in _targets(np.stack([small, column], axis=1))
    small[:20] = -999.0
    assert _targets(np.stack([switch, small], axis=1))["marked"] == 20
    large = 100.0 * small[::-1] + 1.0
    large[
        100:150
    ] = -999.0  # no mark here, where -500 is a number as well, and counted all the same
    found = _targets(np.stack([small, large], axis=1))
    assert (found["mark"], found["marked"]) == (-999.0, 20 + np.sum(large == -999.0))


def test_a_mark_is_named_whatever_the_net_has_learned():
    """An r2 of 0.99 is what telling the marks from the others is worth."""
    record = learned_by_heart("r2", [0.99, 0.99], [0.99, 0.99])
    record.facts |= {"losses": {"loss": "SquaredErrorLoss"}, "samples": 1500}
    record.facts["targets"] = _targets(np.append(np.linspace(0, 1, 1400), [-999.0] * 100))
    found = a_mark_among_targets(record, [])
    assert found.evidence[0] == "100 of 1,500 targets are -999; the nearest of the others is 0"
    assert a_mark_among_targets(record, [found]) is None


@pytest.mark.parametrize(("width", "said"), [(1, "targets have"), (2, "all of a sample together")])
def test_of_several_targets_the_size_is_that_of_all_together(width, said):
    record = learned_by_heart("rmse", [1.8, 1.75], [1.8, 1.75])
    record.facts["targets"] = {"mean": 150.0, "std": 150.0, "low": -3.0, "high": 303.0}
    record.facts["targets"] |= {"width": width, "numbers": 1000}
    assert said in targets_not_scaled(record, []).evidence[0]


def test_the_numbers_of_sequences_are_counted_by_position():
    t = np.zeros((30, 20, 2), np.float32)
    t[0] = 1.0
    assert _targets(t)["numbers"] == 30 * 20 * 2
    assert Regression(["a", "b"]).n_targets(t) == 30 * 20
    assert Regression(["a", "b"]).n_targets(t[:, 0]) == 30


@pytest.mark.parametrize(("units", "more"), [(3, True), (50, False)])
def test_a_net_of_fewer_units_than_classes_is_advised_no_fewer(units, more):
    limits = {"percent": True, "higher": True, "limits": (0.0, 1.0)}
    record = learned_by_heart("accuracy", [0.1, 0.90], [0.1, 0.78], **limits)
    record.facts["figure"] |= {"guess": 0.1, "train_guess": 0.1}
    weights = record.facts["parameters"]["a.W"]
    record.facts["parameters"] = {
        "a.W": weights | {"shape": [784, units]},
        "b.W": weights | {"shape": [units, 10]},
    }
    words = dataclasses.replace(record, facts=record.facts | {"task": WORDS})
    assert "fewer units" in over_fitting(words, []).remedies  # of them there are always more
    remedies = over_fitting(record, []).remedies
    assert ("more units in a.W: 3 are few for 10 classes" in remedies) == more
    assert ("fewer units" in remedies) != more


def test_averages_that_take_in_two_batches_a_pass_are_there_sooner():
    norm = BatchNormalization(3, momentum=0.99)
    net = Sequential({"n1": norm, "n2": norm, "n3": BatchNormalization(3)}, loss=SoftmaxWithLoss())
    for _ in range(100):
        net.forward(np.full((4, 3), 5.0, np.float32))
    assert norm.running_var.data == pytest.approx(
        [0.99**200] * 3, rel=1e-5
    )  # of batches of variance 0
    record = record_of(losses=[1.0] * 100)
    record.facts |= {"averages": _averages(net), "uses": _uses(net)}
    record.history["train_loss"] = np.full(5, 9.0)
    record.history["iteration"] = np.arange(20.0, 101.0, 20.0)
    said = "13.4 % are still what they began with: momentum 0.99, 100 batches at 2 places"
    assert said in averages_behind(record, []).evidence[1]
    assert record.facts["uses"] == {"n1": 2, "n2": 2}
