"""A parameter of another layer as an argument: `{type: Affine, tied: embedding.W}`.

Whatever argument of a layer is annotated as a Param takes, where a net is plain data, the dotted
name of one that is made before it, from the top of the net.
"""

import typing

from lamina.common.arguments import Unwritable, parameters_of
from lamina.layers.base import Layer, Param


def takes_params(cls: type) -> list[str]:
    """The arguments of a class that are Params."""
    return [
        name
        for name, p in parameters_of(cls).items()
        if Param in (p.annotation, *typing.get_args(p.annotation))
    ]


def params_of(made: dict[str, Layer]) -> dict[str, Param]:
    """All parameters of the layers made so far, by dotted name."""
    return {
        f"{place}.{name}" if place else name: param
        for place, layer in made.items()
        for name, param in layer.parameters().items()
    }


def was_given(layer: Layer) -> list[str]:
    """Those arguments that are Params for which the layer was given one."""
    given = layer.arguments()
    return [n for n in takes_params(type(layer)) if isinstance(given.get(n), Unwritable)]
