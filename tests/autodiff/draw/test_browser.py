"""The stepping page in a real browser: its numbers, its keys, its layout."""

import re

import numpy as np
import pytest

from lamina.autodiff.draw import draw
from lamina.autodiff.draw.text import lines

pytestmark = pytest.mark.needs_browser

WIDTHS = (1280, 360)  # of a desktop and of a phone, in pixels
READ_STEP = """() => {
  const step = [...document.querySelectorAll(".step")].filter(s => !s.hidden);
  if (step.length !== 1) return null;
  const numbers = part => [...part.querySelectorAll(".number, td")]
    .filter(cell => !cell.querySelector(".number, td")).map(cell => cell.textContent);
  const terms = part => [...part.querySelectorAll(".term")].map(
    term => ({ kind: term.classList[1], numbers: numbers(term) }));
  return {
    phase: step[0].dataset.phase,
    node: step[0].dataset.node,
    text: step[0].innerText,
    terms: terms(step[0]),
    edges: [...step[0].querySelectorAll("[data-edge]")].map(
      part => ({ edge: Number(part.dataset.edge), terms: terms(part) })),
    inputs: [...step[0].querySelectorAll("[data-input]")].map(
      row => [row.dataset.input, [...row.children].slice(1).map(numbers)]),
  };
}"""
READ_LABELS = """() => [...document.querySelectorAll("#graph [data-from]")]
  .filter(part => getComputedStyle(part).visibility === "visible")
  .map(part => [part.classList[0], Number(part.dataset.edge),
    [...part.querySelectorAll("text")].map(text => text.textContent)])"""
READ_BOXES = """() => {
  const box = part => {
    const r = part.getBoundingClientRect();
    return [r.left, r.top, r.right, r.bottom];
  };
  const nodes = [...document.querySelectorAll("#graph .node")];
  return {
    labels: [...document.querySelectorAll("#graph [data-from] text")].map(
      text => [text.textContent, ...box(text)]),
    nodes: nodes.map(node => box(node.querySelector("rect"))),
    inside: nodes.map(node => [...node.querySelectorAll("text")].map(box)),
  };
}"""


@pytest.fixture
def opened(opened_file, tmp_path):
    """opened(drawing, width) gives the page of a drawing."""

    def open_drawing(drawing, width: int = 1280):
        path = tmp_path / "graph.html"
        drawing.save(path)
        return opened_file(path, viewport={"width": width, "height": 800})

    return open_drawing


def step_through(page):
    """What every step shows, from the first to the last, by keyboard."""
    n = page.locator(".step").count()
    found = [page.evaluate(READ_STEP)]
    for _ in range(n - 1):
        page.keyboard.press("ArrowRight")
        found.append(page.evaluate(READ_STEP))
    assert None not in found
    return found


def numbers(texts) -> np.ndarray:
    return np.array([float(text) for text in texts])


def close(texts, expected) -> bool:
    found, expected = numbers(texts), np.ravel(expected)
    return found.shape == expected.shape and np.allclose(found, expected, rtol=1e-5, atol=1e-300)


@pytest.mark.often(3)
def test_the_numbers_on_the_page_are_the_computed_ones(example, opened):
    drawing = draw(example.f, example.inputs)
    graph = drawing.graph
    steps = step_through(opened(drawing))
    assert [s["phase"] for s in steps] == sorted(
        (s["phase"] for s in steps),
        key=["start", "forward", "turn", "backward", "end"].index,
    )
    seen = set()
    for step in steps:
        if step["phase"] != "backward":
            continue
        if graph.nodes[int(step["node"])].kind == "copy":
            shares = [t["numbers"] for t in step["terms"] if t["kind"] == "upstream"]
            total = next(t["numbers"] for t in step["terms"] if t["kind"] == "downstream")
            assert np.allclose(sum(map(numbers, shares)), numbers(total), rtol=1e-4, atol=1e-7)
            assert close(total, graph.nodes[int(step["node"])].gradient)
        for part in step["edges"]:
            check_product(graph.edges[part["edge"]], graph, part["terms"])
            seen.add(part["edge"])
    into_copies = {i for i, e in enumerate(graph.edges) if graph.nodes[e.target].kind == "copy"}
    flowing = {i for i, e in enumerate(graph.edges) if e.gradient is not None}
    assert seen == flowing - into_copies
    arrays, gradients = example.arrays(), example.gradients()
    assert {name for name, _ in steps[-1]["inputs"]} == set(arrays)
    for name, (value, gradient) in steps[-1]["inputs"]:
        assert close(value, arrays[name])
        assert close(gradient, gradients[name])


