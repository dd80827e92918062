"""Which function says what a layer is in ONNX (opset 17): a function per class, which adds nodes.

    @onnx_function(Scale)
    def scale(layer, graph, X):
        return graph.add("Mul", X, layer.s)

A function gets the layer, the graph and a `Value` for each input, and returns what `graph.add`
gave, a tuple for several outputs. What goes into `add` is a Value, the result of another `add`, an
array, or a Param or State, which becomes an initializer under its name in the net; "" leaves out an
input. Layers are as they are in evaluation. Those of the project are in onnx_layers.py,
onnx_sequences.py and onnx_recurrent.py. Source: https://onnx.ai/onnx/operators.
"""

from lamina.layers import AutoLayer

FUNCTIONS: dict[type, object] = {}


def onnx_function(cls: type):
    """Makes a function the one for layers of this class. A subclass uses it too, unless it has a
    forward of its own."""

    def added(function):
        FUNCTIONS[cls] = function
        return function

    return added


def function_of(layer, functions: dict):
    """The function for a layer among {class: function}, or None: that of the class whose forward it
    has. One of a class above could describe another forward."""
    for cls in type(layer).__mro__:
        if cls in functions:
            return functions[cls]
        if "forward" in vars(cls) or (issubclass(cls, AutoLayer) and "function" in vars(cls)):
            return None
    return None
