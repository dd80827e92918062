"""Pictures of nets: what they say is the net's, nothing lies on anything else, and it fits."""

import itertools
import random
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import drawn_picture as drawn
import numpy as np
import pytest
from some_nets import NETS

from lamina.common.fonts import text_width
from lamina.experiment.build import build_dataset, build_net
from lamina.experiment.config import load_config
from lamina.layers import (
    Addition,
    Affine,
    AveragePooling,
    Convolution,
    Copy,
    Dropout,
    Relu,
    Scale,
    ShapeError,
    Slice,
    SoftmaxWithLoss,
    Transpose,
)
from lamina.layers.base import Layer
from lamina.nets import Graph, Head, LeNet, Net, Node, ResidualNet, Sequential
from lamina.nets.picture import PAGES, NetPicture
from lamina.nets.picture.pieces import OUTSIDE, Frame, boxes_of, pieces_of
from lamina.nets.picture.shapes import COLOURS, Dot, Line, Text
from lamina.nets.picture.words import more_of, names, of_parameters, series
from lamina.nets.summary import total_in_words

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
NAMES = [*NETS, *(path.stem for path in CONFIGS), *(f"random {i}" for i in range(12))]
VIEWS = [None, *PAGES]


def made(name):
    """(net, the shapes of a sample of each of its inputs)."""
    if name.startswith("random"):
        return random_graph(int(name.split()[1])), ()
    if name in NETS:
        make, X = NETS[name]
        return make(), [x.shape[1:] for x in (X if isinstance(X, tuple) else (X,))]
    config = load_config(f"configs/{name}.yaml")
    config.data["net"].pop("weights", None)  # those of another run
    dataset = build_dataset(config)
    net = build_net(config, dataset, np.random.default_rng(0))
    if len(net.inputs) == 1:
        return net, [dataset.input_shape]
    return net, [x.shape[1:] for x in dataset.train[:1][0]]


def random_graph(seed):
    """Layers that read what stands shortly before them, mostly; sometimes in two, or with a loss
    in the middle."""
    r = random.Random(seed)
    inputs = ["X"] if r.random() < 0.6 else ["A", "B"]
    blobs, given, read, layers = list(inputs), [], set(), {}
    for i in range(r.randint(4, 14)):
        near = blobs[-4:] if r.random() < 0.8 else blobs
        sources = [r.choice(near) for _ in range(r.choice([1, 1, 1, 2, 2, 3]))]
        sources[0] = inputs[i] if i < len(inputs) else sources[0]
        layer, n = Addition() if len(sources) > 1 else Relu(), 1
        if len(sources) == 1 and r.random() < 0.3:
            layer, n = r.choice([(Affine(4, 4, rng=0), 1), (Slice(1, (2, 2)), 2)])
        layers[f"n{i}"] = Node(layer, sources, n)
        read |= set(sources)
        given += layers[f"n{i}"].blobs(f"n{i}")
        blobs += layers[f"n{i}"].blobs(f"n{i}")
    outputs = [blob for blob in given if blob not in read] or given[-1:]
    losses = {"loss": Head(SoftmaxWithLoss())}
    if r.random() < 0.4:
        losses["aux"] = Head(SoftmaxWithLoss(), r.choice(given), weight=0.5)
    return Graph(layers, inputs, outputs, losses if r.random() < 0.8 else None)


@pytest.fixture(scope="module", params=NAMES)
def views(request):
    net, shapes = made(request.param)
    return net, [NetPicture(net, *shapes, title=request.param, page=page) for page in VIEWS]


