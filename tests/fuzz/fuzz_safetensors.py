"""Safetensors files, as arrays and as weights: arrays, or one error and a net that is as before."""

import json

import guard

with guard.instrumented("exchange", "nets", "json"):
    import numpy as np

    from lamina.exchange import (
        SafetensorsError,
        load_weights,
        read_safetensors,
        save_weights,
        write_safetensors,
    )
    from lamina.layers import Affine, BatchNormalization
    from lamina.nets import Sequential

NET = Sequential({"fc1": Affine(3, 2, rng=0), "norm": BatchNormalization(2)})


def load_into_a_net(path) -> None:
    """Weights that fit are taken; on any error the net is as it was."""
    before = NET.state()
    try:
        load_weights(path, NET)
    except ValueError:
        after = NET.state()
        assert all(np.array_equal(after[n], before[n], equal_nan=True) for n in before)
        raise


def seeds() -> list[bytes]:
    """A byte that says how the rest is meant (see `one_input`), then a file or its header."""
    path = guard.file("seed.safetensors", b"")
    files = []
    save_weights(path, NET)
    files.append(path.read_bytes())
    pytorch = {"fc1.weight": np.ones((2, 3), np.float32), "fc1.bias": np.zeros(2, np.float16)}
    for name in ("weight", "bias", "running_mean", "running_var"):
        pytorch[f"norm.{name}"] = np.ones(2)
    write_safetensors(path, {**pytorch, "norm.num_batches_tracked": np.array(3)})
    files.append(path.read_bytes())
    write_safetensors(path, {"flags": np.array([True]), "none": np.zeros((0, 3), np.uint8)})
    files.append(path.read_bytes())
    headers = [content[8 : 8 + int.from_bytes(content[:8], "little")] for content in files]
    bf16 = {"a": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]}}
    headers.append(json.dumps(bf16).encode())
    return [b"\0" + content for content in files] + [b"\1" + header for header in headers]


def one_input(data: bytes) -> None:
    way, content = (data[0] % 2 if data else 0), data[1:]
    if way:  # a header, under its right length, before as many numbers as it declares, up to 4 KiB
        declared = min(max(_ends(content), default=0), 4096)
        content = len(content).to_bytes(8, "little") + content + bytes(declared)
    path = guard.file("arrays.safetensors", content)
    most = 4 * len(content) + guard.SLACK
    guard.check(read_safetensors, path, (SafetensorsError,), most)
    guard.check(load_into_a_net, path, (SafetensorsError, ValueError), most)


def _ends(header: bytes):
    try:
        yield from (about["data_offsets"][1] for about in json.loads(header).values())
    except Exception:
        return


if __name__ == "__main__":
    guard.fuzz(one_input, seeds())
