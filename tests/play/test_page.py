"""The page as one uses it: mouse, finger, keyboard, test images, a phone, and hostile names."""

import itertools
import re

import numpy as np
import pytest
from played import DIGIT, SmallImages, draw_with_mouse, stirred

from lamina.layers import (
    Affine,
    BatchNormalization,
    Convolution,
    Elu,
    Flatten,
    LeakyRelu,
    Lstm,
    MaxPooling,
    Relu,
    Reshape,
    Sigmoid,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    Tanh,
)
from lamina.nets import Sequential
from lamina.play.answers import answers

pytestmark = pytest.mark.needs_browser

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


def convnet():
    rng = np.random.default_rng(7)
    layers = {
        "conv": Convolution(1, 3, 3, rng=rng),
        "relu": Relu(),
        "pool": MaxPooling(2),
        "flatten": Flatten(),
        "affine": Affine(75, 4, rng=rng),
    }
    return stirred(Sequential(layers, SoftmaxWithLoss()))


@pytest.fixture
def page(opened):
    return opened(convnet(), SmallImages())


def answers_as_python_does(page):
    """Whether what stands on the page is what Python says to the pixels that the page has."""
    pixels = np.array(page.run("() => Array.from(pixels)"), np.float32).reshape(1, 1, 12, 12)
    assert pixels.max() > 100
    right = answers("softmax", page.net.predict(pixels * np.float32(1 / 255)))[0]
    shown = [float(text[:-2]) for text in page.page.locator(".bar .value").all_inner_texts()]
    np.testing.assert_allclose(shown, 100 * right, atol=0.06)
    name = page.dataset.task.class_names[right.argmax()]
    assert page.winner.startswith(f"{name}, {100 * right.max():.1f} %")


def test_what_one_draws_is_answered_as_in_python(page):
    assert page.winner == "Draw, and the net answers."
    draw_with_mouse(page)
    answers_as_python_does(page)
    assert len(page.run("paper.strokes")) == 1
    assert page.run("paper.strokes[0].length") >= 1 + 4 * (len(DIGIT) - 1)


def test_each_movement_is_answered_before_the_pen_is_lifted(page):
    box = page.page.locator("#paper").bounding_box()
    page.page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.page.mouse.down()
    page.settled()
    first = page.winner
    page.page.mouse.move(box["x"] + 200, box["y"] + 100, steps=5)
    page.settled()
    assert page.winner != first
    answers_as_python_does(page)


def test_a_finger_draws_and_does_not_scroll(opened):
    page = opened(convnet(), SmallImages(), **PHONE)
    box = page.page.locator("#paper").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in DIGIT]
    touch = page.page.context.new_cdp_session(page.page)

    def send(kind, *points):
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", places[0])
    for place in places[1:]:
        send("touchMove", place)
    page.settled()
    strokes = page.run("paper.strokes")
    other = (box["x"] + 5, box["y"] + 5)  # of a second finger, which draws nothing
    send("touchStart", places[-1], other)
    send("touchMove", places[-1], (other[0] + 40, other[1]))
    send("touchEnd")
    page.settled()
    assert len(strokes) == 1
    assert page.run("paper.strokes") == strokes
    assert page.run("getComputedStyle(byId('paper')).touchAction") == "none"
    assert page.run("scrollY") == 0
    answers_as_python_does(page)


def test_the_keyboard_draws(page):
    keys = page.page.keyboard
    keys.press("Tab")
    assert page.run("document.activeElement.id") == "paper"
    for key in ("ArrowLeft", "ArrowUp", " ", *["ArrowDown"] * 12, *["ArrowRight"] * 9, " "):
        keys.press(key)
    for _ in range(5):
        keys.press("ArrowUp")  # lifted: draws nothing
    page.settled()
    strokes = page.run("paper.strokes")
    assert [len(stroke) for stroke in strokes] == [22]
    np.testing.assert_allclose(strokes[0][0], [0.475, 0.475])
    np.testing.assert_allclose(strokes[0][-1], [0.7, 0.775])
    answers_as_python_does(page)
    keys.press("c")
    page.settled()
    assert page.winner == "Draw, and the net answers."


