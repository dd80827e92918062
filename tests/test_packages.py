"""One name to import: what the wheel takes along, and what else may lie about under our names.

The wheel itself is built, installed and trained with by .ci/wheel.
"""

import configparser
import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = sorted(
    path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name[0] != "."
)
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg", encoding="utf-8")
DATA = SETUP["options.package_data"]


def name_of(folder: Path) -> str:
    """What a folder of the checkout is called when it is installed."""
    parts = folder.relative_to(ROOT).parts
    return ".".join(parts if parts[0] == "lamina" else ("lamina", *parts))


def folders_with(pattern: str) -> set[Path]:
    return {path.parent for room in ROOMS for path in (ROOT / room).rglob(pattern)}


def test_setup_cfg_lists_every_package():
    """A forgotten one is there in a checkout, and missing in the wheel."""
    listed = SETUP["options"]["packages"].split()
    assert len(listed) == len(set(listed))
    assert set(listed) == {name_of(path) for path in folders_with("__init__.py")} | {
        "lamina.configs"  # which holds no code
    }


def test_setup_cfg_says_where_every_room_lies():
    lines = SETUP["options"]["package_dir"].strip().splitlines()
    listed = dict(map(str.strip, line.split("=")) for line in lines)
    assert listed == {name_of(ROOT / room): room for room in [*ROOMS, "configs"]}


def test_every_folder_of_code_is_a_package():
    bare = {path for path in folders_with("*.py") if not (path / "__init__.py").exists()}
    assert bare == set()


def is_matched(path: Path, package: str, patterns: str) -> bool:
    """Whether package_data names this file; a * of setuptools stays within its folder."""
    folder = ROOT.joinpath(*package.split(".")[1:]) if package != "lamina" else ROOT / "lamina"
    if not path.is_relative_to(folder):
        return False
    name = path.relative_to(folder)
    return any(name.match(p) and p.count("/") == len(name.parts) - 1 for p in patterns.split())


def test_every_file_that_is_no_code_is_package_data():
    """A forgotten one is there in a checkout, and missing in the wheel."""
    for room in [*ROOMS, "configs"]:
        for path in (ROOT / room).rglob("*.*"):
            if path.is_file() and path.suffix not in (".py", ".pyc"):
                assert any(is_matched(path, *listed) for listed in DATA.items()), path
    assert (ROOT / "lamina" / "py.typed").is_file()


def python(code: str, folder: Path, **environment) -> subprocess.CompletedProcess:
    """Python started in that folder, which comes first in its search, as at a prompt."""
    environment = {**os.environ, **environment}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_a_room_imported_by_its_bare_name_says_in_one_line_what_to_type():
    """Else each of its modules would exist twice, and an Affine be no Affine."""
    code = f"""
for room in {[room for room in ROOMS if room != "lamina"]}:
    try:
        __import__(room)
    except ImportError as error:
        print(room, "-", error)
"""
    done = python(code, ROOT)
    assert done.stderr == ""
    words = "imported by its full name only: from lamina.{0} import ..."
    assert done.stdout.splitlines() == [
        f"{room} - {words.format(room)}" for room in ROOMS if room != "lamina"
    ]


def is_installed() -> bool:
    """Is it this checkout that was installed, by pip install -e? An *.egg-info in it is no sign."""
    found = metadata.distributions(name="lamina")
    urls = (json.loads(d.read_text("direct_url.json") or "{}").get("url") for d in found)
    return ROOT.resolve().as_uri() in urls


@pytest.mark.parametrize("way", ["installed", "by its path"])
def test_empty_folders_of_our_names_are_in_nobodys_way(tmp_path, way):
    if way == "installed" and not is_installed():
        pytest.skip("this checkout is not installed: pip install -e .")
    for name in ("lamina", "datasets", "layers", "configs"):
        (tmp_path / name).mkdir()
    code = (
        "from lamina.datasets import MNIST; from lamina.experiment.find_config import find_config; "
        "import lamina.layers; print(MNIST.__module__, find_config('digits_relu'))"
    )
    search = {"PYTHONPATH": "" if way == "installed" else str(ROOT)}
    done = python(code, tmp_path, **search)
    assert done.returncode == 0, done.stderr
    module, config = done.stdout.split(maxsplit=1)
    assert module == "lamina.datasets.mnist"
    assert Path(config.strip()).is_absolute()
    assert "DrawnDigits" in Path(config.strip()).read_text(encoding="utf-8")
