"""Weights in Keras's own files: .weights.h5, .keras (which holds one) and whole models, .h5.

Read with h5py (extra `keras`), as far as Keras writes it: arrays that lie whole in the file, by
their paths in it. Nothing of the model itself is made, and no code of the file is run.
"""

import contextlib
import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np

from lamina.common.extras import missing

ENDINGS = (".h5", ".hdf5", ".keras")
_INSIDE = "model.weights.h5"
_LONGEST = 1 << 24  # bytes of a model's description
_MOST = 100_000  # groups and arrays of a file
_DENSE, _SCALED = ("kernel", "bias"), ("gamma", "beta")
# In .weights.h5 the variables of a layer have numbers, and a folder is called as the class is.
_VARIABLES = {
    "batch_normalization": (*_SCALED, "moving_mean", "moving_variance"),
    "conv2d": _DENSE,
    "dense": _DENSE,
    "embedding": ("embeddings",),
    "group_normalization": _SCALED,
    "layer_normalization": _SCALED,
}
_WITHOUT = {"dense": ("kernel",), "conv2d": ("kernel",)}  # a bias, which they need not have
_SEEDS = "seed_generator"  # of Dropout: no weights
_OPTIMIZER = "optimizer"  # beside the layers, of a model that was fitted before it was saved


@contextlib.contextmanager
def open_keras(path: str | Path):
    """{Keras's path of a variable: array with shape, dtype, where and read()}, while the file is
    open. Raises ValueError, naming the file, for what is none of Keras's, ModuleNotFoundError
    without h5py, OSError if it cannot be opened."""
    path = Path(path)
    try:
        import h5py
    except ModuleNotFoundError as error:
        message = missing("h5py", "keras", f"{path}: a file of Keras")
        raise ModuleNotFoundError(message, name=error.name) from None
    with path.open("rb") as file:
        archived = path.suffix == ".keras"
        content = _from_archive(path, file) if archived else file
        try:
            with h5py.File(content, "r") as opened:
                _check_order(path, "" if archived else str(opened.attrs.get("model_config", "")))
                yield _variables(path, h5py, opened)
        except OSError as error:  # h5py's words for what is no such file, or a damaged one
            said = " ".join(str(error).split())[:200]
            raise ValueError(f"{path}: is no whole HDF5 file ({said})") from None


def _from_archive(path: Path, file) -> io.BytesIO:
    try:
        with zipfile.ZipFile(file) as archive:
            entry = archive.getinfo(_INSIDE)
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > path.stat().st_size:
                raise ValueError(f"{path}: {_INSIDE} in it is packed, as Keras does not do it")
            if "config.json" in archive.namelist():
                with archive.open("config.json") as config:
                    _check_order(path, config.read(_LONGEST).decode(errors="replace"))
            return io.BytesIO(archive.read(entry))
    except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError, RuntimeError) as error:
        said = " ".join(str(error).split())[:200]
        raise ValueError(f"{path}: is no whole .keras file of Keras 3 ({said})") from None


def _check_order(path: Path, config: str) -> None:
    """Images with their channels first that reach a Flatten which does not know it: its rows are in
    another order than `from_keras` takes them to be."""
    try:
        found = list(_layers(json.loads(config)))
    except (ValueError, RecursionError):
        return  # what does not say it
    formats = {(kind, config.get("data_format")) for kind, config in found}
    firsts = any(said == "channels_first" for _, said in formats)
    if firsts and ("Flatten", "channels_last") in formats:
        raise ValueError(
            f"{path}: has layers with data_format channels_first and a Flatten with channels_last; "
            "if such images reach it, take the arrays from memory: from_keras({v.path: v.numpy() "
            "for v in model.weights}, net, channels_first=True)"
        )


def _layers(node):
    """(class, settings) of whatever a model's description describes, at any depth."""
    if isinstance(node, list):
        for one in node:
            yield from _layers(one)
    elif isinstance(node, dict):
        if isinstance(node.get("class_name"), str) and isinstance(node.get("config"), dict):
            yield node["class_name"], node["config"]
        yield from _layers(list(node.values()))


class _Stored:
    """An array of the file, read when it is asked for."""

    def __init__(self, where: str, dataset):
        self.where, self._dataset = where, dataset
        self.shape, self.dtype = tuple(dataset.shape), dataset.dtype
        if dataset.external or dataset.is_virtual or self.dtype.kind not in "fiub":
            raise ValueError(f"{where}: expects numbers that lie in the file, got {self.dtype}")
        if dataset.nbytes != dataset.id.get_storage_size():
            raise ValueError(f"{where}: is packed, or not whole: {dataset.nbytes} bytes expected")

    def read(self) -> np.ndarray:
        return self._dataset[()]


def _variables(path: Path, h5py, file) -> dict[str, _Stored]:
    top = file.get("model_weights", file)
    if "layer_names" in top.attrs:
        arrays = _arrays(path, h5py, top)
        found = {_without_model(name): array for name, array in arrays.items()}
    elif "layers" in file or "vars" in file:
        found = _by_number(path, h5py, file)
    else:
        raise ValueError(
            f"{path}: is HDF5, but none that Keras writes: model.save_weights('x.weights.h5')"
        )
    if not found:
        raise ValueError(f"{path}: holds no weights")
    return found


def _arrays(path: Path, h5py, top) -> dict[str, _Stored]:
    """All arrays below a group, by their paths, along plain links only."""
    found, waiting, seen = {}, [("", top)], 0
    while waiting:
        place, group = waiting.pop()
        for name in group:
            seen += 1
            here = f"{place}/{name}" if place else name
            if seen > _MOST or not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{path}: {here[:100]}: expects arrays in the file, and no links")
            held = group[name]
            if isinstance(held, h5py.Dataset):
                found[here] = _Stored(f"{path}: {here}", held)
            else:
                waiting.append((here, held))
    return found


def _without_model(name: str) -> str:
    """dense/kernel, of dense/sequential/dense/kernel:0 (the layer, the model's scopes, the layer
    again and the variable)."""
    layer, *scopes, variable = name.removesuffix(":0").split("/")
    inside = scopes[scopes.index(layer) + 1 :] if layer in scopes else scopes
    return "/".join((layer, *inside, variable))


def _by_number(path: Path, h5py, file) -> dict[str, _Stored]:
    """Of .weights.h5: layers/dense/vars/0, where the attribute `name` is the layer's own."""
    folders: dict[str, dict[int, _Stored]] = {}
    for name, array in _arrays(path, h5py, file).items():
        folder, _, number = name.rpartition("/vars/")
        if _SEEDS in folder or folder.split("/")[0] == _OPTIMIZER:
            continue
        if not folder or not re.fullmatch(r"\d{1,4}", number):
            raise ValueError(f"{path}: {name[:100]} is none of a layer's variables")
        folders.setdefault(folder, {})[int(number)] = array
    found = {}
    for folder, held in folders.items():
        *above, last = folder.removeprefix("layers/").split("/layers/")
        kind = re.sub(r"_\d+$", "", last)
        names = _VARIABLES.get(kind, ())
        if len(held) < len(names):
            names = _WITHOUT.get(kind, names)
        if sorted(held) != list(range(len(names))):
            raise ValueError(
                f"{path}: {folder} holds {len(held)} variables, and which they are is not known; "
                "write them with their names: write_safetensors('x.safetensors', "
                "{v.path: v.numpy() for v in model.weights})"
            )
        own = str(file[f"{folder}/vars"].attrs.get("name", last))
        for i, name in enumerate(names):
            found["/".join((*above, own, name))] = held[i]
    return found
