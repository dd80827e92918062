"""What the tests share, and when those that need something may skip."""

import importlib.util
import os
from pathlib import Path

import pytest

REASONS = {
    "needs_mnist": "no MNIST files: set LAMINA_DATA, or run "
    'python -c "from datasets import load_mnist; load_mnist()"',
    "needs_torch": "no PyTorch: pip install torch",
    "needs_jax": "no JAX: pip install -e '.[peers]'",
    "needs_autograd": "no autograd: pip install -e '.[peers]'",
    "needs_browser": "no Playwright: pip install -e '.[browser]'",
}
MODULES = {"needs_browser": "playwright"}  # the others are called as in their markers


def _there(marker: str) -> bool:
    if marker != "needs_mnist":
        module = MODULES.get(marker, marker.removeprefix("needs_"))
        return importlib.util.find_spec(module) is not None
    home = os.environ.get("LAMINA_DATA") or Path.home() / ".cache" / "lamina"
    return (Path(home) / "mnist" / "train-images-idx3-ubyte.gz").exists()


def pytest_collection_modifyitems(items):
    for item in items:
        for marker, reason in REASONS.items():
            if item.get_closest_marker(marker) and not _there(marker):
                item.add_marker(pytest.mark.skip(reason=reason))
