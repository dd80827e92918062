"""Weights in files of several formats, told apart by their endings."""

import contextlib
from pathlib import Path
from typing import Any

from lamina.exchange.keras import from_keras, is_keras
from lamina.exchange.keras_hdf5 import ENDINGS, open_keras
from lamina.exchange.pytorch import from_pytorch, is_pytorch
from lamina.exchange.safetensors import open_safetensors, write_safetensors
from lamina.layers import Layer
from lamina.layers.finite import refuse_bad_weights, weights_of
from lamina.nets import weights as npz
from lamina.nets.weights import put_in

OURS = {"format": "lamina"}  # the metadata of what we write
_PICKLES = (".pt", ".pth", ".ckpt", ".pkl")


def save_weights(path: str | Path, net: Layer) -> None:
    """Write parameters and states by name, as safetensors. Raises FloatingPointError if one of them
    is not finite, OSError naming the file if it cannot be written."""
    refuse_bad_weights(path, net)
    write_safetensors(path, weights_of(net), OURS)


def load_weights(
    path: str | Path,
    net: Layer,
    strict: bool = True,
    names: dict | None = None,
    channels: int | None = None,
) -> str:
    """Put saved weights into a net; returns a line that says what was put in.

    The file is an .npz, one that Keras wrote (.weights.h5, .keras, .h5), or a .safetensors with
    Lamina's names, those of a PyTorch `state_dict` or the paths of Keras's variables, which
    `from_pytorch` and `from_keras` turn into the net's, with `names` and `channels` if they are
    given.
    Otherwise as nets.weights.load_weights: on any error, a ValueError, the net is as it was.
    """
    path = Path(path)
    if path.suffix in _PICKLES:
        raise ValueError(
            f"{path}: is a pickle, which can run code, and is not read; in PyTorch: "
            "safetensors.torch.save_file(model.state_dict(), 'model.safetensors')"
        )
    given: dict[str, Any] = {"names": names, "in_order": False, "partial": not strict}
    with contextlib.ExitStack() as stack:
        try:
            if path.suffix in ENDINGS:
                arrays = stack.enter_context(open_keras(path))
                renamed, report = from_keras(arrays, net, **given, channels=channels)
            elif path.suffix != ".safetensors":
                _refuse_names(path, names)
                return npz.load_weights(path, net, strict)
            else:
                arrays, metadata = stack.enter_context(open_safetensors(path))
                ours = metadata.get("format") == OURS["format"]
                if not ours and is_keras(arrays):
                    renamed, report = from_keras(arrays, net, **given, channels=channels)
                elif not ours and is_pytorch(arrays):
                    renamed, report = from_pytorch(arrays, net, **given)
                else:
                    _refuse_names(path, names)
                    return put_in(path, net, arrays, strict)
        except ValueError as error:
            said = str(error).removeprefix(f"{path}: ")
            raise ValueError(said if said.startswith(str(path)) else f"{path}: {said}") from None
        return f"{put_in(path, net, renamed, strict)} ({report})"


def _refuse_names(path: Path, names: dict | None) -> None:
    if names:
        raise ValueError(f"{path}: has Lamina's names, and names= are for modules of others")
