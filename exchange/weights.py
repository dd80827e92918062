"""Weights in files of several formats, told apart by their endings."""

from pathlib import Path

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
    path: str | Path, net: Layer, strict: bool = True, names: dict | None = None
) -> str:
    """Put saved weights into a net; returns a line that says what was put in.

    The file is an .npz, or a .safetensors with Lamina's names or with those of a PyTorch
    `state_dict`, which `from_pytorch` turns into the net's, with `names` if they are given.
    Otherwise as nets.weights.load_weights: on any error, a ValueError, the net is as it was.
    """
    path = Path(path)
    if path.suffix in _PICKLES:
        raise ValueError(
            f"{path}: is a pickle, which can run code, and is not read; in PyTorch: "
            "safetensors.torch.save_file(model.state_dict(), 'model.safetensors')"
        )
    if path.suffix != ".safetensors":
        return npz.load_weights(path, net, strict)
    with open_safetensors(path) as (tensors, metadata):
        if metadata.get("format") == OURS["format"] or not is_pytorch(tensors):
            return put_in(path, net, tensors, strict)
        try:
            settings = {"names": names, "in_order": False, "partial": not strict}
            renamed, report = from_pytorch(tensors, net, **settings)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        return f"{put_in(path, net, renamed, strict)} ({report})"
