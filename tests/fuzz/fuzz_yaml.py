"""Configurations: data that are the same after being written and read again, or one ConfigError."""

import contextlib
import zlib
from pathlib import Path

import guard

with guard.instrumented("training", "yaml"):
    from lamina.common import strict_yaml
    from lamina.experiment.config import Config, ConfigError, load_config

# YAML declares no sizes: this much for the tree of MAX_NODES nodes, whatever is in the file.
TREE = 48 << 20
ODD = [
    "a: &x {b: 1}\nc: {<<: *x, d: 2}\ne: [*x, *x]\n",
    "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n",
    "a: !!int '3'\nb: !!str 4\nc: !!float 1e3\nd: !!null ~\ne: !!bool yes\n",
    "a: \"\\x41\\u00e4\\U0001F600\\n\\\n  b\"\nb: 'it''s'\nc: |+\n  x\n\n  y\nd: >-2\n   z\n",
    "%YAML 1.1\n%TAG ! tag:x,2002:\n---\n? a\n: - 0x1F\n  - 0b11\n  - 017\n  - 1:30:00\n...\n",
    "a: [.inf, -.INF, .nan, 1.5e+3, 1:30.5, 2026-01-01, 2026-01-01T00:00:00Z, =, <<]\n",
    "a: !!binary aGk=\nb: !!set {x}\nc: !!omap [x: 1]\nd: !!timestamp 2026-01-01\n",
    "a: !!python/object/apply:os.system ['true']\n",
]


def seeds() -> list[bytes]:
    configs = Path(__file__).parents[2] / "configs"
    names = ("mnist_relu", "mnist_finetune", "own_csv")
    files = [(configs / f"{name}.yaml").read_bytes() for name in names]
    return [*files, *(text.encode() for text in ODD)]


def one_input(data: bytes) -> None:
    path = guard.file("config.yaml", data)
    measured = zlib.crc32(data) % 8 == 0  # one in eight: it takes three times as long
    config = guard.check(load_config, path, (ConfigError,), TREE, measured)
    if config is not None:
        text = strict_yaml.dump(config.data)
        found, _ = strict_yaml.parse(text)
        assert repr(found) == repr(config.data)  # repr: NaN is not equal to itself
    if zlib.crc32(data) % 8 == 1:
        _set(data)


def _set(data: bytes) -> None:
    """As a value of the command line, which may hold bytes that are no text."""
    config = Config({"a": {}}, "c.yaml", {}, Path())
    with contextlib.suppress(ConfigError):
        config.set("a.b=" + data.decode("utf-8", "surrogateescape").replace("\0", ""))


if __name__ == "__main__":
    guard.fuzz(one_input, seeds(), "-max_len=1024", traced=False)
