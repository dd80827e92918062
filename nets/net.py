"""What all nets share: gradients of a batch, predictions, accuracy, a summary."""

from pathlib import Path

import numpy as np

from lamina.layers.base import Layer, Param
from lamina.layers.errors import ShapeError, untrained_arrays
from lamina.layers.regression_loss import RegressionLoss
from lamina.layers.sparse_rows import dense
from lamina.metrics.accuracy import Accuracy
from lamina.nets.derivatives import Derivatives
from lamina.nets.head import Head
from lamina.nets.net_file import save_net
from lamina.nets.picture import NetPicture
from lamina.nets.shown import shown_net
from lamina.nets.stepwise import Stepwise
from lamina.nets.structure import structure
from lamina.nets.summary import summary


class Net(Derivatives, Stepwise):
    """Base of the nets. A net is a layer that holds layers, by name in `layers`, and may hold
    losses. All nets have one interface:

        inputs, outputs     names of the blobs that forward takes and returns
        heads               {name: Head} of the losses, {} without one
        steps()             the layers in order, with the blobs that they read and write
        loss(X, t), backward(), gradient(X, t), predict(X), accuracy(X, t), summary(...)
        picture(...)        the layers drawn from top to bottom
        step(x, state)      one position of a sequence at a time

    X is an array, or a tuple of one for each input; t an array for all heads, or a dict by target.
    Subclasses set `inputs`, `outputs`, `heads`, and have `forward`, `run`, `backward`, `steps` and
    `rows`.
    """

    inputs: tuple[str, ...] = ("X",)
    outputs: tuple[str, ...] = ()
    heads: dict[str, Head] = {}  # noqa: RUF012  (a net without a loss; never written into)
    written_as: str  # set by those that are written layer by layer, for themselves alone

    @property
    def loss_layer(self) -> Layer | None:
        """The first loss, or None."""
        return next((head.loss for head in self.heads.values()), None)

    @property
    def loss_of_scores(self) -> Layer | None:
        """The loss that reads what `scores` gives, the first output; of several the first. None
        where no loss does, so that it is not known what these numbers mean."""
        heads = self.heads.values()
        first = self.outputs[:1]
        return next((h.loss for h in heads if (h.input or first[0]) in first), None)

    @property
    def gives_pairs(self) -> bool:
        """Are its scores two vectors side by side, as a loss of pairs reads them?"""
        return getattr(self.loss_of_scores, "of_pairs", False)

    def members(self):
        losses = {name: head.loss for name, head in self.heads.items()}
        if list(losses) != ["loss"]:
            losses = {f"loss_{name}": loss for name, loss in losses.items()}
        return {**self.layers, **losses}

    def run(self, X) -> tuple:
        """(the first output, {head: the scores that it reads}) after a pass forward."""
        raise NotImplementedError(f"{type(self).__name__} has no run")

    def steps(self):
        """Each layer in its turn, as wiring.Step: name, layer, the blobs that it reads, writes."""
        raise NotImplementedError(f"{type(self).__name__} has no steps")

    def rows(self, *input_shapes):
        """Yield (name, layer, names of its inputs, output shape) of each layer, in order."""
        raise NotImplementedError(f"{type(self).__name__} has no rows")

    def loss(self, X, t):
        """The weighted sum of the losses, as a 0-d array. `backward()` then starts from it."""
        total = None
        for name, value in self.losses(X, t).items():
            weight = self.heads[name].weight
            value = value if weight == 1.0 else weight * value
            total = value if total is None else total + value
        return total

    def losses(self, X, t) -> dict:
        """{head: its loss, a 0-d array, not weighted}. `backward()` starts from their weighted
        sum."""
        read = self._run_to_heads(X)[1]
        values = {
            name: head.loss.forward(read[name], head.targets(name, t))
            for name, head in self.heads.items()
        }
        self._end_pass("loss")
        return values

    def scores_and_losses(self, X, t) -> tuple:
        """(scores, {head: (summed, weight)}): the first output, and of each head the loss added up
        over what counts in the batch, and how much counts, as Loss.summed and Loss.weight have it.

        One pass forward in the mode that is set. What a head weighs in `loss` is not in it. There
        is no backward after it.
        """
        check_weighs(self.heads)
        scores, read = self._run_to_heads(X)
        found = {}
        for name, head in self.heads.items():
            value = head.loss.forward(read[name], head.targets(name, t))
            found[name] = (head.loss.summed(value), head.loss.weight)
        return scores, found

    def counted(self) -> dict:
        """{head: how much counted in the last loss, as Loss.weight has it; None if not known}."""
        return {n: getattr(head.loss, "weight", None) for n, head in self.heads.items()}

    def _run_to_heads(self, X) -> tuple:
        if not self.heads:
            raise ValueError(
                f"{type(self).__name__}: the net has no loss; give one: Sequential(..., loss=...), "
                "Graph(..., losses=...)"
            )
        done = self.run(X)
        self._begin_losses()
        return done

    def flops(self, *input_shapes):
        return sum(self.flops_of_layers(*input_shapes).values())

    def flops_of_layers(self, *input_shapes) -> dict[str, int]:
        """{layer: additions and multiplications of its products}, for one sample forward."""
        shapes, flops = self.shapes_by_input(input_shapes), {}
        for name, layer, reads, shape in self.rows(*input_shapes):
            flops[name] = layer.flops(*(shapes[blob] for blob in reads))
            shapes |= blobs_of(name, shape)
        return flops

    def arrays_of(self, X) -> tuple:
        """X as a tuple of one array for each input. Raises TypeError if there are not as many."""
        arrays = X if isinstance(X, tuple) else (X,)
        if len(arrays) != len(self.inputs):
            names = ", ".join(self.inputs)
            raise TypeError(f"{type(self).__name__}: takes {names}; got {len(arrays)} inputs")
        return arrays

    def shapes_by_input(self, shapes: tuple) -> dict[str, tuple]:
        """{input: shape}. Raises TypeError unless there is a shape for each input."""
        if len(shapes) != len(self.inputs):
            what = f"the shape of a sample of {', '.join(self.inputs)}"
            given = ", ".join(map(str, shapes)) or "none"
            raise TypeError(f"{type(self).__name__}: expects {what}; got {given}")
        return dict(zip(self.inputs, shapes, strict=True))

    def gradient(self, X, t) -> dict:
        """Clear, go forward and backward: {"affine1.W": dL/dW, ...} for one batch.

        To add up gradients over several batches, call `loss` and `backward` yourself.
        """
        return self.gradient_of_batch(X, t)

    def gradient_of_batch(self, X, t) -> dict:
        """As `gradient`, which a subclass may rename the parameters of."""
        parameters = self.parameters()
        for param in parameters.values():
            param.grad = None
        self.loss(X, t)
        wanted, self.needs_dX = self.needs_dX, False
        try:
            self.backward()
        finally:
            self.needs_dX = wanted
        return {name: dense(param.grad) for name, param in parameters.items() if param.trainable}

    def scores(self, X):
        """What `forward` gives; of several outputs the first."""
        return self.run(X)[0]

    def predict(self, X, batch_size: int = 1000):
        """The scores in evaluation mode, computed in batches along the first axis; X is a tuple of
        arrays if the net has several inputs."""
        mode = self.training
        self.set_training(False)
        several = isinstance(X, tuple)
        first = X[0] if several else X
        try:
            if first.ndim == 1 or len(first) <= batch_size:
                return self.scores(X)
            rows = [slice(i, i + batch_size) for i in range(0, len(first), batch_size)]
            batches = (tuple(x[part] for x in X) if several else X[part] for part in rows)
            scores = []
            for batch in batches:
                self.reset()  # other rows are other sequences, wherever X is cut
                scores.append(self.scores(batch))
            return np.concatenate(scores)
        finally:
            self.set_training(mode)
            self.forget()

    def accuracy(self, X, t) -> float:
        """The share of samples whose highest score is that of the target class: metrics.Accuracy,
        with its errors for targets that are no classes. Targets that the loss of the scores ignores
        do not count. Raises ValueError where the loss takes no scores of classes."""
        loss, scores = self.loss_of_scores, self.predict(X)
        single = np.shape(scores)[-1:] == (1,)
        if self.gives_pairs or (single and isinstance(loss, RegressionLoss)):
            what = "one number" if single else "vectors"
            raise ValueError(
                f"accuracy: the net gives {what} for {type(loss).__name__}, and no score of a "
                "class; compare net.predict(X) with what you hold for the border"
            )
        accuracy = Accuracy(ignore_index=getattr(loss, "ignore_index", None))
        accuracy.update(scores, t)
        return accuracy.value()

    def summary(self, *input_shapes: tuple) -> str:
        """A table of the layers with their output shapes and parameter counts; print it."""
        return summary(self, *input_shapes)

    def picture(self, *input_shapes: tuple, title: str = "", page: str | None = None) -> NetPicture:
        """The layers drawn from top to bottom, for samples of these shapes: shows itself in a
        notebook, and `.save("net.svg")` writes it. `page` is "a4" or "16:9"; see NetPicture."""
        return NetPicture(self, *input_shapes, title=title, page=page)

    def structure(self) -> dict:
        """The net as plain data, as configurations have it under `net:`; see nets/structure.py."""
        return structure(self)

    def save(self, path: str | Path) -> None:
        """Write the whole net, structure and weights, to a file that `load_net` reads."""
        save_net(path, self)

    def __repr__(self):
        return shown_net(self)