@pytest.mark.often(2)
def test_nothing_lies_on_anything_else(views):
    for picture in views[1]:
        boxes, frames = drawn.boxes(picture), drawn.frames(picture)
        texts, stretches = drawn.of(picture, Text), drawn.stretches(picture)
        for a, b in itertools.combinations(boxes, 2):
            assert not drawn.meet(a, b, apart=10), (a.said, b.said)
        for stretch in stretches:
            for thing in boxes + texts:
                assert not drawn.meet(stretch, thing), (stretch, thing)
        for a, b in itertools.combinations(texts, 2):
            assert not drawn.meet(a, b), (a.text, b.text)
        for inner, outer in itertools.product(texts + boxes, boxes + frames):
            if inner is not outer and drawn.meet(inner, outer):
                assert drawn.is_in(inner, outer), (inner, outer.said)
        for a, b in itertools.combinations(frames, 2):
            assert not drawn.meet(a, b) or drawn.is_in(a, b) or drawn.is_in(b, a)
        for a, b in itertools.combinations(stretches, 2):
            assert not drawn.overlap(a, b), (a, b)


@pytest.mark.often(2)
def test_it_fits_its_page(views):
    for page, picture in zip(VIEWS, views[1], strict=True):
        layout = picture.layout
        if page is not None:
            assert (layout.width, layout.height) == PAGES[page]
        drawable = [*drawn.boxes(picture), *drawn.frames(picture), *drawn.stretches(picture)]
        for shape in [*drawable, *drawn.of(picture, Text)]:
            left, top, right, bottom = (layout.scale * side for side in drawn.room_of(shape))
            assert layout.offset[0] + left >= 0
            assert layout.offset[1] + top >= 0
            assert layout.offset[0] + right <= layout.width
            assert layout.offset[1] + bottom <= layout.height


@pytest.mark.often(2)
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", [path.stem for path in CONFIGS])
def test_letters_of_every_configuration_have_nine_points(name, page):
    net, shapes = made(name)
    picture = NetPicture(net, *shapes, page=page)
    sizes = [text.size * picture.layout.scale * 72 / 96 for text in drawn.of(picture, Text)]
    assert min(sizes) >= 9
    assert picture.layout.points == pytest.approx(min(sizes))


def sources_of(net):
    """{(net path, blob): name of the layer, input or blob's place it comes from}, Copies passed."""
    came = {name: name for name in net.inputs}
    found = []
    for step in net.steps():
        if isinstance(step.layer, Copy):
            came |= dict.fromkeys(step.writes, came[step.reads[0]])
            continue
        found += [(came[blob], step.name) for blob in step.reads]
        came |= dict.fromkeys(step.writes, step.name)
    read = {source for source, _ in found}
    found += [(came[head.input or net.outputs[0]], name) for name, head in net.heads.items()]
    heads = {came[head.input or net.outputs[0]] for head in net.heads.values()}
    return found, [came[b] for b in net.outputs if came[b] not in read | heads]


FLAT = [name for name in NAMES if name not in ("siamese", "graphs in a graph", "shared in part")]


@pytest.mark.often(2)
@pytest.mark.parametrize("name", FLAT)
def test_arrows_lead_where_the_net_says(name):
    net, shapes = made(name)
    folded = any(isinstance(p, Frame) for p in pieces_of(NetPicture(net, *shapes).items))
    expected, outputs = sources_of(net)
    for page in VIEWS:
        picture = NetPicture(net, *shapes, page=page)
        pairs = [
            tuple(said and said.split(":")[0] for said in arrow) for arrow in drawn.arrows(picture)
        ]
        if folded:
            expected_here = Counter(arrows_of_pieces(pieces_of(picture.items)))
            assert Counter(pair for pair in pairs if None not in pair) == expected_here
            continue
        assert Counter(pair for pair in pairs if None not in pair) == Counter(expected)
        out = [source for source, target in pairs if target is None]
        assert set(outputs) <= set(out)


def arrows_of_pieces(pieces):
    """[(names in a box, names in the box that its arrow leads to)] of a folded chain."""
    found = []

    def walk(pieces, came):
        for piece in pieces:
            if isinstance(piece, Frame):
                came = walk(piece.pieces, came)
                continue
            texts = [names_in(box) for box in piece.boxes]
            for box, text in zip(piece.boxes, texts, strict=True):
                found.extend(
                    (came if source == OUTSIDE else texts[source], text) for source, _ in box.reads
                )
            if piece.gives is not None and piece.gives[0] != OUTSIDE:
                came = texts[piece.gives[0]]
        return came

    walk(pieces, None)
    return found


