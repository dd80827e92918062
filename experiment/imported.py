"""A net of another program as a configuration that trains it, beside its weights."""

from pathlib import Path

import numpy as np

from lamina.common.files import beside, whole_file
from lamina.common.strict_yaml import dump
from lamina.experiment.build import build_dataset, build_net, check_sections
from lamina.experiment.config import Config, load_config
from lamina.experiment.find_config import find_config
from lamina.nets import Graph, Net, Sequential
from lamina.nets.weights import save_weights


def write_configuration(path: Path, net: Graph | Sequential, like: Path) -> Path:
    """Write `path`, the configuration `like` with this net in place of its own, and its weights in
    an .npz of the same name, which is returned. The loss is that of the net of `like`.

    Raises, before anything is written, ConfigError if the net does not fit the data or the loss,
    FileExistsError if there is such an .npz.
    """
    config = load_config(find_config(like))
    check_sections(config)
    dataset = build_dataset(config)
    trained = _with_loss(net, build_net(config, dataset, np.random.default_rng(0), weights=False))
    data = config.data | {"net": trained.structure()}
    made = Config(data, str(path), {}, config.folder)
    build_net(made, dataset, np.random.default_rng(0), weights=False)
    weights = beside(path, ".npz")
    save_weights(weights, trained)
    data["net"]["weights"] = weights.name
    with whole_file(path) as file:
        file.write(dump(data).encode())
    return weights


def _with_loss(net: Graph | Sequential, like: Net) -> Net:
    if len(like.heads) != 1 or len(net.outputs) != 1:
        raise ValueError(
            f"the net has {len(net.outputs)} outputs and that of the configuration "
            f"{len(like.heads)} losses; one of each can be put together (--gives)"
        )
    if isinstance(net, Sequential):
        return Sequential(dict(net.layers), loss=like.loss_layer)
    return Graph(net.nodes, net.inputs, net.outputs, losses=like.loss_layer)