def blobs_of(name: str, shape) -> dict[str, tuple]:
    """{blob: shape} of the outputs of a layer, from what its output_shape gave."""
    if not isinstance(shape, list):
        return {name: shape}
    return {f"{name}.{i}": one for i, one in enumerate(shape)}


def own_twin(layer: Layer, taken: set) -> Layer:
    """The layer, or a twin if it, or a layer in it, stands at another place already."""
    if taken & _identities(layer):
        layer = layer.twin()
    taken |= _identities(layer)
    return layer


def _identities(layer: Layer) -> set:
    return {id(layer), *(id(held) for _, held in layer.walk() if isinstance(held, Layer))}


def located(error: ShapeError, name: str, source: str) -> ShapeError:
    """The same error with the layer's place in the net: `affine2 (Affine): expects ...`."""
    if "(" in error.layer:  # from a nested net, which has named its own layer already
        layer, source = f"{name}.{error.layer}", error.source or source
    else:
        layer = f"{name} ({error.layer})"
    return ShapeError(layer, error.expected, error.got, source)


def place_of(name: str, layer: Layer) -> str:
    return f"{name} ({type(layer).__name__})"


def check_dtypes(parameters: dict[str, Param]) -> None:
    """One float64 parameter would make everything behind it float64, and its neighbours refuse."""
    dtypes = {name: param.data.dtype for name, param in parameters.items()}
    odd = [name for name, dtype in dtypes.items() if dtype != next(iter(dtypes.values()))]
    if odd:
        first = next(iter(dtypes))
        raise TypeError(
            f"{odd[0]} is {dtypes[odd[0]]}, but {first} is {dtypes[first]}: make all parameters of "
            f"a net with one dtype, as in Param(np.ones(n, np.{dtypes[first]}))"
        )


