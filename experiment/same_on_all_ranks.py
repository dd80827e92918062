"""Whether all ranks train the same: their software, configuration, own code, data and weights."""

import hashlib
import json
from pathlib import Path

import lamina.common
from lamina.common.ranks import Alone
from lamina.common.threads import blas_in_force
from lamina.experiment.provenance import decisive
from lamina.training.checkpoint import digest
from lamina.training.provenance import versions
from lamina.training.trainer import Trainer


def refuse_other_software(ranks: Alone) -> None:
    """Raises RankError, which names rank and software, unless all ranks have the same."""
    if ranks.size > 1:
        of_processor = {"BLAS": blas_in_force()}  # its kernels too, which round differently
        ranks.refuse_unlike({"source of Lamina": _source(), **versions(), **of_processor})


def refuse_other_runs(trainer: Trainer) -> None:
    """Raises RankError, which names what differs, unless all ranks are about to train the same, of
    which trainer.files.provenance tells, from the same weights."""
    if trainer.ranks.size == 1:
        return
    told = {
        name: json.loads(str(text))
        for name, text in trainer.files.provenance.items()
        if name != "data"
    }
    configuration = {
        f"configuration, {'.'.join(map(str, place))}": repr(value)
        for place, value in decisive(told["config"]).items()
    }
    own = {name: value for name, value in told["versions"].items() if name not in versions()}
    trainer.ranks.refuse_unlike(
        configuration
        | {f"code in {name}": value for name, value in own.items() if name.endswith(".py")}
        | {f"data, the {name} set": value for name, value in told["sets"].items()}
        | {"facts of the task": json.dumps(told["task"], sort_keys=True)}
    )
    weights = {name: digest({name: array})[:12] for name, array in trainer.worker.state().items()}
    trainer.ranks.refuse_unlike({f"weights to start from, {n}": d for n, d in weights.items()})


def _source() -> str:
    """A digest of all the code of the project."""
    root, found = Path(lamina.common.__file__).parents[1], hashlib.sha256()
    rooms = sorted(room for room in root.iterdir() if (room / "__init__.py").is_file())
    for path in (path for room in rooms for path in sorted(room.rglob("*.py"))):
        found.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return found.hexdigest()[:16]
