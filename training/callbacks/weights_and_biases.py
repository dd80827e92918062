"""A run in Weights & Biases: offline, to be sent by hand, or online where that is asked for."""

import os
import secrets
import shutil
from pathlib import Path
from typing import Literal

from lamina.common.extras import require
from lamina.training.callbacks.tracker import FINISHED, Tracker, own_folder

MODES = ("offline", "online")


class WeightsAndBiases(Tracker):
    """The columns of history.csv by iteration, and the configuration.

    `mode` is offline (the default: nothing leaves the machine) or online. The files lie in
    RUN/wandb, in a folder for each time that the run was begun or taken up, all of one run. W&B
    writes late: what a run that was killed has left is thrown away, and logged anew.

        wandb sync RUN/wandb/offline-run-*

    `project` is that of W&B (default: the name of the folder that the run directory lies in). Needs
    the extra `wandb`.
    """

    def __init__(self, project: str = "", mode: Literal["offline", "online"] = "offline"):
        if mode not in MODES:
            raise ValueError(f"mode: expects one of {', '.join(MODES)}, got {mode}")
        require("wandb", "wandb", "WeightsAndBiases")
        self.project, self.mode = project, mode

    def begin(self, configuration: dict) -> None:
        online = self.mode == "online"
        if not online:  # reports of errors would go to the network too
            os.environ["WANDB_ERROR_REPORTING"] = "false"
        import wandb

        self.kept.setdefault("run", secrets.token_hex(8))
        folder = own_folder(self.folder, "wandb")
        if broken := self.kept.get("open"):
            if Path(broken).name.startswith("offline-run-"):
                shutil.rmtree(folder / Path(broken).name, ignore_errors=True)
            self.kept["logged"] = self.kept["whole"]
        self._run = wandb.init(
            dir=str(self.folder),
            id=self.kept["run"],
            name=self.folder.name,
            project=self.project or self.folder.resolve().parent.name or "lamina",
            config=configuration,
            mode=self.mode,
            resume="allow" if online else None,
            reinit="create_new",  # beside a run of W&B that the program itself may have
            settings=wandb.Settings(
                silent=True,
                console="off",
                disable_git=True,
                disable_code=True,
                x_disable_stats=True,
                x_disable_meta=True,
            ),
        )

        if not online:
            self.kept |= {"open": Path(self._run.dir).parent.name, "whole": self.kept["logged"]}
        self._remember()

    def log(self, row: dict[str, float]) -> None:
        self._run.log(dict(row), step=int(row["iteration"]))

    def end(self, how: str) -> None:
        self._run.finish(exit_code=0 if how == FINISHED else 1)
        self.kept.pop("open", None)
        self._remember()