def check_member(name: str, layer) -> None:
    if not isinstance(layer, Layer):
        kind = layer.__name__ if isinstance(layer, type) else type(layer).__name__
        hint = f"an instance: {kind}(...)" if isinstance(layer, type) else "a layers.Layer"
        raise TypeError(f"{name}: expects {hint}, got {layer!r:.60}")
    if not isinstance(name, str) or "." in name or name == "loss":
        raise ValueError(f'layer name {name!r}: names have no dots, and "loss" is the loss layer')
    for attribute in untrained_arrays(layer):
        raise TypeError(
            f"{name} ({type(layer).__name__}): {attribute} is an array, not a Param, so it would "
            f"never train; wrap it: self.{attribute} = Param({attribute}), and in backward "
            f"self.{attribute}.accumulate(...)"
        )


def check_weighs(heads: dict[str, Head]) -> None:
    """Parts of a batch can be added up only if each loss says how much counted in it."""
    for name, head in heads.items():
        if not (hasattr(head.loss, "summed") and hasattr(head.loss, "reduction")):
            kind = type(head.loss).__name__
            raise TypeError(
                f"{name} ({kind}): expects a layers.Loss, which says how much counts in a batch, "
                f"got a Layer; write class {kind}(Loss), and in forward multiply the sum by "
                "self.scale(n), n being the number of samples"
            )


def check_of_scores(loss: Layer, gradient) -> None:
    """What a loss must give back."""
    if not hasattr(gradient, "shape"):
        raise TypeError(
            f"{type(loss).__name__}: backward returned {gradient!r:.60}; return the gradient of "
            "the scores, an array of their shape"
        )


def check_gradient(place: str, dX, shape: tuple, below: str) -> None:
    """What a layer's backward must give when a layer below it needs it."""
    if dX is None:
        raise TypeError(
            f"{place}: backward returned None, but {below} below it needs dX; return dX"
        )
    if dX.shape != shape:
        raise ValueError(
            f"{place}: backward returned dX of shape {dX.shape}, but the input had {shape}"
        )
