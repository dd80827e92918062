"""One step on several threads: a batch cut into shards, each through a twin of the net."""

from lamina.training.parallel.fastest import fastest_shards
from lamina.training.parallel.sharded import Sharded, len_of

__all__ = ["Sharded", "fastest_shards", "len_of"]
