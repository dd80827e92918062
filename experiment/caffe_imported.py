"""A net and a solver of Caffe as a configuration that trains, with weights beside it if given."""

import functools
from pathlib import Path

import numpy as np

from lamina.common.files import beside, whole_file
from lamina.common.notice import note
from lamina.common.npz import write_npz
from lamina.common.printable import printable
from lamina.common.strict_yaml import dump
from lamina.datasets import Dataset, ImageFolder
from lamina.datasets.dataset import TO_UNIT
from lamina.datasets.images import Images
from lamina.exchange.caffe import ReadNet, build, read_caffemodel, read_net, read_text
from lamina.exchange.caffe_data import batch_size, is_data
from lamina.exchange.caffe_message import CaffeError, Message
from lamina.exchange.caffe_net import CaffeLayer
from lamina.exchange.caffe_old import layers_of
from lamina.exchange.caffe_phase import is_there
from lamina.exchange.caffe_solver import net_of, optimizer_of, stages_of, training_of
from lamina.exchange.caffe_transform import Transform, mirrors
from lamina.experiment.build import build_dataset, build_net, check_sections
from lamina.experiment.config import Config, load_config
from lamina.experiment.find_config import find_config
from lamina.layers.finite import refuse_bad_weights
from lamina.nets import Net
from lamina.nets.weights import save_weights

_MNIST = {"type": "MNIST", "flatten": False}


def write_caffe_configuration(
    path: Path,
    net: Path | None,
    solver: Path,
    weights: Path | None = None,
    like: Path | None = None,
) -> list[Path]:
    """Write `path`: the net in its phase TRAIN, the optimizer and the training of the solver, and
    the data set of the configuration `like`; without one that is the net's LMDB databases, if they
    are there, or MNIST, if the net's data are.
    Returns the files written.

    Raises CaffeError or ConfigError, before anything is written, for what cannot be read and for a
    net that does not fit the data.
    """
    settings = read_text(solver, "SolverParameter")
    try:
        given = net_of(settings) if net is None else read_net(net)
        if isinstance(given, str):
            net = solver.parent / Path(given).name
            if not net.is_file():
                raise CaffeError(f"its net {given} is not beside it; give its .prototxt, too")
            given = read_net(net)
        sections = {"optimizer": optimizer_of(settings), "training": training_of(settings)}
    except CaffeError as error:
        said = str(error)
        said = said if said.startswith(str(net)) else f"{solver}: {said}"
        raise CaffeError(printable(said)) from None
    place = net or solver
    stages = stages_of(settings)
    dataset_section, folder = _dataset(given, place, stages, like)
    start = Config({"dataset": dataset_section}, str(path), {}, folder)
    dataset = build_dataset(start)
    arrays = None if weights is None else read_caffemodel(weights)
    transform = Transform(functools.partial(pixels_of, dataset), place.parent)
    read = build(
        given,
        place,
        arrays,
        phase="TRAIN",
        stages=stages,
        sample=dataset.input_shapes[0],
        transform=transform,
    )
    if weights is not None:
        refuse_bad_weights(weights, read.net)
    if not read.net.heads:
        raise CaffeError(f"{place}: has no loss in its phase TRAIN; give the net to train by")
    if read.reconstructs and dataset_section.get("task") != "reconstruction":
        raise CaffeError(
            f"{place}: its targets are its inputs; dataset: {{..., task: reconstruction}} of --like"
        )
    if dataset.input_shapes[0][:1] == (3,) and isinstance(dataset, ImageFolder):
        note(
            f"{place}: Caffe reads pictures as blue, green, red; those of ImageFolder are red, "
            "green, blue: means, and weights of a first layer, are for the other order"
        )
    net_section = short_structure(read.net, dataset.input_shapes)
    sections = {"dataset": dataset_section, "net": net_section, **sections}
    transform.left += _add_from_net(sections["training"], read, dataset)
    made = Config(sections, str(path), {}, folder)
    check_sections(made)
    build_net(made, dataset, np.random.default_rng(0), weights=False)
    files = [path]
    if weights is not None:
        files.append(beside(path, ".npz"))
        save_weights(files[1], read.net)
        net_section["weights"] = files[1].name
    elif transform.means:  # alone: the seed draws the others
        files.append(beside(path, ".npz"))
        means = [layer.b for layer in transform.means]
        held = {name: held.data for name, held in read.net.walk() if any(held is b for b in means)}
        write_npz(files[1], held)
        net_section |= {"weights": files[1].name, "partial_weights": True}
    with whole_file(path) as file:
        file.write(dump(sections).encode())
    for line in transform.left:
        note(printable(line))
    return files


