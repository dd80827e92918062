"""Several batches to an update: their losses and gradients added up to those of one large batch."""

import math

from lamina.common.errors import RunError


class Accumulation:
    """Weighs each batch by what counts in it (`Loss.weight`: samples, positions, class weights), as
    shards are weighed; losses with reduction "sum" are added up.

    How much counts is known after the loss of a batch, how much in all after the last. So a batch
    is scaled by what it counts beside the first one, over their number, and in the end all is
    divided by what that adds up to: by 1, where all count the same. Raises RunError where the
    losses of a net count differently, since their gradients come added up.
    """

    def __init__(self, net, n: int):
        self.net, self.n = net, n
        self.loss, self._scale = 0.0, 1.0
        self.factor = 1.0  # of the gradients in finish
        self._first: dict = {}
        self._total: dict = {}

    def scale(self) -> float:
        """What the gradient of the batch is to be scaled by; to be called after its loss."""
        scales = {}
        for name, weight in self.net.counted().items():
            if getattr(self.net.heads[name].loss, "reduction", "mean") == "sum":
                share, counts = 1.0, 1.0 / self.n
            elif weight is None:  # a loss of one's own that does not say: all alike
                share = counts = 1.0
            else:
                share, counts = weight or 1.0, weight  # without weight it is a sum already
            first = self._first.setdefault(name, share)
            scales[name] = share / first / self.n
            self._total[name] = self._total.get(name, 0.0) + counts / first / self.n
        self._scale = self._same(scales)
        return self._scale

    def add(self, value: float) -> None:
        """The value of the batch, unscaled."""
        self.loss += value * self._scale

    def finish(self, parameters: dict) -> float:
        """Bring the gradients to those of all batches together; returns their loss."""
        total = self._same(self._total) or 1.0 / next(iter(self._first.values())) / self.n
        if not math.isclose(total, 1.0, rel_tol=1e-12):
            self.loss /= total
            self.factor = 1.0 / total
            for param in parameters.values():
                if param.grad is not None:
                    param.grad = param.grad * param.grad.dtype.type(1.0 / total)
        return self.loss

    def _same(self, numbers: dict) -> float:
        first = next(iter(numbers.values()))
        if any(not math.isclose(number, first, rel_tol=1e-9) for number in numbers.values()):
            names = ", ".join(numbers)
            raise RunError(
                f"accumulate: expects that the losses {names} count alike in a batch, and they do "
                "not (class weights, what is ignored, or sum beside mean): one large batch would "
                "weigh them differently than several small ones; accumulate: 1"
            )
        return first
