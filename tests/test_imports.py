"""The house: who may import whom, and what a start must not load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "autodiff": set(),
    "layers": {"autodiff"},
    "nets": {"autodiff", "layers"},
    "optimizers": {"autodiff", "layers"},
    "datasets": set(),
    "training": {"autodiff", "layers", "nets", "optimizers", "datasets"},
}
# Only these files may import them, and inside functions where a fast start gains from it.
HEAVY = {
    "matplotlib": {
        *("autodiff/draw/picture.py", "training/plots.py", "training/evaluate.py"),
        "training/doctor/picture.py",
    },
    "requests": {"datasets/download.py"},
    "urllib3": {"datasets/download.py"},
    "tqdm": {"datasets/download.py", "training/trainer.py"},
    "yaml": {"training/strict_yaml.py"},
    "threadpoolctl": {"layers/workers.py"},
}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_run_one_way(room):
    for path in (ROOT / room).rglob("*.py"):
        rooms = set(imported(path)) & set(MAY_IMPORT)
        assert rooms <= MAY_IMPORT[room] | {room}, path


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_only_the_files_that_need_them_import_heavy_libraries(room):
    allowed = {"numpy", *MAY_IMPORT, *sys.stdlib_module_names}
    for path in (ROOT / room).rglob("*.py"):
        for name in set(imported(path)) - allowed:
            assert path.relative_to(ROOT).as_posix() in HEAVY.get(name, ()), f"{path}: {name}"


def test_a_start_loads_no_plotting_and_no_network():
    code = (
        "import layers, nets, optimizers, datasets, training, sys; "
        "print([m for m in ('matplotlib', 'requests', 'tqdm', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_base_of_all_layers_stays_small():
    assert len((ROOT / "layers/base.py").read_text(encoding="utf-8").splitlines()) <= 150
