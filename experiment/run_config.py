"""The configuration in a run directory, which may come from somebody else: it runs no code."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from lamina.common.errors import no_run
from lamina.experiment.config import Config, ConfigError, load_config


def load_run_config(run_dir: str | Path, code: Iterable[str | Path] = ()) -> Config:
    """The configuration of a run. Where it names a class as path.py:Class, building it runs that
    file if the user has named it in `code`, and else refuses, saying which file it is.

    Raises ConfigError if there is no config.yaml, or no such file of code.
    """
    path = Path(run_dir) / "config.yaml"
    if not path.is_file():
        raise ConfigError(no_run(run_dir, "config.yaml"))
    for file in code:
        if not Path(file).is_file():
            raise ConfigError(f"--code {file}: no such file")
    config = load_config(path)
    config.allowed_code = {Path(file).resolve() for file in code}
    return config


def add_code_option(parser: argparse.ArgumentParser) -> None:
    """--code FILE, repeatable, for commands that take a run directory."""
    parser.add_argument(
        "--code",
        type=Path,
        action="append",
        default=[],
        metavar="FILE.py",
        help="a file of your own classes and functions that the run may run; repeatable",
    )


def add_changed_option(parser: argparse.ArgumentParser) -> None:
    """--changed, for commands that use the data and the code of a run."""
    parser.add_argument(
        "--changed",
        action="store_true",
        help="go on although data, code or configuration are not those of the training",
    )
