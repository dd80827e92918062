"""From the `module` of an estimator to a net: a list of layers, the `net:` of a configuration, or a
function that gives either, or a net."""

import inspect
from collections import Counter

from lamina.datasets import Dataset
from lamina.experiment.build_net import build_net
from lamina.experiment.config import Config
from lamina.experiment.rooms import LAYERS
from lamina.experiment.section import Section
from lamina.layers import Layer
from lamina.nets import Net

# One hidden layer, as scikit-learn's MLPClassifier and MLPRegressor have it.
DEFAULT = ({"type": "Affine", "n_out": 100}, "Relu", "Affine")
_CHAIN, _CHAINS = "Sequential", ("Sequential", "Graph")


def made_net(
    config: Config, module, settings: dict, criterion: dict | None, dataset: Dataset, rng
) -> Net:
    """The net for this data set, with a loss: `criterion`, a section, or the task's first one. The
    last layer of a chain takes its `n_out` from the task where it leaves it out. Raises TypeError
    for what is no module, ConfigError (a ValueError) for a net that cannot be or does not fit."""
    module = DEFAULT if module is None else module
    if callable(module):
        takes_rng = "rng" in inspect.signature(module).parameters
        module = module(**settings, **({"rng": rng.spawn(1)[0]} if takes_rng else {}))
        if isinstance(module, Layer):
            return _checked(config, module, criterion, dataset)
    elif settings:
        raise TypeError(
            f"{config.source}: module__{next(iter(settings))}: settings are for a module that is "
            "a function or a class, and this one is not"
        )
    if isinstance(module, (list, tuple)):
        module = {"type": _CHAIN, "layers": _named(config, module)}
    if not isinstance(module, dict):
        raise TypeError(
            f"{config.source}: module: expects a list of layers, the net: of a configuration as a "
            f"dict, or a function that gives one of these or a net; got {module!r:.60}"
        )
    net = dict(module)
    own = any(key in net for key in ("loss", "losses"))
    if criterion is not None or (net.get("type") in _CHAINS and not own):
        net["loss"] = criterion or {"type": dataset.task.losses[0]}
    if net.get("type") == _CHAIN and isinstance(net.get("layers"), dict) and net["layers"]:
        net["layers"] = _with_n_out(config, net["layers"], dataset)
    config.data["net"] = net
    return build_net(config, dataset, rng)


def _named(config: Config, layers) -> dict:
    """The layers of a list under names: affine1, relu1, affine2."""
    counts: Counter = Counter()
    named = {}
    for i, layer in enumerate(layers):
        layer = {"type": layer} if isinstance(layer, str) else layer
        if not isinstance(layer, dict) or not isinstance(layer.get("type"), str):
            raise TypeError(
                f"{config.source}: module: layer {i} of the list: expects a name or "
                f'{{"type": NAME, ...}}, got {layer!r:.60}'
            )
        kind = layer["type"].rpartition(":")[2].lower()
        counts[kind] += 1
        named[f"{kind}{counts[kind]}"] = layer
    return named


def _with_n_out(config: Config, layers: dict, dataset: Dataset) -> dict:
    """The same layers; the last one with as many outputs as the task needs, if it says none."""
    name, last = next(reversed(layers.items()))
    if not isinstance(last, dict) or "n_out" in last or "type" not in last:
        return layers
    cls = Section(config, ("net", "layers", name), last).resolve(LAYERS)
    if "n_out" not in inspect.signature(cls).parameters:
        return layers
    n_out = dataset.task.output_shape(dataset.target_shape)[-1]
    return {**layers, name: {**last, "n_out": n_out}}


def _checked(config: Config, net: Layer, criterion: dict | None, dataset: Dataset) -> Net:
    """A net that somebody has made, if it fits the task."""
    if not isinstance(net, Net) or not net.heads or criterion is not None:
        raise TypeError(
            f"{config.source}: module: a function that gives a layer gives a net with its loss, "
            f"Sequential(..., loss=...), and then there is no criterion; got {net!r:.60}"
        )
    shape = net.output_shape(dataset.input_shape)
    try:
        dataset.task.check_output(shape, dataset.target_shape)
        dataset.task.check_head(net.loss_of_scores, shape)
        if net.gives_pairs:
            loss = type(net.loss_of_scores).__name__
            raise ValueError(f"{loss} takes two vectors, of which no class is read")
    except ValueError as error:
        raise ValueError(f"{config.source}: module: {error}") from None
    return net
