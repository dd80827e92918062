"""The training page: its engine beside Lamina's layers, its numbers, its controls, its layout."""

from collections import OrderedDict

import numpy as np
import pytest

from lamina.autodiff.draw.text import number
from lamina.commands.frame import main
from lamina.layers import Affine, Relu, Sigmoid, SoftmaxWithLoss, Tanh
from lamina.nets import Sequential
from lamina.optimizers import SGD
from lamina.play.training import SETS, engine, training_page

ACTIVATIONS = {"relu": Relu, "sigmoid": Sigmoid, "tanh": Tanh, "identity": None}
N, HIDDEN, CLASSES, STEPS = 60, 7, 3, 100
TRAIN = """({ X, t, weights, batches, settings }) => {
  const data = { classes: ["a", "b", "c"], train: { X: Matrix.from(X), t } };
  const training = new Training({ ...data, test: data.train }, settings);
  const parameters = training.net.parameters();
  for (const [name, rows] of Object.entries(weights)) parameters[name].data = Matrix.from(rows);
  const losses = batches.map((batch) => training.step(batch));
  const learned = Object.fromEntries(Object.entries(parameters).map(
    ([name, { data }]) => [name, Array.from(data.data)]));
  return { losses, learned, whole: training.evaluate("train") };
}"""
START = """(settings) => {
  const { weights } = settings, training = new Training(makeData("spirals", 0.1, 3), settings);
  for (let i = 0; i < 50; i++) training.step();
  return Object.values(training.net.parameters()).map(({ data }) => Array.from(data.data));
}"""
SETTINGS = {
    **{"hidden": 8, "activation": "relu", "initial": "he_normal", "seed": 1},
    **{"lr": 0.3, "batchSize": 7, "weightDecay": 0},
}


ALL = """(settings) => {
  const training = new Training(makeData("spirals", 0.1, 3), settings);
  training.step();
  settings.batchSize = Infinity; // as the slider does, while it trains
  return Array.from({ length: 3 }, () => training.nextBatch());
}"""


def net_of(activation: str, hidden: int, classes: int, rng) -> Sequential:
    layers = OrderedDict(Affine1=Affine(2, hidden, rng=rng, dtype=np.float64))
    if kind := ACTIVATIONS[activation]:
        layers["Activation"] = kind()
    layers["Affine2"] = Affine(hidden, classes, rng=rng, dtype=np.float64)
    return Sequential(layers, SoftmaxWithLoss())


def arrays_of(net) -> dict:
    """The learned arrays, as matrices, by the names of the page."""
    names = {"W1": "Affine1.W", "b1": "Affine1.b", "W2": "Affine2.W", "b2": "Affine2.b"}
    parameters = net.parameters()
    return {short: np.atleast_2d(parameters[name].data) for short, name in names.items()}


@pytest.fixture(scope="module")
def engine_page(browser):
    """The engine by itself, on an empty page."""
    page = browser.new_page()
    page.add_script_tag(content=engine())
    yield page
    page.close()


@pytest.fixture
def opened(opened_file, tmp_path):
    """opened(width, **of the context) gives the page of the spirals."""
    path = tmp_path / "spirals.html"

    def open_spirals(width: int = 1280, **context):
        assert main(["play", "--train", "spirals", "-o", str(path)]) == 0
        return opened_file(path, viewport={"width": width, "height": 800}, **context)

    return open_spirals


def set_slider(page, name: str, text: str) -> None:
    """Move a slider to the position whose value has that text."""
    page.evaluate(
        """([name, text]) => {
          const slider = document.getElementById(name);
          slider.value = SLIDERS[name].values.findIndex((value) => value.text === text);
          slider.dispatchEvent(new Event("input"));
        }""",
        [name, text],
    )
    assert page.inner_text(f"#{name}-value") == text


