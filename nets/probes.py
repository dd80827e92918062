"""Watch the layers of a net for the time of a step, without their knowing."""

import dataclasses

from lamina.layers.base import Layer
from lamina.layers.loss import Loss
from lamina.nets import Net


@dataclasses.dataclass(frozen=True)
class Place:
    """A layer and its dotted name in the net, such as block1.affine1; in which of several twins of
    the net, if they share the work."""

    name: str
    layer: Layer
    twin: int = 0

    @property
    def type(self) -> str:
        return type(self.layer).__name__

    @property
    def is_loss(self) -> bool:
        return isinstance(self.layer, Loss)

    def __str__(self):
        return f"{self.name} ({self.type})"


def places_of(net: Layer, twin: int = 0) -> list[Place]:
    """Every layer in a net, the losses included, by dotted name: those of nets inside the net too,
    but not these nets themselves, which only hand on. A layer that is no net is its own place."""
    held = [(name, h) for name, h in net.walk() if isinstance(h, Layer)]
    places = [Place(name, layer, twin) for name, layer in held if not isinstance(layer, Net)]
    return places or [Place("net", net, twin)]


class Probes:
    """`with Probes(places_of(net), watcher):` the watcher is told of every pass of every layer:

        watcher.forward(place, inputs, outputs)        after a forward
        watcher.backward(place, douts, dXs)            after a backward

    with tuples of what went in and came out, as it is: arrays, duals, numbers, None. The watcher
    must write into nothing. If it has them, it is also told

        watcher.enter(place, way)                      before a pass; way "forward" or "backward"
        watcher.leave(place, way)                      right after it, also where it fails

    These nest as the calls do: a layer inside a layer is entered and left within its pass. For the
    time of the block each layer has a `forward` and a `backward` of its own in front of those of
    its class; afterwards it is as it was, whatever has happened. Blocks may stand in each other:
    then each watcher is told, that of the inner block first.
    """

    def __init__(self, places: list[Place], watcher):
        self.places, self.watcher = places, watcher
        self._before: list[tuple] = []

    def __enter__(self):
        for place in self.places:
            for way in ("forward", "backward"):
                # Another tool's, which was there first, or nothing.
                self._before.append((place.layer, way, vars(place.layer).get(way)))
                method = _followed(place, way, getattr(place.layer, way), self.watcher)
                setattr(place.layer, way, method)
        return self

    def __exit__(self, *exception):
        while self._before:  # from the last on, so that a layer listed twice comes out right
            layer, way, before = self._before.pop()
            if before is None:
                delattr(layer, way)
            else:
                setattr(layer, way, before)


def _followed(place: Place, way: str, method, watcher):
    tell = getattr(watcher, way)

    def followed(*given, **named):
        result = method(*given, **named)
        tell(place, given, result if isinstance(result, tuple) else (result,))
        return result

    def timed(*given, **named):
        watcher.enter(place, way)
        try:
            result = method(*given, **named)
        finally:
            watcher.leave(place, way)
        tell(place, given, result if isinstance(result, tuple) else (result,))
        return result

    return timed if hasattr(watcher, "enter") else followed