def names_in(box):
    from lamina.nets.picture.box import Form, Style, labels

    return labels(box, Style(Form.USUAL)).said.split(":")[0]


def unfolded(text):
    """block{2,3}_conv -> block2_conv, block3_conv."""
    if found := re.fullmatch(r"(.*)\{(.*)\}(.*)", text):
        start, listed, end = found.groups()
        return [f"{start}{one}{end}" for one in listed.split(",")]
    return text.split(", ")


@pytest.mark.often(2)
def test_every_layer_stands_there_once_and_its_parameters_add_up(views):
    net, pictures = views
    expected = [item.name for item in pictures[0].items]
    learned = sum(p.data.size for p in net.parameters().values())
    for picture in pictures:
        names, total = [], 0
        by_said = {names_in(box): box for box in boxes_of(pieces_of(picture.items))}
        for rectangle in drawn.boxes(picture):
            listed = unfolded(rectangle.said.split(": ")[0])
            names += listed
            texts = [t.text for t in drawn.of(picture, Text) if drawn.is_in(t, rectangle)]
            numbers = [
                t
                for t in texts
                if re.fullmatch(r"[\d,]+( frozen)?(( \| | \+ )[\d,]+( frozen)?)*", t)
            ]
            for text in numbers[:1]:
                repeats = [
                    sum(int(n.replace(",", "")) for n in re.findall(r"[\d,]+", part))
                    for part in text.split(" | ")
                ]
                total += sum(repeats) * len(listed) // len(repeats)
        assert names == [name for name in names if name]
        assert Counter(names) == Counter(expected)
        assert total == learned
        assert by_said


def test_shapes_stand_where_they_change():
    picture = NetPicture(LeNet(rng=0), (1, 28, 28))
    below = [t.text for t in drawn.of(picture, Text) if "×" in t.text or t.text.isdigit()]
    shapes = ["1 × 28 × 28", "20 × 24 × 24", "20 × 12 × 12", "50 × 8 × 8", "50 × 4 × 4"]
    for shape in [*shapes, "800", "500", "10"]:
        assert below.count(shape) == 1
    said = [box.said for box in drawn.boxes(picture)]
    assert "relu1: Relu, gives 500" in said
    assert "affine1: Affine 800 → 500, 400,500 parameters, gives 500" in said
    assert "conv2: Convolution 20 → 50, 5 × 5, 25,050 parameters, gives 50 × 8 × 8" in said


def test_boxes_are_as_wide_as_their_texts_need_in_the_font_that_is_drawn():
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    picture = NetPicture(LeNet(rng=0), (1, 28, 28))
    figure = picture.figure()
    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(96 * 8)
    renderer = canvas.get_renderer()
    texts = drawn.of(picture, Text)
    for shown, text in zip(figure.axes[0].texts, texts, strict=True):
        width = shown.get_window_extent(renderer).width / 8
        assert width == pytest.approx(text_width(text.text, text.size, text.bold), abs=1.0)


def test_widths_of_letters_that_the_font_lacks():
    assert text_width("한글", 10) == 20  # squares
    assert text_width("aé", 10) == pytest.approx(text_width("a", 10) + text_width("é", 10), abs=0.5)


# --------------------------------------------------------------------------------------------------


def mlp(*sizes):
    layers = {}
    for i, (a, b) in enumerate(itertools.pairwise(sizes), 1):
        layers |= {f"affine{i}": Affine(a, b, rng=0), f"relu{i}": Relu()}
    return Sequential(layers, SoftmaxWithLoss())


def kinds(pieces):
    """What the chain is made of: names of boxes, and frames as (count, differs, pieces)."""
    return [
        (p.count, p.differs, kinds(p.pieces))
        if isinstance(p, Frame)
        else [names_in(box) for box in p.boxes]
        for p in pieces
    ]


