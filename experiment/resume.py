"""Going on with a run: from its newest whole checkpoint, if the configuration still fits."""

import hashlib
import json
import platform
import sys
from pathlib import Path

import numpy as np

from lamina.common.threads import blas
from lamina.experiment.build_net import OF_WEIGHTS
from lamina.experiment.build_trainer import Built, build_run
from lamina.experiment.config import Config, load_config
from lamina.training.checkpoint import CheckpointError, load_checkpoint, saved_checkpoints
from lamina.training.trainer import Trainer

# What may be another than before: it decides how long a run goes on and what it keeps, not what
# it learns; initial weights, which a checkpoint replaces; and where data lie.
_LENGTH = ("iterations", "epochs", "patience", "checkpoint", "record_every", "callbacks")
_FREE = (
    *(("training", key) for key in _LENGTH),
    *(("net", key) for key in OF_WEIGHTS),
    *(("dataset", key) for key in ("path", "test")),  # their contents are compared
)
_LISTED, _LONGEST = 20, 200  # differences that an error lists, characters of a value
# What arrays that `Trainer.state` never gave may raise.
_MALFORMED = (
    *(KeyError, ValueError, TypeError, IndexError, AttributeError),
    *(OverflowError, RecursionError),
)


def provenance(trainer: Trainer, config: Config) -> dict[str, np.ndarray]:
    """What a checkpoint says of its run, for `resumed_trainer` to compare with. `config` is the
    one that building has given."""
    data = [samples.fingerprint() for samples in trainer.dataset.sets().values()]
    return {
        "config": np.array(_as_json(config.data)),
        "data": np.array(" ".join(data)),
        "versions": np.array(json.dumps(_versions() | _own_code(config.data))),
    }


def resumed_trainer(config: Config, run_dir: str | Path, quiet: bool = False) -> Built:
    """A trainer that stands where the newest whole checkpoint of a run was taken, or at the start
    if the run has not come to one, and the configuration that is in force. What is damaged is
    reported. Raises CheckpointError if the configuration or the data are other ones than the run's,
    listing the differences."""
    run_dir = Path(run_dir)
    path, parts = newest_whole(saved_checkpoints(run_dir))
    if path is None:
        return _from_the_start(config, run_dir, quiet)
    return taken_from(path, parts, config, quiet)


def taken_from(path: Path, parts: dict[str, dict], config: Config, quiet: bool) -> Built:
    """A trainer that stands where this checkpoint, with these parts, was taken; see `put_back`.
    The weights that training began with need not be there still."""
    built = build_run(config, weights=False, quiet=quiet)
    put_back(parts, path, *built)
    return built


def _from_the_start(config: Config, run_dir: Path, quiet: bool) -> Built:
    """Only what a run of this configuration has left before its first checkpoint is begun anew."""
    if (run_dir / "weights.npz").exists():
        raise CheckpointError(
            f"{run_dir} has weights, but no checkpoint to go on from; begin a new run, with net: "
            "{weights: FILE} if it is to begin with these"
        )
    before = load_config(run_dir / "config.yaml").data
    built = build_run(config, quiet=quiet)
    built.trainer.files.provenance = provenance(*built)
    now = json.loads(str(built.trainer.files.provenance["config"]))
    _refuse(run_dir / "config.yaml", differences(json.loads(_as_json(before)), now))
    print(f"{run_dir} has no checkpoint yet: from the start", file=sys.stderr)
    return built


def newest_whole(saved: dict[int, Path]) -> tuple[Path | None, dict[str, dict]]:
    """The newest of these checkpoints that is not damaged, and its parts; None and none if there
    are none. Raises CheckpointError if all of them are damaged."""
    for path in reversed(saved.values()):
        try:
            return path, load_checkpoint(path)
        except CheckpointError as error:
            print(f"{error}; looking for an older one", file=sys.stderr)
    if saved:
        folder = path.parent
        raise CheckpointError(
            f"{folder}: none of its checkpoints is whole; to train from the start, move them away"
        )
    return None, {}


