"""The page of a run: one file of HTML with the net, its weights, images and the scripts in it.

What the page is told stands in it as JSON, and its script writes it as text.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lamina.common.predicted import UNKNOWN
from lamina.common.printable import printable
from lamina.datasets import Classification, Dataset
from lamina.experiment.load_run import load_run
from lamina.layers.finite import first_bad_weight
from lamina.nets import Net
from lamina.play.answers import answer_kind, answers
from lamina.play.document import document, joined
from lamina.play.images import ShownImages, shown_images, targets_of
from lamina.play.steps import steps_of
from lamina.play.weights import is_same_in_16_bits, written

_HERE = Path(__file__).parent
_FIRST = ("layers/layer.js", "bytes.js")  # the others may come in any order, page.js last
_LAST = ("page.js",)


def page_of_run(run_dir: str | Path, code: Iterable[Path] = (), *, changed: bool = False) -> str:
    """The page of a run as text; `code` and `changed` as for load_run. Raises ValueError, naming
    the run, for one that a page cannot show, and what load_run raises."""
    net, dataset = load_run(run_dir, code, changed=changed)
    try:
        return page_of_net(net, dataset, Path(run_dir).resolve().name)
    except ValueError as error:
        raise ValueError(f"{run_dir}: {error}") from None


def page_of_net(net: Net, dataset: Dataset, title: str) -> str:
    """The page of a net that has learned a data set. Raises ValueError as page_of_run."""
    _check_finite(net)
    images = shown_images(dataset)
    steps, arrays = steps_of(net)
    X, predicted = inputs_of(images, dataset), _predictions(net, dataset)
    kind = answer_kind(net, dataset.task, net.predict(X[:1]).shape[-1])
    short = is_same_in_16_bits(
        net,
        lambda net: answers(kind, net.predict(X)),
        lambda net: _predictions(net, dataset),
        predicted,
    )
    places, weights = written(arrays, short)
    facts = {
        "title": printable(title),
        "answer": kind,
        "steps": [step | {"name": printable(step["name"])} for step in steps],
        "arrays": places,
        "parameters": sum(param.data.size for param in net.parameters().values()),
        "images": images.as_data(),
        "shape": dataset.input_shape,
        **_classes(dataset, images, predicted),
    }
    return _page(title, facts, weights)


def _check_finite(net: Net) -> None:
    if (name := first_bad_weight(net)) is not None:
        raise ValueError(
            f"{printable(name)} is not finite, so the net says nothing; lamina doctor RUN looks "
            "for the cause"
        )


def inputs_of(images: ShownImages, dataset: Dataset) -> np.ndarray:
    """The images of a page as the net sees them, in the page and here."""
    X = images.numbers
    if X is None:
        X = np.multiply(images.pixels, images.scale, dtype=np.float32) + np.float32(images.offset)
    return X.reshape(-1, *dataset.input_shape)


def _predictions(net: Net, dataset: Dataset) -> np.ndarray:
    """What the net says of each test image; nothing of a net that gives images back."""
    if not isinstance(dataset.task, Classification):
        return np.empty(0)
    batches = dataset.test.batches()
    return np.concatenate([dataset.task.predictions(net.predict(X)) for X, _ in batches])


def _classes(dataset: Dataset, images: ShownImages, predicted: np.ndarray) -> dict:
    task, test = dataset.task, dataset.test
    if not isinstance(task, Classification):
        return {"classes": [], "targets": [], "tested": len(test)}
    t = targets_of(dataset)
    known = t != UNKNOWN
    return {
        "classes": [printable(name) for name in task.class_names],
        "targets": t[images.rows].tolist(),
        "tested": int(known.sum()),
        "right": int((predicted == t)[known].sum()),
    }


def _page(title: str, facts: dict, weights: str) -> str:
    return document(
        joined(_HERE, ["page.html"]),
        joined(_HERE, ["page.css"]),
        script(),
        facts=_json(facts),
        weights=weights,
    )


def script() -> str:
    """All files of js/ as one."""
    folder = _HERE / "js"
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.js"))
    middle = [name for name in names if name not in (*_FIRST, *_LAST)]
    return "\n".join(['"use strict";', joined(folder, [*_FIRST, *middle, *_LAST])])


def _json(facts: dict) -> str:
    """JSON in which nothing can end the element that it stands in."""
    text = json.dumps(facts, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
