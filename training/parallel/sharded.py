"""A net whose batches are cut into shards, each of which goes through a twin of the net."""

import copy
import functools
import hashlib
import itertools

import numpy as np

from lamina.autodiff import Traced
from lamina.common.arguments import is_setting, parameters_of
from lamina.common.counts import check_count
from lamina.common.ranks import Alone
from lamina.layers.base import Carried, Layer, Param, State
from lamina.layers.errors import other_generators
from lamina.layers.saved_state import restore, saved
from lamina.layers.sparse_rows import dense
from lamina.nets import Net
from lamina.nets.net import check_weighs
from lamina.training.parallel.between import (
    FAST,
    ORDERED,
    REDUCTIONS,
    gradients_between,
    sum_between,
    sum_of,
)
from lamina.training.parallel.flat import leaves, rebuilt
from lamina.training.parallel.team import Team


class Sharded(Net):
    """The same net to whoever trains or evaluates it, faster on several threads, or ranks.

    A batch is cut into `n` parts, in the order of its rows. Each goes through its own twin of
    `net`, of which the net itself is the first: parameters are shared, caches, gradients and random
    generators are each one's own. Losses are weighted by what counts in each part, and losses and
    gradients added up in the order of the parts: so what comes out depends on n, and not on how
    many `threads` work on it (default: as many as BLAS would use; BLAS has one in each).

    The parts are spread over the `ranks` (common.ranks), each of which has twins for its own alone.
    Every rank must make the same calls, with the whole batch, and gets the same results: to the
    bit with one rank or several, unless `reduction` is "fast", which adds gradients in MPI's order.

    A layer that needs the whole batch adds up over its `group`, as BatchNormalization does. States,
    such as running averages, are afterwards those of all parts together: the mean of what the parts
    have, weighted by their rows, where they differ.

    `state()` has, beside that of the net, the generators of the other twins, as
    "shard1.dropout1.rng", and what they carry from batch to batch: each of its own rows. Raises
    ValueError for n < 1, for n < the number of ranks, and for another reduction, TypeError for a
    loss that is no layers.Loss or a layer whose random numbers are of another kind than
    numpy.random.Generator.
    """

    def __init__(
        self,
        net: Net,
        n: int,
        threads: int | None = None,
        *,
        ranks: Alone | None = None,
        reduction: str = ORDERED,
    ):
        check_count("shards", n)
        check_reduction(reduction)
        self.ranks = ranks = ranks or Alone()
        if n < ranks.size:
            raise ValueError(
                f"shards: {n} {'shard' if n == 1 else 'shards'} for {ranks.size} ranks; every rank "
                f"needs one: training.shards={ranks.size} or more, or fewer ranks"
            )
        if n > 1:
            _check_parts(net)
        self.net, self.n, self.reduction = net, n, reduction
        self.inputs, self.outputs, self.heads = net.inputs, net.outputs, net.heads
        ends = [r * n // ranks.size for r in range(ranks.size + 1)]
        self.counts = [b - a for a, b in itertools.pairwise(ends)]  # shards of each rank
        self.own = range(ends[ranks.rank], ends[ranks.rank + 1])  # of this one
        self.team = Team(len(self.own), threads)
        seeds = {id(h): h for _, h in net.walk() if isinstance(h, np.random.Generator)}
        spawned = {i: [rng, *_children(rng, n - 1)] for i, rng in seeds.items()}
        self.nets = [
            _twin(net, {i: rngs[k] for i, rngs in spawned.items()}) if k else net for k in self.own
        ]
        # Of all shards: those of other ranks stand where they stood when `state` was last called.
        here = {0: net, **dict(zip(self.own, self.nets, strict=True))}
        self._kept = [
            _kept(here[k]) if k in here else _stand_ins(net, spawned, k) for k in range(n)
        ]
        self._groups = [
            (layer, self.team.member(j))
            for j, one in enumerate(self.nets)
            for layer in _layers(one)
        ]
        # What each layer of the net was set to when its twins last heard of it.
        self._settings = [
            (layer, twins, {name: getattr(layer, name) for name in names})
            for layer, *twins in zip(*map(_layers, (net, *self.nets)), strict=True)
            if (names := _settings_of(layer))
        ]
        self._params = list(zip(*(one.parameters().values() for one in self.nets), strict=True))
        self._states = list(zip(*(_states(one) for one in (net, *self.nets)), strict=True))
        self._shares: list[dict] = []  # of our parts in each head's loss, of the last one
        self._counts: dict[str, list] = {}  # {head: how much counts in each part}, of the last one

    @property
    def layers(self):
        return self.net.layers

    def members(self):
        return self.net.members()

    def walk(self, prefix=""):
        yield from self.net.walk(prefix)
        for k, kept in enumerate(self._kept[1:], 1):
            for name, held in kept:
                yield f"{prefix}shard{k}.{name}", held

    def state(self):
        """As Layer.state; with several ranks all must call it, since each has a part of it."""
        if self.ranks.size > 1 and self._kept[0]:
            ours = {k: [saved(held) for _, held in self._kept[k]] for k in self.own}
            for k, states in itertools.chain(*(d.items() for d in self.ranks.all(ours, "a state"))):
                if k not in self.own:
                    for (_, held), state in zip(self._kept[k], states, strict=True):
                        restore(held, state)
        return super().state()

    def set_training(self, training):
        for one in (self.net, *self.nets):
            one.set_training(training)
        self.training = training

    def steps(self):
        return self.net.steps()

    def rows(self, *input_shapes):
        return self.net.rows(*input_shapes)

    def cut(self, rows: int) -> list[slice]:
        """The parts of a batch of so many rows, as even as they can be; one part, if there are
        fewer rows than shards."""
        n = self.n if rows >= self.n else 1
        return [slice(k * rows // n, (k + 1) * rows // n) for k in range(n)]

    def loss(self, X, t):
        """As Net.loss. Raises ValueError for a training batch of fewer rows than shards."""
        self._last_pass = None
        parts = self.cut(len_of(X))
        if len(parts) < self.n:
            raise ValueError(f"a batch of {len_of(X)} rows for {self.n} shards")
        losses = self._each("losses", parts, X, t)
        ours = [
            {name: (one.heads[name].loss.weight, leaves(value)) for name, value in of_heads.items()}
            for one, of_heads in zip(self.nets, losses, strict=True)
        ]
        told = list(itertools.chain(*self.ranks.all(ours, "the losses of a batch")))
        self._counts = {name: [one[name][0] for one in told] for name in self.heads}
        total, self._shares = None, [{} for _ in self.own]
        for name, head in self.heads.items():
            shares = _weights(self.nets[0].heads[name].loss, self._counts[name])
            for ours, k in zip(self._shares, self.own, strict=True):
                ours[name] = shares[k]
            like = losses[0][name]
            values = [w * rebuilt(like, one[name][1]) for w, one in zip(shares, told, strict=True)]
            value = head.weight * sum_of(values)
            total = value if total is None else total + value
        self._last_pass = "loss"
        return total

    def backward(self, dout=1.0):
        """After `loss`: add the gradients of all shards to those of the parameters."""
        if self._last_pass != "loss":
            raise RuntimeError("Sharded: backward needs a loss call just before it, and once")
        self._last_pass = "used"
        of_net = list(self.net.parameters().values())
        earlier = [param.grad for param in of_net]
        for param in itertools.chain(*self._params):
            param.grad = None
        weights = {name: head.weight for name, head in self.heads.items()}
        self.team.run(lambda j: self._back(j, dout, weights), total=self._total(self.n))
        shards = [[dense(params[j].grad) for params in self._params] for j in range(len(self.own))]
        for param in itertools.chain(*self._params):
            param.grad = None
        for param, before, gradient in zip(of_net, earlier, self._sums(shards), strict=True):
            param.grad = before
            if gradient is not None:
                param.accumulate(gradient)

    def counted(self):
        return {n: None if None in all_ else sum(all_) for n, all_ in self._counts.items()}

    def _sums(self, shards: list[list]) -> list:
        """The sum over all shards of the gradients of each parameter, in one layout in memory, so
        that norms of them are the same bits however many ranks there are."""
        if self.ranks.size > 1:
            like = [param.data for param in self.net.parameters().values()]
            fast = self.reduction == FAST
            return gradients_between(self.ranks, self.counts, like, shards, fast)
        there = [[g for g in gradients if g is not None] for gradients in zip(*shards, strict=True)]
        return [_in_rows(sum_of(gradients)) if gradients else None for gradients in there]

    def _back(self, j: int, dout, weights: dict[str, float]) -> None:
        net, kept = self.nets[j], {}
        net.needs_dX = False
        for name, head in net.heads.items():
            kept[name] = head.weight
            head.weight = weights[name] * self._shares[j][name]
        try:
            net.backward(dout)
        finally:
            for name, weight in kept.items():
                net.heads[name].weight = weight

    def scores_and_losses(self, X, t):
        ours = self._each("scores_and_losses", self.cut(len_of(X)), X, t)
        results = list(itertools.chain(*self.ranks.all(ours, "a batch to evaluate")))
        sums = {
            name: tuple(map(sum, zip(*(losses[name] for _, losses in results), strict=True)))
            for name in self.heads
        }
        return np.concatenate([scores for scores, _ in results]), sums

    def scores(self, X):
        ours = self._each("scores", self.cut(len_of(X)), X)
        return np.concatenate(list(itertools.chain(*self.ranks.all(ours, "a batch to score"))))

    def forget(self):
        self._last_pass = None
        for one in self.nets:
            one.forget()

    def one_blas_thread(self):
        """A context in which BLAS keeps to one thread, for what is done between the passes."""
        return self.team.one_blas_thread()

    def _each(self, method: str, parts: list[slice], *batch) -> list:
        """What a method of each of our twins gives for its part, beginning with the states of the
        net, which are those of all parts together afterwards."""
        for layer, member in self._groups:  # the net may be that of other shards too
            layer.group = member
        for layer, twins, heard in self._settings:  # what was set since is set for all
            for name, before in heard.items():
                if (value := getattr(layer, name)) is not before:
                    heard[name] = value
                    for twin in twins:
                        setattr(twin, name, value)
        for state, *others in self._states:
            for other in others:
                if other is not state:
                    other.data = state.data.copy()  # a layer may change it in place
        ours = [parts[k] for k in self.own if k < len(parts)]
        given = [[part_of(arrays, part) for arrays in batch] for part in ours]
        call = lambda j: getattr(self.nets[j], method)(*given[j])  # noqa: E731
        results = self.team.run(call, len(ours), self._total(len(parts)))
        if self.training:  # nothing else moves them
            self._take_states(parts, len(ours))
        return results

    def _total(self, n: int):
        """What gives the sum over n shards of what those of this rank bring to a meeting."""
        return functools.partial(sum_between, self.ranks, n)

    def _take_states(self, parts: list[slice], ours: int) -> None:
        """Make the states of the net those of all parts together, of which we have so many."""
        n = parts[-1].stop
        moved = [[other.data for other in others[:ours]] for _, *others in self._states]
        for (own, *_), arrays in zip(self._states, self._everywhere(moved), strict=True):
            value, *others = arrays
            if value.dtype.kind == "f" and not all(np.array_equal(value, a) for a in others):
                shares = [(part.stop - part.start) / n for part in parts]
                weighted = [a * share for a, share in zip(arrays, shares, strict=True)]
                value = sum_of(weighted).astype(value.dtype)
            if value is not own.data:
                own.update(value)

    def _everywhere(self, ours: list[list[np.ndarray]]) -> list[list[np.ndarray]]:
        """Of each state the arrays that the shards of all ranks have; one, where none differs."""
        if self.ranks.size == 1 or not ours:
            return ours
        digests = {_digest(arrays) for arrays in zip(*ours, strict=True)} or {b"none here"}
        if len(set().union(*self.ranks.all(digests, "the states after a batch"))) == 1:
            return [arrays[:1] for arrays in ours]
        told = self.ranks.all(ours, "states that differ")
        return [list(itertools.chain(*arrays)) for arrays in zip(*told, strict=True)]


class _SharedParam(Param):
    """The parameter of a twin: its array, and what is set for it, are those of another one."""

    __slots__ = ("of",)

    def __init__(self, of: Param):
        self.of, self.grad = of, None

    data = property(lambda self: self.of.data)
    trainable = property(lambda self: self.of.trainable)
    sparse = property(lambda self: self.of.sparse)
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


def _kept(net: Net) -> list[tuple]:
    """(name, object) of what each shard has for itself: generators, and what layers carry."""
    kinds = (Carried, np.random.Generator)
    return [(name, held) for name, held in net.walk() if isinstance(held, kinds)]


def _stand_ins(net: Net, spawned: dict[int, list], k: int) -> list[tuple]:
    """As `_kept`, for a shard of which this rank has no twin."""
    return [
        (name, spawned[id(held)][k] if id(held) in spawned else copy.deepcopy(held))
        for name, held in _kept(net)
    ]


def _check_parts(net: Net) -> None:
    """Raise TypeError if parts of a batch would not add up, or twins draw the same numbers."""
    check_weighs(net.heads)
    for layer in _layers(net):
        for name, held in other_generators(layer).items():
            raise TypeError(
                f"shards: {type(layer).__name__}.{name} is a {type(held).__name__}, of which every "
                "shard would draw the same numbers; hold a numpy.random.Generator: "
                "np.random.default_rng(seed)"
            )


def _layers(net: Net) -> list[Layer]:
    return [held for _, held in net.walk() if isinstance(held, Layer)]


def _settings_of(layer: Layer) -> list[str]:
    """The attributes that stand for an argument, and hold what can be set."""
    cls: type = type(layer)
    held = vars(layer)
    return [key for key in parameters_of(cls) if key in held and is_setting(held[key])]


def _states(net: Net) -> list[State]:
    return [held for _, held in net.walk() if isinstance(held, State)]


def _weights(loss, counted: list[float | None]) -> list[float]:
    """The share of each part in the loss of the whole: by what counts in it, if it is a mean."""
    if loss.reduction == "sum":
        return [1.0] * len(counted)
    known = [weight for weight in counted if weight is not None]
    if len(known) < len(counted):
        loss.summed(0.0)  # raises: says what the loss must do
    total = sum(known) or 1.0
    return [(weight or 1.0) / total for weight in known]  # without weight it is a sum already


def _in_rows(gradient):
    if isinstance(gradient, Traced) or gradient.flags.c_contiguous:
        return gradient
    return gradient.copy("C")


def _digest(arrays) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.digest()


def check_reduction(reduction: str) -> None:
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction: expects {' or '.join(REDUCTIONS)}, got {reduction!r}")
