"""The house: who may import whom, and what a start must not load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ORDER = (  # a room may import those of the lines before its own, and itself
    ("common",),
    ("autodiff", "datasets", "metrics"),
    ("layers",),
    ("nets", "optimizers"),
    ("training",),
    ("diagnosis",),
    ("experiment",),
    ("commands",),
)
MAY_IMPORT = {
    room: {name for before in ORDER[:i] for name in before}
    for i, rooms in enumerate(ORDER)
    for room in rooms
}
# Only these files may import them, and inside functions where a fast start gains from it.
HEAVY = {
    "matplotlib": {
        *("autodiff/draw/picture.py", "experiment/plots.py", "experiment/evaluate.py"),
        "diagnosis/picture.py",
    },
    "requests": {"datasets/download.py"},
    "urllib3": {"datasets/download.py"},
    "tqdm": {"datasets/download.py", "training/trainer.py"},
    "yaml": {"common/strict_yaml.py"},
    "threadpoolctl": {"layers/kernels/workers.py"},
}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (_room(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "lamina":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield _room(node.module)


def _room(module):
    """lamina.layers.base is of the room layers, numpy.linalg of numpy."""
    return module.removeprefix("lamina.").split(".")[0]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_run_one_way(room):
    for path in (ROOT / room).rglob("*.py"):
        rooms = set(imported(path)) & set(MAY_IMPORT)
        assert rooms <= MAY_IMPORT[room] | {room}, path


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_only_the_files_that_need_them_import_heavy_libraries(room):
    allowed = {"numpy", "lamina", "__version__", *MAY_IMPORT, *sys.stdlib_module_names}
    for path in (ROOT / room).rglob("*.py"):
        for name in set(imported(path)) - allowed:
            assert path.relative_to(ROOT).as_posix() in HEAVY.get(name, ()), f"{path}: {name}"


def test_a_start_loads_no_plotting_and_no_network():
    code = (
        "from lamina import layers, nets, optimizers, datasets, training; import sys; "
        "print([m for m in ('matplotlib', 'requests', 'tqdm', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_base_of_all_layers_stays_small():
    assert len((ROOT / "layers/base.py").read_text(encoding="utf-8").splitlines()) <= 150