def put_back(parts: dict[str, dict], path: Path, trainer: Trainer, config: Config) -> None:
    """Bring a trainer of that configuration to where the parts of a checkpoint were taken, and tell
    it what its own checkpoints are to say of the run. Raises CheckpointError, which names `path`,
    if they do not fit; the trainer is of no use then."""
    try:
        saved = {name: str(text) for name, text in parts["provenance"].items()}
        trainer.files.provenance = provenance(trainer, config)
        now = {name: str(text) for name, text in trainer.files.provenance.items()}
        wrong = differences(json.loads(saved["config"]), json.loads(now["config"]))
        if saved["data"] != now["data"]:
            wrong.append("the data set has other contents than it had")
        versions = dict(json.loads(saved["versions"]))
        if not wrong:
            trainer.load_state(parts)
    except _MALFORMED as error:
        said = ascii(error)
        raise CheckpointError(f"{path} does not fit this run: {said[:_LONGEST]}") from None
    _refuse(path, wrong)
    if trainer.iteration > trainer.plan.iterations:
        raise CheckpointError(
            f"{path} is of iteration {trainer.iteration}, and training.iterations is "
            f"{trainer.plan.iterations}: nothing is left to do"
        )
    _say_changes(versions, json.loads(now["versions"]))


def _refuse(path: Path, wrong: list[str]) -> None:
    if wrong:
        more = [f"and {len(wrong) - _LISTED} more"] if len(wrong) > _LISTED else []
        said = "; ".join([*wrong[:_LISTED], *more])
        raise CheckpointError(f"{path} does not fit the configuration: {said}")


def differences(before: dict, now: dict) -> list[str]:
    """What two configurations do not agree in, of all that decides what a net learns."""
    flat = [
        {place: value for place, value in _flat(data) if place[:2] not in _FREE}
        for data in (before, now)
    ]
    wrong = [
        f"{_name(place)}: {_said(flat[0], place)} before, {_said(flat[1], place)} now"
        for place in flat[0] | flat[1]
        if place not in flat[0] or place not in flat[1] or flat[0][place] != flat[1][place]
    ]
    if not wrong and list(flat[0]) != list(flat[1]) and _order(flat[0]) != _order(flat[1]):
        wrong.append("net: its layers stand in another order")
    return wrong


def _flat(data, place: tuple = (), shorten: bool = True):
    """(place, value) of all values. Code of the user's own counts by the name of its file,
    wherever that lies, unless `shorten` is off."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _flat(value, (*place, key), shorten)
    elif isinstance(data, list) and any(map(_has_parts, data)):
        for i, value in enumerate(data):
            yield from _flat(value, (*place, i), shorten)
    else:
        yield place, _file_name(data) if shorten and _is_own(data) else data


def _has_parts(value) -> bool:
    return isinstance(value, (dict, list)) or _is_own(value)


def _is_own(value) -> bool:
    """Is this path.py:Name?"""
    file, colon, name = value.rpartition(".py:") if isinstance(value, str) else ("", "", "")
    return bool(file and colon) and name.isidentifier()


def _file_name(path: str) -> str:
    """The last part of a path, of whatever system it is."""
    return path.replace("\\", "/").rpartition("/")[2]


def _as_json(data: dict) -> str:
    return json.dumps(data, default=str)


def _said(flat: dict, place: tuple) -> str:
    return ascii(flat[place])[:_LONGEST] if place in flat else "not there"


def _name(place: tuple) -> str:
    """The dotted key; escaped, since a checkpoint may have come from anywhere."""
    return ascii(".".join(map(str, place)))[1:-1][:_LONGEST]


def _order(flat: dict) -> list:
    return list(dict.fromkeys(place[:3] for place in flat if place[0] == "net"))


def _versions() -> dict[str, str]:
    return {
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "BLAS": blas(),
        "machine": platform.machine(),
    }


def _own_code(data) -> dict[str, str]:
    """{file name: a digest of it} of the user's own classes and functions in a configuration."""
    found = {}
    for _, value in _flat(data, shorten=False):
        if _is_own(value) and (path := Path(value.rpartition(":")[0])).is_file():
            found[_file_name(str(path))] = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return found


def _say_changes(before: dict, now: dict) -> None:
    """Other software may round differently: that is no error, but good to know."""
    changed = [
        f"{name} {ascii(before.get(name))[1:-1][:_LONGEST]} before, {now[name]} now"
        for name in now
        if before.get(name) != now[name]
    ]
    if changed:
        print(f"{'; '.join(changed)}: the bits may differ from here on", file=sys.stderr)
