"""Gradients by backpropagation against central differences."""

import numpy as np

from lamina.autodiff.numeric import numeric_gradient
from lamina.experiments.data import digits
from lamina.experiments.entry import Band, Entry, Found
from lamina.experiments.figures import panels
from lamina.experiments.nets import note_net

_BOOK = {"affine1.W": 2.2e-13, "affine1.b": 9.7e-13, "affine2.W": 8.4e-13, "affine2.b": 1.2e-10}
_MOST = 1e-9  # the largest of the book's is 1.2e-10; another draw may well give several times that


class GradientCheck(Entry):
    """The gradients of a two-layer net (784-50-10, ReLU, weights of deviation 0.01, float64) on
    three images: once by backpropagation, and once by central differences with h = 1e-4, number by
    number. The figures are mean absolute differences. The quick form has 10 hidden units.
    """

    name, title = "gradient_check", "Backpropagation against differences"
    source, minutes = "book 1, section 5.7.3; note 004", 0.3
    quick = full = tuple(
        Band(f"mean difference, {name}", 0, _MOST, why=f"the book: {book:.1e}")
        for name, book in _BOOK.items()
    )

    def run(self, full: bool) -> Found:
        net = note_net(50 if full else 10, rng=0, dtype=np.float64)
        X, t = digits(full, 3, 10).train[:3]
        X = X.astype(np.float64)
        figure, axes = panels(2, 2, (5.6, 4.6))
        values = {}
        for (name, backward), panel in zip(net.gradient(X, t).items(), axes.flat, strict=True):
            by_differences = differences(net, net.parameters()[name], X, t)
            mean = np.mean(np.abs(backward - by_differences))
            values[f"mean difference, {name}"] = mean
            panel.plot(backward.ravel(), by_differences.ravel(), "o", markersize=3)
            panel.locator_params(nbins=4)
            panel.set_title(f"{name}: {mean:.1e}", fontsize="medium")
        figure.supxlabel("gradient by backpropagation", fontsize="medium")
        figure.supylabel("by central differences", fontsize="medium")
        return Found(values, figure)


def differences(net, param, X, t) -> np.ndarray:
    """dL/d(param) by central differences with the h of the book."""
    kept = param.data

    def loss(data):
        param.data = data
        return net.loss(X, t)

    try:
        return numeric_gradient(loss, kept, h=1e-4)
    finally:
        param.data = kept
