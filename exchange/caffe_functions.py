"""Which function says what a layer of Caffe is here: a function per type, which adds layers.

    @caffe_layer("Softsign")
    def softsign(layer, net, X):
        return net.add(layer, Softsign(), X)

A function gets the layer of the file, the net, and what its bottoms are, each with `shape`, that of
a sample. `layer("relu_param")` is a message of it. It returns what `net.add` gave, or a list of one
for each top. What cannot be exact raises CaffeError, with what to do.
"""

from collections.abc import Callable

FUNCTIONS: dict[str, Callable] = {}


def caffe_layer(name: str):
    """The function below says what Caffe's layers of this type are; a later one replaces it."""

    def noted(function):
        FUNCTIONS[name] = function
        return function

    return noted
