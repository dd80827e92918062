"""Which pass forward a backward belongs to: each pass goes back once, through its own arrays."""

from collections import OrderedDict
from collections.abc import Callable, Iterable

from lamina.layers.base import Layer
from lamina.nets.head import Head
from lamina.nets.wiring import Step


class Passes(Layer):
    """Adds to a net with `layers` and `heads` the account of its passes.

    A layer keeps the arrays of one pass. So each pass has a mark, an object of its own, which every
    layer of the net carries from then on; another net that holds the same layer puts its own mark
    there. A backward compares the marks of the layers that it visits, before it adds anything.
    """

    layers: OrderedDict[str, Layer]
    heads: dict[str, Head]
    steps: Callable[[], Iterable[Step]]
    arrays_of: Callable[..., tuple]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    goes_back_once = True
    _last_pass: str | None = None  # "forward", "loss", or "used": it has gone back
    _mark: object = None
    _marked: dict[str, list[Layer]] | None = None  # those that carry the mark, from the first pass
    _nets_inside: list[Layer]  # those among them that are nets

    def forget(self) -> None:
        """A backward now would be an error: what the layers keep is not of a plain pass."""
        self._last_pass = None

    def _begin_pass(self) -> None:
        self.kept_for = None  # a net around this one sees that it has been run by itself
        self._last_pass, self._mark = None, object()
        if self._marked is None:
            self._marked = {name: _keepers(layer) for name, layer in self.layers.items()}
            flat = [layer for layers in self._marked.values() for layer in layers]
            self._nets_inside = [layer for layer in flat if isinstance(layer, Passes)]
        mark = self._mark
        for layers in self._marked.values():
            for layer in layers:
                layer.kept_for = mark

    def _begin_losses(self) -> None:
        self._last_pass = None  # until the losses have succeeded too
        for head in self.heads.values():
            head.loss.kept_for = self._mark

    def _end_pass(self, way: str) -> None:
        for net in self._nets_inside:  # again: they have begun passes of their own
            net.kept_for = self._mark
        self._last_pass = way

    def _use_pass(self) -> None:
        """The last pass has gone back, and cannot again."""
        self._last_pass = "used"

    def _refuse_wrong_backward(self, visited: Iterable[str]) -> None:
        """Raises RuntimeError unless the layers of these names, and after `loss` the losses, keep
        the arrays of the net's last pass, and that has not gone back yet."""
        kind = type(self).__name__
        if self._last_pass is None:
            raise RuntimeError(
                f"{kind}: backward needs a forward or loss call just before it "
                "(predict and accuracy do not count: they keep nothing)"
            )
        if self._last_pass == "used":
            raise RuntimeError(
                f"{kind}: backward has been called already since the last forward or loss, and "
                "a pass goes back once: call loss (or forward) again before it. To add up the "
                "gradients of two batches: loss(A), backward(), loss(B), backward()"
            )
        mark, marked = self._mark, self._marked or {}
        for name in visited:
            for layer in marked[name]:
                if layer.kept_for is not mark:
                    raise self._run_elsewhere(name, marked[name][0])
        if self._last_pass == "loss":
            for name, head in self.heads.items():
                if head.loss.kept_for is not mark:
                    raise self._run_elsewhere(f"loss {name}", head.loss)

    def _run_elsewhere(self, name: str, layer: Layer) -> RuntimeError:
        return RuntimeError(
            f"{type(self).__name__}: {name} ({type(layer).__name__}) has been run by another net, "
            "or by itself as a net, since this net's last forward or loss, and keeps one pass "
            "only: go back before the other goes forward, or give one of the two nets "
            "layer.twin(), which shares what is learned and keeps its own pass"
        )


def _keepers(layer: Layer) -> list[Layer]:
    """The layer and those inside it, down to the nets, which look after their own."""
    if isinstance(layer, Passes):
        return [layer]
    held = [inner for _, inner in layer.walk() if isinstance(inner, Layer)]
    of_nets = {id(inner) for net in held if isinstance(net, Passes) for _, inner in net.walk()}
    return [layer, *(inner for inner in held if id(inner) not in of_nets)]