@pytest.mark.needs_browser
@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_hundred_steps_are_those_of_a_sequential(engine_page, activation, weight_decay):
    rng = np.random.default_rng(5)
    X, t = rng.uniform(-1, 1, (N, 2)), rng.integers(0, CLASSES, N)
    batches = [rng.choice(N, 10, replace=False) for _ in range(STEPS)]
    net = net_of(activation, HIDDEN, CLASSES, rng)
    weights = {name: array.tolist() for name, array in arrays_of(net).items()}
    optimizer = SGD(net.parameters(), lr=0.5, weight_decay=weight_decay)
    losses = []
    for batch in batches:
        losses.append(float(net.loss(X[batch], t[batch])))
        optimizer.zero_grad()
        net.backward()
        optimizer.step()
    settings = {"lr": 0.5, "weightDecay": weight_decay, "batchSize": 10, "hidden": HIDDEN}
    settings |= {"activation": activation, "initial": "zeros", "seed": 0}
    ours = engine_page.evaluate(
        TRAIN,
        {
            **{"X": X.tolist(), "t": t.tolist(), "weights": weights, "settings": settings},
            "batches": [batch.tolist() for batch in batches],
        },
    )
    np.testing.assert_allclose(ours["losses"], losses, rtol=0, atol=1e-10)
    for name, array in arrays_of(net).items():
        assert np.abs(array - weights[name]).max() > 0.01  # it has moved
        np.testing.assert_allclose(ours["learned"][name], array.ravel(), rtol=0, atol=1e-10)
    assert abs(ours["whole"]["loss"] - float(net.loss(X, t))) < 1e-10
    assert ours["whole"]["accuracy"] == np.mean(net.predict(X).argmax(axis=1) == t)


@pytest.mark.needs_browser
def test_scores_that_are_nan_are_right_for_nothing(engine_page):
    accuracies = engine_page.evaluate(
        """(settings) => {
          const training = new Training(makeData("spirals", 0.1, 3), settings);
          const before = training.evaluate("train").accuracy;
          training.net.affine2.b.data.data[1] = NaN; // one class of several
          const one = ["train", "test"].map((part) => training.evaluate(part).accuracy);
          training.net.affine1.W.data.data.fill(NaN);
          const all = ["train", "test"].map((part) => training.evaluate(part).accuracy);
          return [before, ...one, ...all];
        }""",
        SETTINGS,
    )
    assert accuracies[0] > 0
    assert accuracies[1:] == [0, 0, 0, 0]


