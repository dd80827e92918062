"""Watch the layers of a net for the time of a step, without their knowing."""

import dataclasses

from lamina.layers.base import Layer
from lamina.layers.loss import Loss
from lamina.nets import Net


@dataclasses.dataclass(frozen=True)
class Place:
    """A layer and its dotted name in the net, such as block1.affine1."""

    name: str
    layer: Layer

    @property
    def type(self) -> str:
        return type(self.layer).__name__

    @property
    def is_loss(self) -> bool:
        return isinstance(self.layer, Loss)

    def __str__(self):
        return f"{self.name} ({self.type})"


def places_of(net: Layer) -> list[Place]:
    """Every layer in a net, the losses included, by dotted name: those of nets inside the net too,
    but not these nets themselves, which only hand on. A layer that is no net is its own place."""
    held = [(name, h) for name, h in net.walk() if isinstance(h, Layer)]
    places = [Place(name, layer) for name, layer in held if not isinstance(layer, Net)]
    return places or [Place("net", net)]


class Probes:
    """`with Probes(places_of(net), watcher):` the watcher is told of every pass of every layer:

        watcher.forward(place, inputs, outputs)        after a forward
        watcher.backward(place, douts, dXs)            after a backward

    with tuples of what went in and came out, as it is: arrays, duals, numbers, None. The watcher
    must write into nothing. For the time of the block each layer has a `forward` and a `backward`
    of its own in front of those of its class; afterwards it is as it was.
    """

    def __init__(self, places: list[Place], watcher):
        self.places, self.watcher = places, watcher

    def __enter__(self):
        self._before = [dict(vars(place.layer)) for place in self.places]
        for place in self.places:
            layer = place.layer
            layer.forward = _followed(place, layer.forward, self.watcher.forward)
            layer.backward = _followed(place, layer.backward, self.watcher.backward)
        return self

    def __exit__(self, *exception):
        for place, before in zip(self.places, self._before, strict=True):
            for way in ("forward", "backward"):
                if way in before:  # another tool's, which was there first
                    setattr(place.layer, way, before[way])
                else:
                    delattr(place.layer, way)


def _followed(place: Place, method, tell):
    def followed(*given, **named):
        result = method(*given, **named)
        tell(place, given, result if isinstance(result, tuple) else (result,))
        return result

    return followed
