"""A recorder may be turned on when a run goes on: what it saw first is not how the run began."""

import numpy as np
import pytest
from test_advice import record_of

from lamina.diagnosis.causes.activations import dead_relus, saturated
from lamina.diagnosis.causes.decay import decay_too_strong
from lamina.diagnosis.causes.depth import exploding
from lamina.diagnosis.run_tables import Series
from lamina.diagnosis.updates import better_rate

START, LATER = np.array([1.0, 200.0, 300.0, 400.0]), np.array([100.0, 200.0, 300.0, 400.0])


def recorded(at, first=0.01):
    """`record_of` with four records of its weights at these iterations."""
    record = record_of(first=first, optimizer={"weight_decay": 0.5})
    for name, series in record.parameters.items():
        columns = {column: values[1:].copy() for column, values in series.columns.items()}
        record.parameters[name] = Series(name, "", at, columns)
    return record


def with_layer(record, kind, **columns):
    at = next(iter(record.parameters.values())).iterations
    record.layers = {"s": Series("s", kind, at, {n: at * 0 + v for n, v in columns.items()})}
    return record


@pytest.mark.parametrize(
    ("at", "said", "remedy"),
    [
        (START, "so from the first iteration on", "look at the first biases and weights"),
        (LATER, "seen first at iteration 100, the first that was recorded", "a smaller learning"),
    ],
)
def test_units_that_are_dead_in_the_first_record(at, said, remedy):
    finding = dead_relus(with_layer(recorded(at), "Relu", dead=1.0), [])
    assert said in finding.evidence
    assert finding.remedies[0].startswith(remedy)


@pytest.mark.parametrize(
    ("at", "said"), [(START, "90.0 % at the start"), (LATER, "90.0 % at iteration 100")]
)
def test_units_that_are_saturated_in_the_first_record(at, said):
    record = with_layer(recorded(at), "Sigmoid", saturated=0.9)
    assert saturated(record, []).evidence[0].endswith(said)
    record = with_layer(recorded(at), "Sigmoid", saturated=0.9)
    record.history["train_accuracy"][:] = 0.5  # units may have gone there while it was learning
    assert (saturated(record, []) is not None) == (at is START)


def test_the_norm_at_the_start_is_that_of_the_first_weights():
    record = recorded(LATER)
    for name in record.weights:
        record.parameters[name].columns["weight_norm"][:] = 0.01
    began = np.sqrt(2 * 4 * 3 * 0.5**2)
    said = f"norm of the weights: {began:.3g} at the start, 0.0141 at iteration 400"
    assert decay_too_strong(record, []).evidence[0] == said
    for start in record.facts["parameters"].values():
        start["std"] = None  # written when the run went on
    said = "norm of the weights: 0.0141 at iteration 400"
    assert decay_too_strong(record, []).evidence[0] == said


def test_the_first_update_is_not_known_of_a_later_one():
    assert better_rate(recorded(START, first=0.2), larger=False) == "lr: about 0.005 instead of 0.1"
    assert better_rate(recorded(LATER, first=0.2), larger=False) == "lr: about 0.01 instead of 0.1"


@pytest.mark.parametrize("at", [START, LATER])
def test_what_grew_with_depth_at_first(at):
    record = recorded(at)
    names, sizes = ("a", "b", "c", "d"), (1.0, 30.0, 900.0, 27000.0)
    of_one = record.parameters["a.W"]
    record.facts["parameters"] = {f"{n}.W": record.facts["parameters"]["a.W"] for n in names}
    record.parameters = {f"{n}.W": of_one for n in names}
    record.layers = {
        n: Series(n, "Affine", at, {"std": at * 0 + s, "gradient_norm": at * 0})
        for n, s in zip(names, sizes, strict=True)
    }
    assert (exploding(record, []) is not None) == (at is START)
