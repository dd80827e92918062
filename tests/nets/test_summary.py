"""A net as a table."""

import numpy as np
import pytest

from lamina.layers import (
    Affine,
    BatchNormalization,
    Convolution,
    Embedding,
    Flatten,
    Relu,
    ShapeError,
    SoftmaxWithLoss,
)
from lamina.nets import Graph, Head, Node, Sequential, TwoLayerNet, summary
from lamina.nets.summary import summary_rows


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def small_net(rng):
    layers = {"affine1": Affine(5, 4, rng=rng), "relu1": Relu(), "affine2": Affine(4, 3, rng=rng)}
    return Sequential(layers, loss=SoftmaxWithLoss())


def nested_net(rng):
    inner = Sequential({"norm": BatchNormalization(600), "relu": Relu()})
    block = Sequential({"affine": Affine(1200, 600, rng=rng), "inner": inner})
    return Sequential(
        {
            "conv": Convolution(1, 3, 3, padding=1, rng=rng),
            "flatten": Flatten(),
            "block": block,
            "last": Affine(600, 10, rng=rng),
        },
        loss=SoftmaxWithLoss(),
    )


# conv 3 · 9 + 3; affine 1200 · 600 + 600; norm 2 · 600; last 6,000 + 10.
NESTED_COUNTS = {
    "conv": "30",
    "flatten": "-",
    "block": "721,800",
    "  affine": "720,600",
    "  inner": "1,200",
    "    norm": "1,200",
    "    relu": "-",
    "last": "6,010",
}


def table(text):
    """{layer, with its indentation: [type, shape, count]} of the lines between the rules."""
    lines = text.split("\n")
    rows = lines[2:-2]
    places = [lines[0].index(word) for word in ("type", "output shape")]
    cells = {}
    for row in rows:
        shape, _, count = row[places[1] :].rpartition("  ")
        cells[row[: places[0]].rstrip()] = [
            row[places[0] : places[1]].strip(),
            shape.strip(),
            count,
        ]
    return cells


def test_a_small_net_by_hand(rng):
    expected = """\
layer    type             output shape  parameters
--------------------------------------------------
(X)                       5
affine1  Affine           4                     24
relu1    Relu             4                      -
affine2  Affine           3                     15
(loss)   SoftmaxWithLoss  ()                     -
--------------------------------------------------
39 parameters to learn"""
    assert small_net(rng).summary((5,)) == expected
    assert summary(small_net(rng), (5,)) == expected


def test_the_columns_are_aligned(rng):
    lines = nested_net(rng).summary((1, 20, 20)).split("\n")
    head, rule, rows = lines[0], lines[1], lines[2:-2]
    assert set(rule) == {"-"}
    assert lines[-2] == rule
    assert len(head) == len(rule)
    for word in ("type", "output shape"):
        place = head.index(word)
        assert {row[place - 2 : place] for row in rows} == {"  "}
        assert sum(row[place] != " " for row in rows) >= len(rows) - 1
    assert {len(row) for row in rows[1:]} == {len(head)}
    assert all(line == line.rstrip() for line in lines)


def test_nested_nets_are_indented_by_depth(rng):
    cells = table(nested_net(rng).summary((1, 20, 20)))
    assert list(cells) == ["(X)", *NESTED_COUNTS, "(loss)"]
    assert cells["block"][0] == cells["  inner"][0] == "Sequential"
    assert cells["    norm"][0] == "BatchNormalization"


def test_shapes_are_those_of_one_sample(rng):
    cells = table(nested_net(rng).summary((1, 20, 20)))
    assert cells["conv"][1] == "3 x 20 x 20"
    inside = ("flatten", "block", "  affine", "  inner", "    norm", "    relu")
    assert [cells[name][1] for name in inside] == ["1200", *["600"] * 5]
    assert cells["last"][1] == "10"
    assert cells["(loss)"][1] == "()"
    assert "(X)" in cells
    assert nested_net(rng).summary((1, 20, 20)).split("\n")[2].split() == [
        *("(X)", "1", "x", "20", "x", "20")
    ]


def test_counts_and_their_sum_are_the_true_numbers(rng):
    net = nested_net(rng)
    text = net.summary((1, 20, 20))
    cells = table(text)
    assert {name: cells[name][2].strip() for name in NESTED_COUNTS} == NESTED_COUNTS
    total = sum(param.data.size for param in net.parameters().values())
    assert total == 30 + 721_800 + 6_010
    assert text.split("\n")[-1] == "727,840 parameters to learn"


def test_frozen_parameters_are_not_to_learn(rng):
    net = small_net(rng)
    net.layers["affine1"].W.trainable = False
    assert net.summary((5,)).split("\n")[-1] == "19 parameters to learn, 20 frozen"
    for param in net.parameters().values():
        param.trainable = False
    assert net.summary((5,)).split("\n")[-1] == "0 parameters to learn, 39 frozen"