def check_product(edge, graph, terms) -> None:
    """Local × upstream = downstream, in the numbers as they are shown."""
    shown = {term["kind"]: term["numbers"] for term in terms}
    assert close(shown["downstream"], edge.gradient)
    assert close(shown["upstream"], graph.nodes[edge.target].gradient)
    local, up, down = (numbers(shown[k]) for k in ("local", "upstream", "downstream"))
    if edge.jacobian is not None:
        product = local.reshape(len(down), len(up)) @ up
    else:
        product = local * up
        if len(product) != len(down):  # broadcast
            assert np.allclose(numbers(shown["between"]), product, rtol=1e-4, atol=1e-6)
            product = product.reshape(-1, len(down)).sum(axis=0)
    assert np.allclose(product, down, rtol=1e-4, atol=1e-5)


@pytest.mark.often(3)
def test_on_a_phone_labels_appear_as_they_are_computed_and_nothing_sticks_out(example, opened):
    drawing = draw(example.f, example.inputs, title="a_long_title_" * 20)
    graph = drawing.graph
    page = opened(drawing, 360)
    visible = set()
    for _ in range(page.locator(".step").count()):
        step, labels = page.evaluate(READ_STEP), page.evaluate(READ_LABELS)
        before, visible = visible, {(kind, e) for kind, e, _ in labels}
        assert before <= visible
        assert visible - before == new_labels(graph, step)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.keyboard.press("ArrowRight")
    assert len(visible) == len(labels)
    for kind, e, texts in labels:
        if e == len(graph.edges):
            expected = example.value() if kind == "value" else 1.0
        else:
            edge = graph.edges[e]
            expected = graph.nodes[edge.source].value if kind == "value" else edge.gradient
        assert texts == lines(expected, 6)
        if "norm" not in texts[0]:
            found = numbers(re.findall(r"-?[\d.]+(?:e-?\d+)?", " ".join(texts)))
            assert np.allclose(found, np.ravel(expected), rtol=1e-4)


def new_labels(graph, step) -> set:
    """The labels that a step brings: those of what it computes."""
    result, way_out = len(graph.nodes) - 1, len(graph.edges)
    flowing = {e for e, edge in enumerate(graph.edges) if edge.gradient is not None}
    if step["phase"] == "start":
        given = [i for i, n in enumerate(graph.nodes) if n.kind in ("input", "constant")]
        return {("value", e) for i in given for e in graph.out_of(i)}
    if step["phase"] == "forward":
        node = int(step["node"])
        leaving = graph.out_of(node) + [way_out] * (node == result)
        return {("value", e) for e in leaving}
    if step["phase"] == "turn":
        return {("gradient", way_out)}
    if step["phase"] == "backward":
        return {("gradient", e) for e in graph.into(int(step["node"])) if e in flowing}
    return set()


@pytest.mark.often(3)
def test_no_label_lies_on_another_or_on_a_node(example, opened):
    page = opened(draw(example.f, example.inputs))
    page.keyboard.press("End")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        check_boxes(**page.evaluate(READ_BOXES))


def check_boxes(labels, nodes, inside) -> None:
    assert labels
    for i, (text, *box) in enumerate(labels):
        for other, *other_box in labels[:i]:
            assert not overlap(box, other_box), f"{text} lies on {other}"
        for node in nodes:
            assert not overlap(box, node), f"{text} lies on a node"
    for node, texts in zip(nodes, inside, strict=True):
        for left, top, right, bottom in texts:
            assert node[0] <= left
            assert right <= node[2]
            assert node[1] <= top + 2
            assert bottom - 2 <= node[3]


def overlap(a, b) -> bool:
    return min(a[2], b[2]) - max(a[0], b[0]) > 0.5 and min(a[3], b[3]) - max(a[1], b[1]) > 0.5


@pytest.fixture
def small(opened):
    return opened(draw(lambda x, y, z: (x + y) * z, {"x": -2, "y": 5, "z": -4}))


def shown(page) -> str:
    return page.evaluate(READ_STEP)["text"]


