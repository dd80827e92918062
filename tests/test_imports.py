"""The house: who may import whom, and what a start must not load."""

import ast
import importlib.util
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
    ("exchange", "training"),
    ("diagnosis",),
    ("experiment",),
    ("estimators", "exercises", "experiments", "play"),
    ("commands",),
)
MAY_IMPORT = {
    room: {name for before in ORDER[:i] for name in before}
    for i, rooms in enumerate(ORDER)
    for room in rooms
}
# Only these files may import them, and inside functions where a fast start gains from it.
HEAVY = {
    "scipy": {"autodiff/scipy_special.py"},
    "matplotlib": {
        "common/figures.py",
        "common/fonts.py",
        *(
            "autodiff/draw/picture.py",
            "nets/picture/figure.py",
            "experiment/plots.py",
            "experiment/group_curves.py",
            "experiment/rate_finder.py",
            "experiment/sweep_picture.py",
            "experiment/inside.py",
        ),
        *(
            f"experiment/evaluation/{n}.py"
            for n in ("classification", "regression", "reconstruction")
        ),
        "diagnosis/picture.py",
        "experiments/figures.py",
    },
    "PIL": {f"datasets/{n}.py" for n in ("ink", "pictures")},
    "requests": {"datasets/download.py"},
    "urllib3": {"datasets/download.py"},
    "tqdm": {"common/notice.py"},
    "yaml": {"common/strict_yaml.py"},
    "google": {"exchange/onnx_in_file.py"},
    "lmdb": {"datasets/lmdb_rows.py"},
    "h5py": {"exchange/keras_hdf5.py"},
    "onnx": {"exchange/onnx_in_file.py"},
    "onnxruntime": {"exchange/onnx_in_check.py"},
    "sklearn": {f"estimators/{n}.py" for n in ("__init__", "classifier", "estimator", "regressor")},
    "threadpoolctl": {"common/threads.py"},
    "mpi4py": {"common/ranks.py"},
    "mlflow": {"training/callbacks/mlflow.py"},
    "optuna": {f"experiment/{n}.py" for n in ("importance", "ranges", "search")},
    "sqlalchemy": {"experiment/search.py"},
    "tensorboardX": {"training/callbacks/tensorboard.py"},
    "wandb": {"training/callbacks/weights_and_biases.py"},
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


def test_no_files_import_each_other_in_a_circle():
    """Imports inside functions count: they only hide that two files are one."""
    files = [path for room in MAY_IMPORT for path in (ROOT / room).rglob("*.py")]
    circles = circles_of({module_of(path): imported_files(path) for path in files})
    assert circles == []


def test_the_search_for_circles_finds_them():
    apart = {"a": {"b", "c"}, "b": {"c"}, "c": set()}
    assert circles_of(apart) == []
    assert circles_of({**apart, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert circles_of({"a": {"b"}, "b": {"a"}, "c": {"d"}, "d": {"c"}}) == [["a", "b"], ["c", "d"]]


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_files(path) -> set[str]:
    """The project's files that a file names in its imports. A package counts as its __init__; that
    importing a file runs the __init__ of its packages is no wish of the one who imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: import by full names"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found.add(name if _is_file(name.removeprefix("lamina.")) else node.module)
    ours = {name.removeprefix("lamina.") for name in found if name.startswith("lamina.")}
    return {name for name in ours if _is_file(name)}


def _is_file(module: str) -> bool:
    path = ROOT.joinpath(*module.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def circles_of(imports: dict[str, set[str]]) -> list[list[str]]:
    """The groups of files that reach each other, sorted."""
    reached = {name: set(others) & imports.keys() for name, others in imports.items()}
    growing = True
    while growing:
        growing = False
        for name, others in reached.items():
            further = others.union(*(reached[other] for other in others))
            growing = growing or further != others
            reached[name] = further
    in_circle = sorted(name for name, others in reached.items() if name in others)
    groups = {tuple(n for n in in_circle if n in reached[m] and m in reached[n]) for m in in_circle}
    return sorted(map(list, groups))


def test_a_start_loads_no_plotting_and_no_network():
    code = (
        "from lamina import layers, nets, optimizers, datasets, training; import sys; "
        "print([m for m in ('matplotlib', 'requests', 'tqdm', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_tracker_that_nobody_asks_for_loads_nothing():
    code = (
        "from lamina.training.callbacks import MLflow, TensorBoard, WeightsAndBiases; import sys; "
        "import lamina.training.trainer; TensorBoard(), MLflow(), WeightsAndBiases();"
        "print([m for m in ('tensorboardX', 'mlflow', 'wandb') if m in sys.modules])"
    )
    if not all(map(importlib.util.find_spec, ("tensorboardX", "mlflow", "wandb"))):
        pytest.skip("no trackers: pip install -e '.[peers]'")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