def test_layers_that_are_alike_are_drawn_once():
    chain = kinds(pieces_of(NetPicture(mlp(4, 8, 8, 8, 8, 3), (4,)).items))
    assert chain[:3] == [["X"], ["affine1"], ["relu1"]]
    assert chain[3] == (3, False, [["affine{2,3,4}"], ["relu{2,3,4}"]])
    assert chain[4:] == [["affine5"], ["relu5"], ["loss"]]


def test_a_chain_whose_sizes_differ_is_not_folded():
    assert not any(
        isinstance(p, tuple) for p in kinds(pieces_of(NetPicture(mlp(9, 8, 7, 6)).items))
    )


def test_residual_blocks_of_other_sizes_are_drawn_once_with_what_differs():
    net = ResidualNet((1, 28, 28), widths=(4, 8, 16), blocks=3, rng=0)
    picture = NetPicture(net, (1, 28, 28))
    (first, stages) = [p for p in kinds(pieces_of(picture.items)) if isinstance(p, tuple)]
    assert first[:2] == (3, False)
    assert stages[:2] == (2, True)
    assert [p[:2] for p in stages[2] if isinstance(p, tuple)] == [(2, False)]
    texts = [text.text for text in drawn.of(picture, Text)]
    assert "2 × (first | second)" in texts
    assert {"288 | 1,152", "8 × 14 × 14", "16 × 7 × 7"} <= set(texts)


def test_many_repeats_are_shown_by_the_first_and_the_last():
    said = [box.said for box in drawn.boxes(NetPicture(mlp(4, *[8] * 21, 3), (4,)))]
    assert any(text.startswith("affine{2…21}: Affine 8 → 8") for text in said)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["5", "5", "5", "5"], "5"),
        (["", ""], ""),
        (["1", "2"], "1 | 2"),
        (["1", "2", "2"], "1 | 2 | 2"),  # by the place: first, second, third
        (["1", "1", "2", "3"], "1 … 3"),
        (["584", "1,608", "808", "584"], "584 … 1,608 … 584"),  # not 584 all through
    ],
)
def test_what_repeats_have_is_said_by_their_order(texts, said):
    assert series(texts) == said


def test_names_of_repeats_are_written_as_one():
    assert names(["a10_b", "a11_b"]) == "a{10,11}_b"
    assert names(["left", "right"]) == "left, right"
    assert names(["encoder", "decoder"]) == "encoder, decoder"
    assert names(["stem_relu", "block1_1_relu"]) == "{stem,block1_1}_relu"
    assert names(["one", "one"]) == "one"
    assert names([f"n{i}" for i in range(1, 13)]) == "n{1…12}"


def nested(repeats=3, **more):
    block = {
        f"block{i}": Sequential(
            {"affine": Affine(6, 6, rng=0), "relu": Relu(), "drop": Dropout(rng=0)}
        )
        for i in range(repeats)
    }
    return Sequential({"first": Affine(4, 6, rng=0), **block, **more, "last": Affine(6, 3, rng=0)})


def test_nets_in_the_net_are_framed_and_folded():
    picture = NetPicture(nested(), (4,))
    chain = kinds(pieces_of(picture.items))
    inner = [[f"block{{0,1,2}}.{name}"] for name in ("affine", "relu", "drop")]
    assert chain == [["X"], ["first"], (3, False, inner), ["last"]]
    assert [frame.said for frame in drawn.frames(picture)] == ["3 × block{0,1,2} (Sequential)"]
    inner = Sequential({"a": Relu(), "b": Dropout(rng=0)})
    alone = NetPicture(Sequential({"first": Affine(4, 6, rng=0), "end": inner}), (4,))
    assert [frame.said for frame in drawn.frames(alone)] == ["end (Sequential)"]