def _add_from_net(training: dict, read: ReadNet, dataset: Dataset) -> list[str]:
    """What stands in the net there, and in the training here; gives what is left out, in words."""
    left = []
    sizes = [size for size in map(batch_size, read.data) if size]
    if sizes:
        training["batch_size"] = sizes[0]
    if any(map(mirrors, read.data)) and dataset.task.name == "reconstruction":
        left.append(
            "mirror is left out: there it turns inputs and targets of an autoencoder, and "
            "augmentation here the inputs alone"
        )
    elif any(map(mirrors, read.data)):
        training["augmentation"] = {"flip": True}
    if read.top_k:
        training["metrics"] = [
            "accuracy" if k == 1 else {"type": "TopK", "k": k} for k in read.top_k
        ]
    return left


def pixels_of(dataset: Dataset) -> tuple[float, float] | None:
    """What it makes of the bytes that it holds: (scale, offset); None if it holds none."""
    if isinstance(dataset, Images) and not dataset.normalise:
        return TO_UNIT  # known without the files
    samples = dataset.train
    if samples.X.dtype != np.uint8 or samples.widths is not None:
        return None
    return 1.0 if samples.scale is None else samples.scale, samples.offset


def _dataset(given: Message, place, stages: list, like: Path | None) -> tuple:
    """The section `dataset`, and the folder that its paths are looked for in."""
    if like is not None:
        config = load_config(find_config(like))
        check_sections(config)
        return config.data["dataset"], config.folder
    # Which layers of data there are is known without shapes.
    data = [layer for layer in _data_layers(given, stages) if layer.type == "Data"]
    tops = data[0].tops if data else []
    if (section := _databases(given, place, stages)) is not None:
        return section if len(tops) != 1 else section | {"task": "reconstruction"}, Path()
    sources = " ".join(layer("data_param")["source"] for layer in data).lower()
    if "mnist" in sources and "fashion" not in sources and "siamese" not in sources:
        return dict(_MNIST) if len(tops) != 1 else _MNIST | {"task": "reconstruction"}, Path()
    kinds = ", ".join(layer.place for layer in _data_layers(given, stages)) or "no layer of data"
    raise CaffeError(
        f"{place}: its data ({kinds}) are no data set here; say which is to be taken with --like "
        "CONFIG, whose dataset is used (type: NPY for images of your own)"
    )


def _databases(given: Message, place, stages: list) -> dict | None:
    """The LMDB databases of the two phases as a data set, if both are there."""
    found: dict[str, str] = {}
    for phase, key in (("TRAIN", "path"), ("TEST", "test")):
        for layer in _data_layers(given, stages, phase):
            if layer.type != "Data" or layer("data_param")["backend"] != "LMDB":
                continue
            source = Path(layer("data_param")["source"])
            folders = (source, Path(place).parent / source.name)
            there = next((f for f in folders if (f / "data.mdb").is_file()), None)
            if there is not None:
                found.setdefault(key, str(there.resolve()))
    return {"type": "LMDB", **found} if len(found) == 2 else None


def _data_layers(given: Message, stages: list, phase: str = "TRAIN") -> list:
    state = Message("NetState", phase=phase, stage=[*given["state"]["stage"], *stages])
    layers = [CaffeLayer(message) for message in layers_of(given) if is_there(message, state)]
    return [layer for layer in layers if is_data(layer)]


def short_structure(net: Net, shapes: list) -> dict:
    """The structure of a net, without what its layers take from the shapes of their inputs."""
    found = net.structure()
    known = dict(zip(net.inputs, shapes, strict=True))
    steps = {step.name: step for step in net.steps()}
    for name, layer, reads, shape in net.rows(*shapes):
        written = found["layers"].get(name, {})
        if "type" in written and known[reads[0]] is not None:
            for argument, value in layer.infer(known[reads[0]]).items():
                if written.get(argument) == value:
                    del written[argument]
        several = shape if isinstance(shape, list) else [shape]
        known |= zip(steps[name].writes, several, strict=False)
    return found