def test_it_says_each_step_in_numbers(small):
    texts = [step["text"] for step in step_through(small)]
    assert len(texts) == 7
    assert "q1 = x + y = -2 + 5 = 3" in texts[1]
    assert "f = q1 × z = 3 × (-4) = -12" in texts[2]
    assert "∂f/∂f = 1" in texts[3]
    assert re.search(r"to z\s+3\s+local\s+∂f/∂z\s+×\s+1\s+upstream.*=\s+3", texts[4], re.DOTALL)
    assert re.search(r"to x\s+1\s+local\s+∂q1/∂x\s+×\s+-4\s+upstream.*=\s+-4", texts[5], re.DOTALL)


def test_keys_and_buttons_go_first_back_next_and_last(small):
    small.keyboard.press("ArrowLeft")
    assert "Step 0 of 6" in shown(small)
    small.keyboard.press("End")
    small.keyboard.press("ArrowRight")
    assert "Step 6 of 6" in shown(small)
    small.keyboard.press("Home")
    small.get_by_role("button", name="Next").click()
    assert "Step 1 of 6" in shown(small)
    small.get_by_role("button", name="Last").click()
    small.get_by_role("button", name="Back").click()
    assert "Step 5 of 6" in shown(small)
    small.get_by_role("button", name="First").click()
    assert "Step 0 of 6" in shown(small)
    small.keyboard.press("Control+End")
    assert "Step 0 of 6" in shown(small)


def test_the_tab_key_reaches_all_with_a_visible_focus(small):
    names = []
    for _ in range(5):
        small.keyboard.press("Tab")
        names.append(small.evaluate("document.activeElement.innerText.trim() || 'graph'"))
        assert small.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert names[-4:] == ["First", "Back", "Next", "Last"]
    small.keyboard.press("Enter")
    assert "Step 6 of 6" in shown(small)
    assert small.evaluate("document.activeElement.innerText") == "Last"  # the focus stays


def test_the_steps_are_announced(small):
    assert small.locator("#steps").get_attribute("aria-live") == "polite"
    assert small.locator("#graph svg").get_attribute("role") == "img"


def test_the_active_node_is_in_view_on_a_phone(opened):
    page = opened(draw(lambda x: np.sin(np.exp(np.cos(np.sin(np.tanh(x))))), {"x": 1.0}), 360)
    page.emulate_media(reduced_motion="reduce")
    for _ in range(page.locator(".step").count() - 2):
        page.keyboard.press("ArrowRight")
        left, right = page.evaluate(
            "(() => { const r = document.querySelector('#graph .active')"
            ".getBoundingClientRect(); return [r.left, r.right]; })()"
        )
        assert 0 <= left < right <= 360


def test_light_and_dark_both_have_contrast(small):
    for scheme in ("light", "dark"):
        small.emulate_media(color_scheme=scheme)
        small.wait_for_timeout(300)  # until the transition is over
        paper = small.evaluate("getComputedStyle(document.body).backgroundColor")
        for part in ("body", "#graph g.value", "#graph g.gradient", ".legend", "#graph .caption"):
            key = "color" if part in ("body", ".legend") else "fill"
            ink = small.evaluate(f"getComputedStyle(document.querySelector('{part}')).{key}")
            assert contrast(paper, ink) >= 4.5, (scheme, part)


def contrast(*colors: str) -> float:
    """The contrast ratio of WCAG 2 of two colours rgb(r, g, b)."""
    low, high = sorted(map(luminance, colors))
    return (high + 0.05) / (low + 0.05)


def luminance(color: str) -> float:
    parts = [int(c) / 255 for c in re.findall(r"\d+", color)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(a * b for a, b in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_without_a_script_all_is_there_to_read(browser, tmp_path):
    draw(lambda x, y: x * y, {"x": 4, "y": -3}).save(tmp_path / "graph.html")
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto((tmp_path / "graph.html").as_uri())
        assert page.get_by_text("f = x × y = 4 × (-3) = -12").is_visible()
        assert page.get_by_role("heading", name="All gradients").is_visible()
        assert not page.get_by_role("button", name="Next").is_visible()


def test_names_and_titles_are_text_and_never_markup(opened):
    hostile = "<img src=x onerror=alert(1)>\"'&amp;"
    inputs = {hostile: 2.0, "</script>": 3.0}
    page = opened(draw(lambda **named: named[hostile] * named["</script>"], inputs, title=hostile))
    assert page.locator("img").count() == 0
    assert page.locator("h1").inner_text() == hostile
    texts = [step["text"] for step in step_through(page)]
    assert f"f = {hostile} × </script> = 2 × 3 = 6" in texts[1]