def test_nets_in_the_net_become_a_box_where_a_page_is_too_small():
    inner = Sequential({f"a{i}": Affine(4 + i, 5 + i, rng=0) for i in range(200)})
    net = Sequential({"in": Affine(3, 4, rng=0), "deep": inner, "more": Affine(204, 2, rng=0)})
    picture = NetPicture(net, (3,), page="16:9")
    said = [box.said for box in drawn.boxes(picture)]
    total = sum(p.data.size for p in inner.parameters().values())
    assert f"deep: Sequential, 200 layers, {total:,} parameters, gives 204" in said
    assert len(said) == 4
    assert picture.layout.points >= 9


def test_a_weight_that_two_layers_share_counts_once():
    shared = Affine(4, 4, rng=0)
    net = Sequential({"one": shared, "relu": Relu(), "two": shared})
    picture = NetPicture(net, (4,))
    assert picture.total == "20 parameters to learn"
    assert "two: Affine 4 → 4, shares with one, gives 4" in [b.said for b in drawn.boxes(picture)]


def test_frozen_parameters_are_said():
    net = Sequential({"one": Affine(4, 3, rng=0), "two": Affine(3, 2, rng=0)})
    net.layers["one"].W.trainable = False
    assert NetPicture(net, (4,)).total == "11 parameters to learn, 12 frozen"
    assert any("3 + 12 frozen" in box.said for box in drawn.boxes(NetPicture(net, (4,))))


def test_losses_in_the_middle_stand_beside_what_follows():
    net = Graph(
        {"one": Affine(4, 3, rng=0), "two": Affine(3, 3, rng=0)},
        losses={"main": Head(SoftmaxWithLoss()), "aux": Head(SoftmaxWithLoss(), "one", "t2", 0.3)},
    )
    picture = NetPicture(net, (4,))
    (aux,) = [box for box in drawn.boxes(picture) if box.said.startswith("aux")]
    (two,) = [box for box in drawn.boxes(picture) if box.said.startswith("two")]
    assert aux.y == two.y
    assert aux.said == "aux: SoftmaxWithLoss, weight 0.3, targets t2"


def test_hostile_names_stay_text(tmp_path):
    name = "<script>alert(1)</script>&\"'\x1b[2J"
    net = Sequential({name: Affine(2, 2, rng=0), "$x_1$": Relu()})
    picture = NetPicture(net, (2,), title=name)
    tree = ElementTree.fromstring(picture.svg)
    tags = {element.tag.partition("}")[2] for element in tree.iter()}
    assert tags <= {"svg", "title", "desc", "rect", "g", "path", "polygon", "circle", "text"}
    assert "\x1b" not in picture.svg
    picture.save(tmp_path / "net.png")
    picture.save(tmp_path / "net.dot")
    assert "\x1b" not in (tmp_path / "net.dot").read_text(encoding="utf-8")


def test_a_long_name_is_shortened_in_the_box_and_whole_for_a_pointer():
    net = Sequential({"a" * 300: Affine(2, 2, rng=0)})
    picture = NetPicture(net, (2,), page="a4")
    (box,) = [box for box in drawn.boxes(picture) if box.kind == "learns"]
    assert box.said.startswith("a" * 300)
    assert all(drawn.is_in(t, box) for t in drawn.of(picture, Text) if "…" in t.text)
    assert box.width < 400


def test_svg_says_what_it_shows():
    tree = ElementTree.fromstring(NetPicture(LeNet(rng=0), (1, 28, 28), page="a4").svg)
    space = "{http://www.w3.org/2000/svg}"
    assert tree.attrib["role"] == "img"
    assert (tree.attrib["width"], tree.attrib["height"]) == ("794", "1123")
    assert tree.find(f"{space}title").text == "LeNet"
    said = tree.find(f"{space}desc").text
    assert said.startswith("A net of 8 layers, 431,080 parameters to learn, from top to bottom: ")
    titles = [element.text for element in tree.iter(f"{space}title")]
    assert "pool1: MaxPooling, 2 × 2, gives 20 × 12 × 12" in titles


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_is_dark_enough_on_every_fill():
    """WCAG's 4.5 to 1 for text, 3 to 1 for borders on white."""
    from lamina.nets.picture.shapes import GREY, INK

    for kind, (fill, stroke) in COLOURS.items():
        ground = luminance("#ffffff" if kind == "frame" else fill)
        for colour in (INK, GREY):
            assert (ground + 0.05) / (luminance(colour) + 0.05) >= 4.5
        assert 1.05 / (luminance(stroke) + 0.05) >= 3


