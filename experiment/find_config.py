"""Configurations by name, from any directory: mnist_relu is configs/mnist_relu.yaml."""

from pathlib import Path

from lamina.common.names import suggest
from lamina.experiment.config import ConfigError


def find_config(name: str | Path) -> Path:
    """The file that is meant: a path, or a name, with or without .yaml, of a file in the current
    directory, in its configs/ or among the configurations that come with the project.

    Raises ConfigError, with the names that are known, if there is none.
    """
    path = Path(name)
    folders = [Path()]
    if len(path.parts) == 1:
        folders += [Path("configs"), *_own()]
    elif path.parts[:-1] == ("configs",):
        folders += [folder.parent for folder in _own()]
    for folder in folders:
        for candidate in (path, Path(f"{path}.yaml")):
            if (folder / candidate).is_file():
                return folder / candidate
    if path.exists():
        raise ConfigError(f"{path}: expects a YAML file")
    known = known_configs()
    names = f"known: {', '.join(sorted(known))}"
    near = suggest(path.stem, known)
    raise ConfigError(
        f"{path}: no such file or configuration{near if names in near else f'{near} {names}'}"
    )


def known_configs() -> set[str]:
    """The names of the configurations in configs/ and of those that come with the project."""
    return {file.stem for folder in (Path("configs"), *_own()) for file in folder.glob("*.yaml")}


def _own() -> list[Path]:
    """The folder of the configurations that come with the project. In a checkout and installed it
    lies beside this room; asking `lamina` for its path would depend on the current directory."""
    folder = Path(__file__).resolve().parent.parent / "configs"
    return [folder] if folder.is_dir() else []
