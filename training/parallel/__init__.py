"""One step on several threads or ranks: a batch in shards, each through a twin of the net."""

from lamina.training.parallel.between import FAST, ORDERED
from lamina.training.parallel.fastest import fastest_shards
from lamina.training.parallel.sharded import Sharded, check_reduction, len_of

__all__ = ["FAST", "ORDERED", "Sharded", "check_reduction", "fastest_shards", "len_of"]