def test_a_notebook_shows_it_in_its_size():
    picture = ResidualNet(rng=0).picture((1, 28, 28), title="Mine")
    assert picture._repr_svg_() == picture.svg
    assert "<title>Mine</title>" in picture.svg
    assert picture.layout.width < 960


@pytest.mark.parametrize("suffix", ["svg", "png", "dot"])
def test_files(tmp_path, suffix):
    NetPicture(mlp(4, 3), (4,)).save(tmp_path / f"net.{suffix}")
    assert (tmp_path / f"net.{suffix}").stat().st_size > 400


def test_what_cannot_be_drawn_is_said(tmp_path):
    net = mlp(4, 3)
    with pytest.raises(ValueError, match=r"page: expects a4 or 16:9, got 'a3'"):
        NetPicture(net, (4,), page="a3")
    with pytest.raises(ValueError, match=r"must end in one of \.svg, \.png, \.dot"):
        NetPicture(net, (4,)).save(tmp_path / "net.html")
    with pytest.raises(ShapeError, match="affine1"):
        NetPicture(net, (5,))
    with pytest.raises(TypeError, match="expects the shape of a sample of X"):
        NetPicture(net, (4,), (4,))

    class Own(Net):
        layers = {"a": Relu()}  # noqa: RUF012

    with pytest.raises(ValueError, match="Own: does not say in which order its layers stand"):
        NetPicture(Own())


def test_a_layer_of_ones_own_is_drawn_by_its_arguments():
    class Gain(Layer):
        def __init__(self, factor, *, shift=0.0, table=None):
            self.factor = factor

        def forward(self, X):
            return X * self.factor

    picture = NetPicture(Sequential({"gain": Gain(2.5, shift=1, table=np.zeros(9))}), (4,))
    (box,) = [box for box in drawn.boxes(picture) if box.kind == "does"]
    assert box.said == "gain: Gain, factor 2.5, shift 1, …, gives 4"


def test_a_deep_net_takes_no_longer_than_it_must():
    """Columns and folds of a chain of 150 layers, none of which are alike."""
    layers = {f"a{i}": Affine(2 + i, 3 + i, rng=0) for i in range(150)}
    picture = NetPicture(Sequential(layers), (2,), page="a4")
    assert len(drawn.boxes(picture)) == 151
    assert not any(isinstance(shape, Dot) for shape in picture.layout.shapes)
    assert sum(line.tip for line in drawn.of(picture, Line)) == 151


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (Addition(coefficients=(0.5, 1.0)), "coefficients (0.5, 1)"),
        (Transpose(axes=(2, 1, 3)), "axes (2, 1, 3)"),
        (Slice(1, sizes=(2, 3, 4, 5, 6)), "axis 1, …"),
        (Convolution(1, 8, (3, 5), stride=(2, 1), rng=0), "3 × 5, stride 2 × 1"),
        (
            Convolution(1, 8, (3, 5), stride=(2, 1), padding=(1, 2), dilation=(1, 2), rng=0),
            "3 × 5, stride 2 × 1, padding 1 × 2, …",
        ),
        (AveragePooling(3, stride=2, partial=True), "kernel 3, stride 2, partial"),
    ],
)
def test_lists_are_no_products_and_what_has_no_room_is_said(layer, said):
    assert more_of(layer) == said


def test_one_parameter_is_no_plural():
    assert [of_parameters(n) for n in ("", "1", "1 frozen", "2", "1 + 20 frozen")] == [
        *("", "1 parameter", "1 frozen parameter", "2 parameters", "1 + 20 frozen parameters")
    ]
    net = Sequential({"scale": Scale((1,))})
    assert total_in_words(net) == "1 parameter to learn"
    assert NetPicture(net, (1,)).total == "1 parameter to learn"
