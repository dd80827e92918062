"""Going on with a run: from its newest whole checkpoint, if the configuration still fits."""

import json
from pathlib import Path

import numpy as np

from lamina.common.folder import File, Folder, placed
from lamina.common.notice import note
from lamina.common.ranks import Alone
from lamina.experiment.build_trainer import Built, build_run
from lamina.experiment.config import Config, load_config
from lamina.experiment.provenance import data_changes, differences, provenance
from lamina.training.checkpoint import CheckpointError, load_checkpoint, saved_checkpoints
from lamina.training.provenance import WEIGHTS, as_json
from lamina.training.trainer import Trainer

_LISTED, _LONGEST = 20, 200  # differences that an error lists, characters of a value
# What arrays that `Trainer.state` never gave may raise.
_MALFORMED = (
    *(KeyError, ValueError, TypeError, IndexError, AttributeError),
    *(OverflowError, RecursionError),
)


def resumed_trainer(
    config: Config, run_dir: str | Path | Folder, quiet: bool = False, ranks: Alone | None = None
) -> Built:
    """A trainer that stands where the newest whole checkpoint of a run was taken, or at the start
    if the run has not come to one, and the configuration that is in force. What is damaged is
    reported. Raises CheckpointError if the configuration or the data are other ones than the run's,
    listing the differences."""
    run_dir, ranks = placed(run_dir), ranks or Alone()
    path, parts, config = ranks.from_first(lambda: _found(config, run_dir))
    if path is None:
        return _from_the_start(config, run_dir, quiet, ranks)
    return taken_from(path, parts, config, quiet, ranks)


def taken_from(
    path: Path | File,
    parts: dict[str, dict],
    config: Config,
    quiet: bool,
    ranks: Alone | None = None,
) -> Built:
    """A trainer that stands where this checkpoint, with these parts, was taken; see `put_back`.
    The weights that training began with need not be there still."""
    built = build_run(_settled(config, path.parent), weights=False, quiet=quiet, ranks=ranks)
    put_back(parts, path, *built)
    return built


def _found(config: Config, run_dir: Path | Folder) -> tuple[Path | None, dict, Config]:
    """The newest whole checkpoint and its parts, and the configuration with all that the run has
    settled; what the first rank reads for all, so no handle of a folder is in it."""
    path, parts = newest_whole(saved_checkpoints(run_dir))
    return None if path is None else Path(path), parts, _settled(config, run_dir)


def _from_the_start(config: Config, run_dir: Path | Folder, quiet: bool, ranks: Alone) -> Built:
    """Only what a run of this configuration has left before its first checkpoint is begun anew."""
    before = ranks.from_first(lambda: _begun(run_dir))
    built = build_run(config, quiet=quiet, ranks=ranks)
    built.trainer.files.provenance = provenance(*built)
    now = json.loads(str(built.trainer.files.provenance["config"]))
    _refuse(run_dir / "config.yaml", differences(json.loads(as_json(before)), now))
    note(f"{run_dir} has no checkpoint yet: from the start")
    return built


def _begun(run_dir: Path | Folder) -> dict:
    """The configuration of a run that has no checkpoint."""
    if (run_dir / "weights.npz").exists():
        raise CheckpointError(
            f"{run_dir} has weights, but no checkpoint to go on from; begin a new run, with net: "
            "{weights: FILE} if it is to begin with these"
        )
    return load_config(run_dir / "config.yaml").data


def _settled(config: Config, run_dir: Path | Folder) -> Config:
    """With the number of shards that the run has, where this one leaves it to a measurement."""
    training = config.data.get("training")
    if not isinstance(training, dict) or training.get("shards") != "auto":
        return config
    of_run = load_config(run_dir / "config.yaml").data["training"]
    return config.replaced({("training", "shards"): of_run.get("shards", 1)})


def newest_whole(saved: dict[int, Path | File]) -> tuple[Path | File | None, dict[str, dict]]:
    """The newest of these checkpoints that is not damaged, and its parts; None and none if there
    are none. Raises CheckpointError if all of them are damaged."""
    for path in reversed(saved.values()):
        try:
            return path, load_checkpoint(path)
        except CheckpointError as error:
            note(f"{error}; looking for an older one")
    if saved:
        folder = path.parent
        raise CheckpointError(
            f"{folder}: none of its checkpoints is whole; to train from the start, move them away"
        )
    return None, {}


def put_back(parts: dict[str, dict], path: Path | File, trainer: Trainer, config: Config) -> None:
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
        if "sets" in saved:
            names = [name for name in ("sets", "task", "preparation") if name in saved]
            wrong += data_changes({n: json.loads(saved[n]) for n in names}, trainer.dataset)
        versions, now_there = (dict(json.loads(s["versions"])) for s in (saved, now))
        # The weights that training began with need not be there any more.
        begun = {name: said for name, said in versions.items() if name.startswith(WEIGHTS)}
        now_there = {n: said for n, said in now_there.items() if not n.startswith(WEIGHTS)}
        trainer.files.provenance["versions"] = np.array(json.dumps(now_there | begun))
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
    _say_changes(versions, now_there)


def _refuse(path: Path | File, wrong: list[str]) -> None:
    if wrong:
        more = [f"and {len(wrong) - _LISTED} more"] if len(wrong) > _LISTED else []
        said = "; ".join([*wrong[:_LISTED], *more])
        raise CheckpointError(f"{path} does not fit the configuration: {said}")


def _say_changes(before: dict, now: dict) -> None:
    """Other software may round differently: that is no error, but good to know."""
    changed = [
        f"{name} {ascii(before.get(name))[1:-1][:_LONGEST]} before, {now[name]} now"
        for name in now
        if before.get(name) != now[name]
    ]
    if changed:
        note(f"{'; '.join(changed)}: the bits may differ from here on")