def test_everything_is_reached_by_tab_and_buttons_work_by_keys(page):
    draw_with_mouse(page)
    page.page.focus("#paper")
    reached = []
    for _ in range(8):
        page.page.keyboard.press("Tab")
        reached.append(page.run("document.activeElement.id || document.activeElement.tagName"))
    assert reached[:2] == ["clear", "undo"]
    assert "SUMMARY" in reached
    page.page.focus("#undo")
    page.page.keyboard.press("Enter")
    page.settled()
    assert page.run("paper.strokes.length") == 0
    page.page.focus("#images button")
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("Enter")
    page.settled()
    assert page.run("chosen") == 1


def test_a_test_image_goes_through_the_net_and_is_marked(page):
    predicted = page.net.predict(page.inputs()).argmax(axis=1)
    targets = page.run("facts.targets")
    for i in (0, len(targets) - 1):
        page.page.locator("#images button").nth(i).click()
        page.settled()
        answers_as_python_does(page)
        wrong = f": wrong, it is {'abcd'[targets[i]]}"
        assert page.winner.endswith(": right" if predicted[i] == targets[i] else wrong)
    pressed = page.page.locator("#images [aria-pressed=true]")
    assert pressed.count() == 1
    page.page.click("#undo")  # ends it as drawing does
    page.settled()
    assert pressed.count() == 0
    assert page.run("paper.background") is None
    page.page.locator("#images button").nth(3).click()
    draw_with_mouse(page)  # drawing ends it
    assert pressed.count() == 0
    assert page.run("paper.strokes.length") == 1


def test_paths_lead_from_the_winner_to_a_pixel_and_add_up(page):
    draw_with_mouse(page)
    found = page.run(
        "paths(net, winner, 3).map((path) => path.map((p) => [p.blob, p.index, p.value]))"
    )
    affine, flat = page.net.layers["affine"], np.array(page.run("Array.from(net.blobs[4].data)"))
    shares = flat * affine.W.data[:, page.run("winner")]
    strongest = np.sort(shares)[::-1][:3]
    np.testing.assert_allclose([path[1][2] for path in found], strongest, rtol=1e-4)
    for path in found:
        assert [blob for blob, *_ in path] in ([5, 4, 0], [5, 4])
    assert page.page.locator("#paths li").count() == 3
    assert page.page.locator("#paths .mark").count() >= 3


def test_what_paths_add_has_the_slopes_of_the_layers_between(opened):
    """Each number of a path is x · dy/dx, with y the place before it, as the layers' backward has
    it in Python."""
    rng = np.random.default_rng(4)
    layers = {
        "conv": Convolution(1, 3, 3, rng=rng),
        "norm": BatchNormalization(3),
        "bend": Sigmoid(),
        "flatten": Flatten(),
        "hidden": Affine(300, 8, rng=rng),
        "leak": LeakyRelu(0.2),
        "squash": Tanh(),
        "affine": Affine(8, 4, rng=rng),
        "out": Elu(0.5),
    }
    net = stirred(Sequential(layers, SoftmaxWithLoss()))
    page = opened(net, SmallImages())
    net.set_training(False)

    def added(i, place, before):
        """x · dy/dx of image i, for all of a blob before the place of y."""
        blobs = [page.inputs()[i : i + 1]]
        for layer in net.layers.values():
            blobs.append(layer.forward(blobs[-1]))
        slopes = np.zeros_like(blobs[place["blob"]])
        slopes.flat[place["index"]] = 1
        for layer in list(net.layers.values())[before : place["blob"]][::-1]:
            slopes = layer.backward(slopes)
        return np.ravel(blobs[before] * slopes)

    for i in range(3):
        page.page.locator("#images button").nth(i).click()
        page.settled()
        found = page.run("paths(net, winner, 3)")
        for path in found:
            assert [place["blob"] for place in path] == [9, 7, 4, 0]
            for place, before in itertools.pairwise(path):
                expected = added(i, place, before["blob"])[before["index"]]
                assert before["value"] == pytest.approx(expected, rel=1e-3, abs=1e-6)
        largest = np.sort(added(i, found[0][0], 7))[:-4:-1]
        assert [path[1]["value"] for path in found] == pytest.approx(largest, rel=1e-3)


