"""Lamina: a modular layer framework in NumPy.

Its packages are the folders beside this one: `from lamina.layers import Affine`.
"""

from pathlib import Path

__version__ = "0.1.0"

_checkout = Path(__file__).resolve().parent.parent
if (_checkout / "setup.cfg").is_file():  # in an installed copy they lie in this folder
    __path__.append(str(_checkout))
