"""The numbers in what the doctor says and draws, of a run that is made up."""

import json

import numpy as np
import pytest

from lamina.diagnosis.causes.inputs import not_normalised
from lamina.diagnosis.causes.rate_too_high import rate_too_high
from lamina.diagnosis.picture import plot_health
from lamina.diagnosis.record import read_record
from lamina.diagnosis.report import figures

PARAMETERS = (("a.W", 2.0, 0.1, 0.5), ("b.W", 4.0, 0.2, 0.02), ("(all)", 5.0, 0.3, 0.1))


def layers_at(iteration, std):
    """Cells of layers.csv: the input, and a ReLU and a Sigmoid of which more and more is dead."""
    dead, saturated = 0.02 * iteration, 0.01 * iteration
    rows = [("(input)", "input", 0, std, "", "", "", ""), ("r1", "Relu", 1, 2, 0, 0.5, dead, "")]
    rows.append(("r2", "Relu", 1, 3, 0, 0.25, dead / 2, ""))
    rows.append(("s", "Sigmoid", 1, 4, 0, 0.125, "", saturated))
    return [",".join(map(str, (iteration, *row))) for row in rows]


@pytest.fixture
def record(tmp_path):
    """100 iterations: the loss 10, 9.9, ..., 0.1, a rate that falls, two layers of weights."""

    def made(std=1.0):
        iterations = (1, 10)
        (tmp_path / "config.yaml").write_text("optimizer: {type: SGD, lr: 100.0}\n")
        loss = [f"{i},{10.1 - 0.1 * i:.1f}" for i in range(1, 101)]
        header = "layer,type,mean,std,gradient_mean,gradient_std,dead,saturated"
        layers = [row for i in iterations for row in layers_at(i, std)]
        parameters = [
            f"{i},{name},{w * i},{g * i},{ratio / i}"
            for i in iterations
            for name, w, g, ratio in PARAMETERS
        ]
        evaluations = ["50,1,2,0.25,0.2,100.0", "100,2,1,0.5,0.375,1.0"]
        for name, lines in (
            ("loss", ["iteration,loss", *loss]),
            ("history", ["iteration,epoch,loss,train_accuracy,test_accuracy,lr", *evaluations]),
            ("layers", [f"iteration,{header}", *layers]),
            (
                "parameters",
                ["iteration,parameter,weight_norm,gradient_norm,update_ratio", *parameters],
            ),
        ):
            (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n")
        shape = {"shape": [3, 3], "mean": 0.0, "std": 1.0, "learns": True}
        facts = {"parameters": {"a.W": shape, "b.W": shape}}
        (tmp_path / "facts.json").write_text(json.dumps(facts))
        return read_record(tmp_path)

    return made


def test_the_key_figures(record):
    assert dict(figures(record())) == {
        "iterations": "100",
        "loss": "10 at the start, 0.55 at the end",  # the mean of the last tenth
        "accuracy": "train 50.0 %, test 37.5 %",
        "update/weight": "0.011 (b.W) to 0.28 (a.W), medians; rule of thumb 0.001",
        "gradient norm": "0.3 at the start, 3 at iteration 10, largest recorded 3",
        "ReLUs at 0": "20.0 % at iteration 10 in r1, the most of all, for a whole batch",
        "saturated": "10.0 % at iteration 10 in s",
    }


def test_the_rate_is_the_highest_one_and_a_better_one_is_proposed(record):
    made = record()
    assert made.lr == 100.0
    made.loss["loss"][-10:] = 20.0  # lost
    finding = rate_too_high(made, [])
    # The first update of a.W was half of its weights: 1e-2 of them takes a fiftieth.
    assert finding.remedies[0] == "a smaller rate: lr: about 2 instead of 100"
    assert finding.evidence[0] == (
        "the update of a.W was 0.5 times its weights at iteration 1; rule of thumb: 0.001"
    )


@pytest.mark.parametrize(("std", "size"), [(50.0, "as large"), (1e-4, "as small")])
def test_inputs_too_large_or_too_small(record, std, size):
    finding = not_normalised(record(std), [])
    assert f"does to their outputs is {size}: " in finding.meaning
    assert f"deviation {std:.3g}" in finding.evidence[0]
    assert not_normalised(record(1.0), []) is None


def test_what_is_drawn(record, drawn, tmp_path):
    plot_health(tmp_path / "health.png", record())
    by_title = {axes.get_title(): axes for axes in drawn[0].axes if axes.get_title()}
    columns = {
        "spread of outputs": [[1, 1], [2, 2], [3, 3], [4, 4]],
        "spread of gradients": [[np.nan] * 2, [0.5] * 2, [0.25] * 2, [0.125] * 2],
        "dead ReLUs and saturated units": [*([np.nan] * 2, [0.02, 0.2], [0.01, 0.1], [0.01, 0.1])],
    }
    for title, expected in columns.items():
        (mesh,) = by_title[title].collections
        values = np.ma.filled(mesh.get_array().reshape(4, 2).astype(float), np.nan)
        np.testing.assert_allclose(values, expected, err_msg=title)
    for title, column in (("gradient norm of the weights", 2), ("update / weight", 3)):
        first, second, *_ = by_title[title].lines
        for line, row in ((first, PARAMETERS[0]), (second, PARAMETERS[1])):
            assert line.get_xdata().tolist() == [1, 10]
            scale = 10 if column == 2 else 0.1
            np.testing.assert_allclose(line.get_ydata(), [row[column], scale * row[column]])
    (right,) = [axes for axes in drawn[0].axes if len(axes.lines) == 2 and not axes.get_title()]
    assert [line.get_ydata().tolist() for line in right.lines] == [[25, 50], [20, 37.5]]
    assert [line.get_linestyle() for line in right.lines] == [":", "-"]