def test_the_class_that_one_score_speaks_against_has_paths_that_speak_for_it(opened):
    rng = np.random.default_rng(1)
    net = Sequential({"affine": Affine(144, 1, rng=rng)}, SigmoidWithLoss())
    page, winners = opened(stirred(net), SmallImages(True, ("no", "yes"))), set()
    for i, x in enumerate(page.inputs()[:60]):
        page.run("(i) => byId('images').children[i].click()", i)
        page.settled()
        winner = page.run("winner")
        factor, name = [(-1, "no"), (1, "yes")][winner]
        score = factor * net.predict(x[np.newaxis])[0, 0]
        assert score > 0
        boxes = page.page.locator("#paths li").nth(0).locator(".place").all_inner_texts()
        said = [box.strip().replace("−", "-").split("\n") for box in boxes]
        assert said[0][0] == name
        assert float(said[0][1].removeprefix("score ")) == pytest.approx(score, abs=0.006)
        largest = (factor * x * net.layers["affine"].W.data[:, 0]).max()
        assert float(said[1][2]) == pytest.approx(largest, abs=0.006)
        winners.add(winner)
    assert winners == {0, 1}


def test_a_reversed_lstm_is_said_to_read_upwards(opened):
    lstm = {"down": Lstm(12, 5, rng=0), "up": Lstm(5, 4, reverse=True, last_only=True, rng=0)}
    net = Sequential({"rows": Reshape((12, 12)), **lstm}, SoftmaxWithLoss())
    page = opened(net, SmallImages())
    notes = page.page.locator("#layers details > p.note:not(.reading)").all_inner_texts()
    assert ["top to bottom" in note for note in notes[1:]] == [True, False]
    assert ["bottom to top" in note for note in notes[1:]] == [False, True]


def test_layers_show_their_numbers_and_one_reads_them(page):
    draw_with_mouse(page)
    names = page.page.locator("#layers h3").all_inner_texts()
    assert names == [
        "conv: Convolution",
        "relu: Relu",
        "pool: MaxPooling",
        "flatten: Flatten",
        "affine: Affine",
    ]
    maps = page.page.locator("#layers details").nth(0).locator("canvas")
    assert maps.count() == 2  # filters, maps
    maps.nth(1).scroll_into_view_if_needed()
    box = maps.nth(1).bounding_box()
    page.page.mouse.move(box["x"] + 3, box["y"] + 3)
    value = page.run("net.blobs[1].data[0]")
    said = page.page.locator("#layers .reading").nth(0).inner_text()
    assert said.startswith("map 0, row 0, column 0: ")
    assert float(said.split(": ")[1].replace("−", "-")) == pytest.approx(value, abs=0.006)


@pytest.mark.parametrize("context", [{"viewport": {"width": 1280, "height": 800}}, PHONE])
def test_nothing_is_wider_than_the_page(opened, context):
    classes = ("a class with a name that is very long indeed", "b", "c", "d")
    page = opened(convnet(), SmallImages(classes=classes), title="x" * 200, **context)
    draw_with_mouse(page)
    width = context["viewport"]["width"]
    assert page.run("document.documentElement.scrollWidth") <= width
    reaching = page.run(
        "[...document.querySelectorAll('main *')].map((e) => e.getBoundingClientRect().right)"
    )
    assert max(reaching) <= width


def test_names_from_outside_stay_text(opened):
    bad = "</script><script>hacked = 1</script><img src=x onerror=hacked=1><!--<script \x1b[2J"
    rng = np.random.default_rng(0)
    layers = {bad: Flatten(), "<b>affine": Affine(144, 4, rng=rng)}
    dataset = SmallImages(classes=(bad, "<i>", "c&amp;", '"d"'))
    page = opened(Sequential(layers, SoftmaxWithLoss()), dataset, title=bad)
    page.page.locator("#images button").nth(0).click()
    page.settled()
    assert page.run("window.hacked") is None
    assert page.page.locator("img").count() == 0
    assert page.page.inner_text("h1").startswith("</script><script>")
    names = page.page.locator("#bars .bar > span:first-child").all_inner_texts()
    assert names == [bad.replace("\x1b", "\\x1b"), "<i>", "c&amp;", '"d"']
    assert "\x1b" not in page.page.content()


def test_a_script_that_came_in_would_not_run(opened, tmp_path, browser):
    """The policy lets the page's own script through by its hash, and no other."""
    opened(convnet(), SmallImages())
    path = next(tmp_path.glob("*.html"))
    text = path.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; ")
    path.write_text(text.replace("<main>", "<main><script>window.hacked = 1</script>"))
    page = browser.new_page()
    page.goto(path.as_uri())
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("typeof net") == "object"
    page.close()
