"""Libraries that only some need: whether one is there, and which extra of Lamina brings it."""

import importlib.util


def require(module: str, extra: str, who: str = "") -> None:
    """Raises ValueError, which says what to install, unless the library is there. `who` needs it,
    if that is not said elsewhere. Nothing is imported."""
    if importlib.util.find_spec(module) is None:
        raise ValueError(missing(module, extra, who))


def missing(library: str, extra: str, who: str = "") -> str:
    """What to say where a library is not there that `who` needs."""
    said = f"{who} needs" if who else "needs"
    return f"{said} the library {library}: pip install 'lamina[{extra}]'"
