"""A net whose batches are cut into shards, each of which goes through a twin of the net."""

import copy

import numpy as np

from lamina.layers.base import Carried, Layer, Param, State
from lamina.nets import Net
from lamina.training.parallel.team import Team


class Sharded(Net):
    """The same net to whoever trains or evaluates it, faster on several threads.

    A batch is cut into `n` parts, in the order of its rows. Each goes through its own twin of
    `net`, of which the net itself is the first: parameters are shared, caches, gradients and random
    generators are each one's own. Losses are weighted by what counts in each part, and losses and
    gradients added up in the order of the parts: so what comes out depends on n, and not on how
    many `threads` work on it (default: as many as BLAS would use; BLAS has one in each).

    A layer that needs the whole batch adds up over its `group`, as BatchNormalization does. States,
    such as running averages, are afterwards those of all parts together: the mean of what the parts
    have, weighted by their rows, where they differ.

    `state()` has, beside that of the net, the generators of the other twins, as
    "shard1.dropout1.rng", and what they carry from batch to batch: each of its own rows. Raises
    ValueError for n < 1.
    """

    def __init__(self, net: Net, n: int, threads: int | None = None):
        if n < 1:
            raise ValueError(f"shards: expects at least 1, got {n}")
        self.net, self.team = net, Team(n, threads)
        self.inputs, self.outputs, self.heads = net.inputs, net.outputs, net.heads
        seeds = {id(h): h for _, h in net.walk() if isinstance(h, np.random.Generator)}
        spawned = {i: _children(rng, n - 1) for i, rng in seeds.items()}
        others = [_twin(net, {i: rngs[k] for i, rngs in spawned.items()}) for k in range(n - 1)]
        self.nets = [net, *others]
        members = [self.team.member(k) for k in range(n)]
        self._groups = [
            (layer, member)
            for one, member in zip(self.nets, members, strict=True)
            for layer in _layers(one)
        ]
        self._params = list(zip(*(one.parameters().values() for one in self.nets), strict=True))
        self._states = list(zip(*(_states(one) for one in self.nets), strict=True))
        self._shares: list[dict] = []  # of each part in each head's loss, of the last one

    @property
    def layers(self):
        return self.net.layers

    def members(self):
        return self.net.members()

    def walk(self, prefix=""):
        yield from self.net.walk(prefix)
        for k, one in enumerate(self.nets[1:], 1):
            for name, held in one.walk(f"{prefix}shard{k}."):
                if isinstance(held, (Carried, np.random.Generator)):
                    yield name, held

    def set_training(self, training):
        for one in self.nets:
            one.set_training(training)
        self.training = training

    def steps(self):
        return self.net.steps()

    def rows(self, *input_shapes):
        return self.net.rows(*input_shapes)

    def cut(self, rows: int) -> list[slice]:
        """The parts of a batch of so many rows, as even as they can be, none of them empty."""
        n = min(len(self.nets), rows)
        return [slice(k * rows // n, (k + 1) * rows // n) for k in range(n)]

    def loss(self, X, t):
        """As Net.loss. Raises ValueError for a training batch of fewer rows than shards."""
        self._last_pass = None
        parts = self.cut(len_of(X))
        if len(parts) < len(self.nets):
            raise ValueError(f"a batch of {len(parts)} rows for {len(self.nets)} shards")
        losses = self._each("losses", parts, X, t)
        self._take_states(parts)
        total, shares = None, [{} for _ in parts]
        for name, head in self.heads.items():
            of_head = [one.heads[name].loss for one in self.nets]
            for share, weight in zip(shares, _weights(of_head), strict=True):
                share[name] = weight
            values = [
                share[name] * values[name] for share, values in zip(shares, losses, strict=True)
            ]
            value = head.weight * sum(values[1:], values[0])
            total = value if total is None else total + value
        self._shares, self._last_pass = shares, "loss"
        return total

    def backward(self, dout=1.0):
        """After `loss`: add the gradients of all shards to those of the parameters."""
        if self._last_pass != "loss":
            raise RuntimeError("Sharded: backward needs a loss call just before it, and once")
        self._last_pass = "used"
        earlier = [params[0].grad for params in self._params]
        for params in self._params:
            for param in params:
                param.grad = None
        weights = {name: head.weight for name, head in self.heads.items()}
        self.team.run(lambda k: self._back(k, dout, weights))
        for (param, *others), before in zip(self._params, earlier, strict=True):
            gradients = [p.grad for p in (param, *others)]
            param.grad = before
            for gradient in gradients:
                if gradient is not None:
                    param.accumulate(gradient)
            for other in others:
                other.grad = None

    def _back(self, k: int, dout, weights: dict[str, float]) -> None:
        net, kept = self.nets[k], {}
        net.needs_dX = False
        for name, head in net.heads.items():
            kept[name] = head.weight
            head.weight = weights[name] * self._shares[k][name]
        try:
            net.backward(dout)
        finally:
            for name, weight in kept.items():
                net.heads[name].weight = weight

    def scores_and_losses(self, X, t):
        results = self._each("scores_and_losses", self.cut(len_of(X)), X, t)
        sums = {
            name: tuple(map(sum, zip(*(losses[name] for _, losses in results), strict=True)))
            for name in self.heads
        }
        return np.concatenate([scores for scores, _ in results]), sums

    def scores(self, X):
        return np.concatenate(self._each("scores", self.cut(len_of(X)), X))

    def forget(self):
        self._last_pass = None
        for one in self.nets:
            one.forget()

    def _each(self, method: str, parts: list[slice], *batch) -> list:
        """What a method of each twin gives for its part, beginning with the states of the net."""
        for layer, member in self._groups:  # the net may be that of other shards too
            layer.group = member
        for state, *others in self._states:
            for other in others:
                other.data = state.data.copy()  # a layer may change it in place
        given = [[part_of(arrays, part) for arrays in batch] for part in parts]
        return self.team.run(lambda k: getattr(self.nets[k], method)(*given[k]), len(parts))

    def _take_states(self, parts: list[slice]) -> None:
        """Make the states of the net those of all parts together."""
        n = parts[-1].stop
        for states in self._states:
            first, *others = arrays = [state.data for state in states]
            if first.dtype.kind != "f" or all(np.array_equal(first, other) for other in others):
                continue
            weighted = [a * ((p.stop - p.start) / n) for a, p in zip(arrays, parts, strict=True)]
            states[0].update(sum(weighted[1:], weighted[0]).astype(first.dtype))


class _SharedParam(Param):
    """The parameter of a twin: its array, and what is set for it, are those of another one."""

    __slots__ = ("of",)

    def __init__(self, of: Param):
        self.of, self.grad = of, None

    data = property(lambda self: self.of.data)
    trainable = property(lambda self: self.of.trainable)
    lr_mult = property(lambda self: self.of.lr_mult)
    decay_mult = property(lambda self: self.of.decay_mult)

    def __reduce__(self):
        return _SharedParam, (self.of,)


def len_of(X) -> int:
    """The rows of a batch: of an array, or of a tuple of one for each input."""
    return len(X[0] if isinstance(X, tuple) else X)


def part_of(batch, part: slice):
    """Some rows of an array, or of each in a tuple or a dict of arrays."""
    if isinstance(batch, dict):
        return {name: array[part] for name, array in batch.items()}
    return tuple(x[part] for x in batch) if isinstance(batch, tuple) else batch[part]


def _twin(net: Net, generators: dict[int, np.random.Generator]) -> Net:
    held = {id(h): h for _, h in net.walk() if isinstance(h, Param)}
    shared = {i: _SharedParam(param) for i, param in held.items()}
    return copy.deepcopy(net, shared | generators)


def _children(rng: np.random.Generator, n: int) -> list[np.random.Generator]:
    """n generators of the same kind, seeded by numbers from this one."""
    kind = type(rng.bit_generator)
    return [np.random.Generator(kind(rng.integers(2**32, size=4).tolist())) for _ in range(n)]


def _layers(net: Net) -> list[Layer]:
    return [held for _, held in net.walk() if isinstance(held, Layer)]


def _states(net: Net) -> list[State]:
    return [held for _, held in net.walk() if isinstance(held, State)]


def _weights(losses: list) -> list[float]:
    """The share of each part in the loss of the whole: by what counts in it, if it is a mean."""
    if losses[0].reduction == "sum":
        return [1.0] * len(losses)
    counted = [loss.weight for loss in losses]
    if None in counted:
        losses[0].summed(0.0)  # raises: says what the loss must do
    total = sum(counted) or 1.0
    return [(weight or 1.0) / total for weight in counted]  # without weight it is a sum already