def test_what_has_a_rate_of_0_is_not_to_learn(rng):
    net = small_net(rng)
    net.layers["affine1"].W.lr_mult = 0.0
    assert net.summary((5,)).split("\n")[-1] == "19 parameters to learn, 20 frozen"
    assert "19 parameters to learn, 20 frozen" in str(net)
    assert "frozen, lr_mult 0" in str(net.layers["affine1"].W)


def test_shared_parameters_are_learned_once(rng):
    shared = Affine(4, 4, rng=rng)
    net = Sequential({"first": shared, "second": shared})
    said = "20 parameters to learn; 20 more are shared, and stand there again"
    assert net.summary((4,)).split("\n")[-1] == said


def test_a_net_without_a_loss_has_no_line_for_it(rng):
    text = Sequential({"affine": Affine(5, 4, rng=rng)}).summary((5,))
    assert list(table(text)) == ["(X)", "affine"]


def test_running_statistics_are_not_learned():
    net = Sequential({"norm": BatchNormalization(7)})
    assert net.summary((7,)).split("\n")[-1] == "14 parameters to learn"


def test_a_two_layer_net():
    text = TwoLayerNet(784, 50, 10, rng=0).summary((784,))
    assert list(table(text)) == ["(X)", "Affine1", "Relu", "Affine2", "(loss)"]
    assert text.split("\n")[-1] == "39,760 parameters to learn"


def test_without_shapes_there_is_no_column_of_them(rng):
    expected = """\
layer    type             parameters
------------------------------------
(X)
affine1  Affine                   24
relu1    Relu                      -
affine2  Affine                   15
(loss)   SoftmaxWithLoss           -
------------------------------------
39 parameters to learn"""
    assert small_net(rng).summary() == expected
    lines = nested_net(rng).summary().split("\n")
    assert [line.split()[0] for line in lines[2:-2]] == [
        *("(X)", "conv", "flatten", "block", "affine", "inner", "norm", "relu", "last", "(loss)")
    ]


def test_a_graph_says_what_its_layers_and_losses_read():
    net = Graph(
        {"a": Affine(4, 3, rng=0), "b": Node(Affine(4, 3, rng=1), "X"), "c": Relu()},
        outputs=["a", "c"],
        losses={"first": SoftmaxWithLoss(), "second": Head(SoftmaxWithLoss(), "c")},
    )
    for text in (net.summary(), net.summary((4,))):
        reads = text.split("\n")[0].index("reads")
        said = {line.split()[0]: line[reads:].split("  ")[0] for line in text.split("\n")[2:-2]}
        assert said["(first)"] == "a"
        assert said["(second)"] == "c"
        assert said["b"] == "X_copy.1"
        assert said["c"] == ""
    plain = Graph({"a": Affine(4, 3, rng=0)}, losses=SoftmaxWithLoss())
    assert "reads" not in plain.summary((4,))


def test_too_many_shapes_are_refused(rng):
    with pytest.raises(TypeError, match=r"expects the shape of a sample of X; got \(5,\), \(5,\)"):
        small_net(rng).summary((5,), (5,))


def test_shapes_that_do_not_fit_name_both_layers(rng):
    net = Sequential({"affine1": Affine(5, 4, rng=rng), "affine2": Affine(50, 3, rng=rng)})
    words = r"affine2 \(Affine\): expects \(..., 50\), got \(4,\) from affine1 \(Affine\)"
    with pytest.raises(ShapeError, match=f"^{words}$"):
        net.summary((5,))
    with pytest.raises(ShapeError, match=r"^affine1 \(Affine\): expects \(..., 5\), got \(7,\)$"):
        net.summary((7,))
    outer = Sequential({"first": Affine(6, 5, rng=rng), "block": net})
    with pytest.raises(ShapeError, match=rf"^block\.{words}$"):
        outer.summary((6,))
    outer = Sequential({"first": Affine(6, 9, rng=rng), "block": net})
    with pytest.raises(ShapeError, match=r"block\.affine1 .*got \(9,\) from first \(Affine\)$"):
        outer.summary((6,))


def test_what_is_shared_stands_at_each_place_and_is_said():
    """An Embedding and an Affine of one table, as in text_gpt, and one layer at two places."""
    words = Embedding(7, 4, rng=0)
    scores = Affine(4, 7, tied=words.W, rng=0)
    twice = Affine(4, 4, rng=0)
    net = Sequential({"words": words, "a": twice, "b": twice, "scores": scores})
    *rows, said = summary_rows(net)
    column = sum(int(cells[-1].replace(",", "")) for cells in rows[1:] if cells[-1].isdigit())
    learned, again = 28 + 20 + 7, 28 + 20
    assert column == learned + again
    assert said == f"{learned} parameters to learn; {again} more are shared, and stand there again"


def test_what_is_shared_in_a_net_in_the_net_is_said_too(rng):
    twice = Affine(4, 4, rng=rng)
    inner = Sequential({"a": twice, "b": twice})
    net = Sequential({"block": inner, "scores": Affine(4, 3, rng=rng)})
    *rows, said = summary_rows(net)
    assert [cells[-1] for cells in rows[1:] if "block" in cells[0]] == ["20"]
    assert said == "35 parameters to learn; 20 more are shared, and stand there again"
    assert repr(net).endswith(said)
