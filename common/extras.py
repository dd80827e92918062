"""Libraries that only some need: whether one is there, and which extra of Lamina brings it."""

import importlib.util


def require(module: str, extra: str, who: str = "") -> None:
    """Raises ValueError, which says what to install, unless the library is there. `who` needs it,
    if that is not said elsewhere. Nothing is imported."""
    if importlib.util.find_spec(module) is None:
        said = f"{who} needs" if who else "needs"
        raise ValueError(f"{said} the library {module}: pip install 'lamina[{extra}]'")