@pytest.mark.needs_browser
def test_the_same_seed_gives_the_same_training(engine_page):
    first, again, other = (
        engine_page.evaluate(START, SETTINGS | {"seed": seed}) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


@pytest.mark.needs_browser
@pytest.mark.parametrize(
    ("initial", "deviations"),
    [
        ("he_normal", (1.0, (2 / 2000) ** 0.5)),
        ("xavier_normal", ((2 / 2002) ** 0.5, (2 / 2003) ** 0.5)),
        ("small", (0.01, 0.01)),
        ("zeros", (0.0, 0.0)),
    ],
)
def test_initial_weights_have_the_deviations_of_their_names(engine_page, initial, deviations):
    found = engine_page.evaluate(
        """(initial) => Object.values(
          new TwoLayerNet([2, 2000, 3], "relu", initial, new Random(0)).parameters()
        ).map(({ data }) => Array.from(data.data))""",
        initial,
    )
    W1, b1, W2, b2 = map(np.array, found)
    for W, deviation in zip((W1, W2), deviations, strict=True):
        assert abs(W.std() - deviation) <= 0.05 * deviation
        assert abs(W.mean()) <= 0.1 * deviation
    assert not b1.any()
    assert not b2.any()


@pytest.mark.needs_browser
def test_every_sample_comes_once_an_epoch_and_batches_are_of_one_size(engine_page):
    found = engine_page.evaluate(
        """(settings) => {
          const training = new Training(makeData("spirals", 0, 0), settings);
          return Array.from({ length: 300 }, () => training.nextBatch());
        }""",
        SETTINGS,
    )
    assert {len(batch) for batch in found} == {7}
    epochs = np.concatenate(found).reshape(7, 300)
    assert (np.sort(epochs) == np.arange(300)).all()
    assert (epochs[0] != epochs[1]).any()


@pytest.mark.needs_browser
def test_the_sets_of_the_page_are_those_of_the_command(engine_page):
    assert engine_page.evaluate("Object.keys(SETS)") == list(SETS)


@pytest.mark.needs_browser
@pytest.mark.parametrize("name", SETS)
def test_points_lie_in_the_plane_and_classes_are_balanced(engine_page, name):
    data = engine_page.evaluate(
        """(name) => {
          const { classes, train, test } = makeData(name, 0, 4);
          return { classes, parts: [train, test].map(({ X, t }) => [Array.from(X.data), t]) };
        }""",
        name,
    )
    (X, t), (X_test, t_test) = data["parts"]
    assert np.bincount(t).tolist() == [100] * len(data["classes"])
    assert np.bincount(t_test).tolist() == [50] * len(data["classes"])
    assert np.abs([*X, *X_test]).max() <= 1.3
    assert not {*map(tuple, np.reshape(X, (-1, 2)))} & {*map(tuple, np.reshape(X_test, (-1, 2)))}


@pytest.mark.needs_browser
@pytest.mark.parametrize("name", SETS)
def test_with_the_settings_of_the_page_every_set_is_learned(opened, name):
    page = opened()
    page.select_option("#set", name)
    accuracy = page.evaluate(
        """() => {
          for (let i = 0; i < 4000; i++) page.training.step();
          return page.training.evaluate("test").accuracy;
        }"""
    )
    assert accuracy >= 0.97


@pytest.mark.needs_browser
def test_numbers_are_written_as_in_the_stepping_page(opened):
    rng = np.random.default_rng(0)
    values = rng.standard_normal(300) * 10.0 ** rng.integers(-12, 12, 300)
    values = [0.0, 1.0, -1.0, 1e6, 1e-4, 9.9999e-5, 99999.0, 1234.6, 0.1, *values.tolist()]
    for digits in (3, 4):
        found = opened().evaluate(f"(values) => values.map((x) => number(x, {digits}))", values)
        assert found == [number(x, digits) for x in values]


READ = """() => ({
  title: document.querySelector(".steps h3").innerText,
  arrays: [...document.querySelectorAll(".steps [data-array]")].map((part) => [
    part.dataset.array, [...part.querySelectorAll(".number, td")].map((x) => x.textContent)]),
})"""


@pytest.mark.needs_browser
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_numbers_of_every_step_are_those_of_the_layers(opened, activation):
    """Through the net by keyboard; every array that is shown is computed again by Lamina."""
    page = opened()
    page.select_option("#activation", activation)
    page.evaluate("() => { for (let i = 0; i < 200; i++) page.training.step(); choose(17); }")
    given = page.evaluate(
        """() => ({
          x: Array.from(page.training.data.train.X.row(17)), t: page.training.data.train.t[17],
          weights: Object.fromEntries(Object.entries(page.training.net.parameters()).map(
            ([name, { data }]) => [name, Array.from(data.data)])),
        })"""
    )
    expected = expected_arrays(activation, given)
    page.focus("[data-go=next]")
    seen: set[str] = set()
    for k in range(11):
        found = page.evaluate(READ)
        for name, texts in found["arrays"]:
            array = expected[name[:-1]].T if name.endswith("ᵀ") else expected[name]
            assert texts == [number(x) for x in np.ravel(array)], (found["title"], name)
            seen.add(name.rstrip("ᵀ"))
        assert page.inner_text(".progress").startswith(f"Step {k} of 10")
        page.keyboard.press("ArrowRight")
    assert seen == set(expected)


def expected_arrays(activation: str, given: dict) -> dict:
    """All arrays of the page from Lamina's layers, for one sample."""
    shapes = {"W1": (2, 16), "b1": (16,), "W2": (16, 3), "b2": (3,)}
    W1, b1, W2, b2 = (np.reshape(given["weights"][name], shapes[name]) for name in shapes)
    one, two, loss = Affine.from_arrays(W1, b1), Affine.from_arrays(W2, b2), SoftmaxWithLoss()
    kind = ACTIVATIONS[activation]
    between = kind() if kind else None
    X, t = np.array([given["x"]]), np.array([given["t"]])
    Z = one.forward(X)
    Y = between.forward(Z) if between else Z
    scores = two.forward(Y)
    L = loss.forward(scores, t)
    dscores = loss.backward()
    dH = two.backward(dscores)
    dZ = between.backward(dH) if between else dH
    dX = one.backward(dZ)
    return {
        **{"X": X, "t": t, "Z": Z, "H": Y, "scores": scores, "p": loss.p, "L": L},
        **{"dscores": dscores, "dH": dH, "dZ": dZ, "dX": dX, "W1": W1, "b1": b1, "W2": W2},
        **{"b2": b2, "dW1": one.W.grad, "db1": one.b.grad, "dW2": two.W.grad, "db2": two.b.grad},
    }


@pytest.mark.needs_browser
def test_the_update_with_one_sample_lowers_its_loss(opened):
    page = opened()
    page.fill("#sample", "40")
    page.press("#sample", "Enter")
    read = """() => { const { L, W1, dW1 } = page.stepping.arrays;
      return { sample: page.sample, iteration: page.training.iteration, L,
        W1: Array.from(W1.data), dW1: Array.from(dW1.data) }; }"""
    before = page.evaluate(read)
    page.click("[data-go=last]")
    page.click(".take")
    after = page.evaluate(read)
    assert (before["sample"], after["sample"], after["iteration"]) == (39, 39, 1)
    assert after["L"] < before["L"]
    moved = np.array(before["W1"]) - 0.3 * np.array(before["dW1"])
    np.testing.assert_allclose(after["W1"], moved, rtol=0, atol=1e-12)


@pytest.mark.needs_browser
def test_play_pause_step_and_reset_by_keyboard(opened):
    page = opened()

    def iteration() -> int:
        return int(page.inner_text("#iteration").replace(",", ""))

    weights = page.evaluate("Array.from(page.training.net.affine1.W.data.data)")
    page.focus("#play")
    page.keyboard.press("Enter")
    page.wait_for_function("() => page.training.iteration > 20")
    assert page.inner_text("#play") == "Pause"
    assert page.is_hidden("#stepping")
    page.keyboard.press("Space")
    there = iteration()
    assert page.inner_text("#play") == "Play"
    assert page.is_visible("#stepping")
    page.focus("#step")
    page.keyboard.press("Enter")
    assert iteration() == there + 1
    page.focus("#reset")
    page.keyboard.press("Enter")
    assert iteration() == 0
    assert page.evaluate("Array.from(page.training.net.affine1.W.data.data)") == weights
    page.focus(".neuron >> nth=3")
    page.keyboard.press("Enter")
    assert page.inner_text("#neuron").startswith("Neuron 4: Z = ")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "neuron 4"


@pytest.mark.needs_browser
def test_the_rate_is_changed_while_it_trains_and_the_number_of_neurons_begins_anew(opened):
    page = opened()
    for _ in range(3):
        page.click("#step")
    set_slider(page, "lr", "1")
    assert page.evaluate("[page.training.iteration, page.training.settings.lr]") == [3, 1]
    set_slider(page, "batchSize", "all")
    page.click("#step")
    assert page.inner_text("#epoch") == "1.3"  # 3 batches of 30 of the 300 points, and all of them
    set_slider(page, "hidden", "5")
    assert page.evaluate("[page.training.iteration, page.training.net.H.cols]") == [0, 5]
    assert page.locator(".neuron").count() == 5


@pytest.mark.needs_browser
def test_weights_that_overflow_are_said_in_words_and_reset_begins_anew(opened):
    page = opened()
    set_slider(page, "lr", "30")
    set_slider(page, "weightDecay", "0.1")
    page.click("#play")
    page.wait_for_function("() => !page.playing")
    said = page.inner_text("#said")
    assert "no finite numbers any more (NaN)" in said
    assert "(now 30, with a weight decay of 0.1)" in said
    assert page.inner_text("#train-loss") in ("NaN", "∞")
    page.click("[data-go=last]")  # the graph shows what there is
    set_slider(page, "lr", "0.3")
    set_slider(page, "weightDecay", "0")
    page.click("#reset")
    page.evaluate("() => { for (let i = 0; i < 200; i++) page.training.step(); step(); }")
    assert "NaN" not in page.inner_text("#said")
    assert page.evaluate("page.history.entries.at(-1).train.accuracy") > 0.7


@pytest.mark.needs_browser
def test_what_is_wrong_or_learned_is_said(opened):
    page = opened()
    page.select_option("#activation", "identity")
    assert "every border is a straight line" in page.inner_text("#said")
    page.select_option("#initial", "zeros")
    assert "stay one and the same neuron" in page.inner_text("#said")
    page.select_option("#initial", "he_normal")
    page.select_option("#activation", "relu")
    assert page.inner_text("#said") == ""
    page.evaluate("() => { page.training.net.affine1.b.data.data[2] = -9; draw(); }")
    assert "Dead neurons: 3." in page.inner_text("#said")
    page.select_option("#set", "blobs")
    page.evaluate("() => { for (let i = 0; i < 500; i++) page.training.step(); step(); }")
    assert "All training points are answered right" in page.inner_text("#said")
    said = page.evaluate(
        """() => {
          const at = (iteration, train, test) =>
            ({ iteration, train: { loss: train, accuracy: 0.9 }, test: { loss: test } });
          const entries = [at(0, 1.1, 1.1), at(10, 0.5, 0.6), at(90, 0.2, 0.9)];
          const falls = [at(0, 2.1, 2.1), at(10, 1.6, 1.7), at(20, 1.5, 1.6)];
          const again = [at(0, 1.1, 1.1), ...[9, 8, 7, 6, 5, 4].map((l, i) => at(i + 1, l, l))];
          return [entries, [...entries, at(99, 1.5, 1.6)], falls, again].map(
            (some) => remarks(page.training, some, Math.log(3)));
        }"""
    )
    assert any("lowest at iteration 10" in sentence for sentence in said[0])
    assert any("above that of guessing, ln 3 = 1.099" in sentence for sentence in said[1])
    assert not any("guessing" in sentence for sentence in said[2])  # it began there
    assert not any("guessing" in sentence for sentence in said[3])  # the rate has been lowered


@pytest.mark.needs_browser
def test_a_click_chooses_the_nearest_training_point(opened):
    page = opened()
    x, y = page.evaluate("page.plane.place(...page.training.data.train.X.row(123))")
    page.click("#plane", position={"x": x + 1, "y": y})
    assert page.input_value("#sample") == "124"
    assert page.inner_text(".steps p >> nth=1").startswith("Training point 124:")


@pytest.mark.needs_browser
def test_a_finger_plays_pauses_chooses_and_steps(opened):
    page = opened(360, has_touch=True, is_mobile=True)
    page.tap("#play")
    page.wait_for_function("() => page.training.iteration > 20")
    page.tap("#play")
    assert page.inner_text("#play") == "Play"
    x, y = page.evaluate("page.plane.place(...page.training.data.train.X.row(50))")
    page.tap("#plane", position={"x": x, "y": y})
    there = page.evaluate("page.plane.place(...page.training.data.train.X.row(page.sample))")
    assert page.evaluate("page.sample") != 0
    assert np.hypot(there[0] - x, there[1] - y) < 2  # its neighbours are nearer than a finger hits
    page.tap(".neuron >> nth=2")
    assert page.inner_text("#neuron").startswith("Neuron 3:")
    page.tap(".node >> nth=2")
    assert page.inner_text(".steps h3") == "Forward through Affine2: one score per class"
    sizes = page.evaluate(
        """() => [...document.querySelectorAll("button, select, input")]
          .map((part) => [part.id || part.textContent, part.getBoundingClientRect().height])"""
    )
    assert [name for name, height in sizes if height < 32] == []


@pytest.mark.needs_browser
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_is_wider_than_the_page(opened, width):
    page = opened(width)
    page.click(".neuron >> nth=0")
    for _ in range(10):
        page.click("[data-go=next]")
        assert page.evaluate("document.documentElement.scrollWidth") == width
    outside = page.evaluate(
        """(width) => [...document.querySelectorAll("main *")].filter((part) =>
          !part.closest(".scroll") && part.getBoundingClientRect().right > width)
          .map((part) => part.outerHTML.slice(0, 80))""",
        width,
    )
    assert outside == []


@pytest.mark.needs_browser
def test_the_curves_keep_the_first_and_the_newest_entry_and_are_thinned(opened):
    found = opened().evaluate(
        """() => {
          const history = new History(), seen = [];
          for (let i = 0; i < 5000; i++) {
            history.add({ iteration: i, test: { loss: i === 1003 ? 0 : 1 } });
            seen.push([history.entries[0].iteration, history.entries.at(-1).iteration]);
          }
          const kept = history.entries.map((entry) => entry.iteration);
          return { seen, kept, lowest: history.lowest.iteration };
        }"""
    )
    assert found["seen"] == [[0, i] for i in range(5000)]
    assert 300 <= len(found["kept"]) <= 601
    assert found["lowest"] == 1003
    assert 1003 not in found["kept"]
    assert set(np.diff(found["kept"][:-1]).tolist()) == {16}


def test_a_page_holds_all_that_it_needs():
    page = training_page("circles")
    assert '<option value="circles" selected>' in page
    assert "http" not in page.replace("http-equiv", "")
    assert "$" not in page.split("<script>")[0]


def test_points_that_do_not_exist_and_two_nets_at_once_are_refused_in_one_line(capsys, tmp_path):
    output = tmp_path / "page.html"
    assert main(["play", "--train", "spirls", "-o", str(output)]) == 2
    assert capsys.readouterr().err == (
        "lamina play: --train: there are no points called spirls; did you mean spirals?\n"
    )
    assert main(["play", "runs/lenet", "--train", "xor", "-o", str(output)]) == 2
    assert "RUN, or --train POINTS, but not both" in capsys.readouterr().err
    assert not output.exists()


def test_a_batch_of_all_has_each_point_once_whatever_was_before(engine_page):
    for batch in engine_page.evaluate(ALL, {**SETTINGS, "batchSize": 30}):
        assert sorted(batch) == list(range(len(batch)))
