"""README and docs say what is: their lists are complete, their commands parse. Their code runs in
tests/docs/."""

import argparse
import importlib
import re
import shlex
from collections import Counter
from pathlib import Path

import pytest
import yaml

from lamina.commands.frame import COMMANDS
from lamina.experiment.build_trainer import TRAINING_KEYS
from lamina.experiment.find_config import find_config
from lamina.experiment.setting import set_value
from lamina.layers.initializers import INITIALIZERS
from lamina.metrics import METRICS
from lamina.optimizers.schedules import SCHEDULES

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
TABLES = [ROOT / "docs/configs.md", ROOT / "docs/ko/configs.md"]  # of configurations
ROOMS = (
    *("layers", "nets", "optimizers", "metrics", "datasets", "exchange", "estimators"),
    "training.callbacks",
)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def blocks(path: Path, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", text_of(path), re.DOTALL)


def commands(path: Path) -> list[str]:
    """The command lines of the shell blocks, and those that stand in the text."""
    lines = "".join(blocks(path, "sh")).splitlines()
    lines += re.findall(r"`((?:lamina|python train\.py) [^`\n]+)`", text_of(path))
    starts = re.compile(r"(?:.*&& )?((?:lamina|python train\.py)\b.*)")
    found = [match[1] for line in lines if (match := starts.fullmatch(line))]
    # `lamina draw` alone is prose.
    return [c for c in found if "..." not in c and len(shlex.split(c)) > 2]


COMMAND_LINES = sorted({c for page in PAGES for c in commands(page)})


def parsed(command: str):
    """(module, options) of a command line; SystemExit unless it parses."""
    words = shlex.split(command)
    words = ["lamina", "train", *words[2:]] if words[0] == "python" else words
    assert words[1] in COMMANDS, command
    module = importlib.import_module(f"lamina.commands.{words[1]}")
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return module, parser.parse_args(getattr(module, "guarded", list)(words[2:]))


@pytest.mark.parametrize("room", ROOMS)
def test_parts_lists_every_name_of_a_room(room):
    names = set(importlib.import_module(f"lamina.{room}").__all__)
    listed = set(re.findall(r"\b\w+", " ".join(re.findall(r"`([^`]+)`", section_of(room)))))
    assert names - listed == set()
    called = set(re.findall(r"`([A-Z]\w+)(?:\([^`]*\))?`", section_of(room)))
    assert called - names == set()  # and nothing that there is not


def section_of(room: str) -> str:
    parts = re.split(r"^## ", text_of(ROOT / "docs/parts.md"), flags=re.MULTILINE)
    return "\n".join(part for part in parts if f"(`lamina.{room}`)" in part.splitlines()[0])


@pytest.mark.parametrize(
    ("room", "table"),
    [("layers", INITIALIZERS), ("optimizers", SCHEDULES), ("metrics", METRICS)],
    ids=["initializers", "schedules", "metrics"],
)
def test_parts_lists_what_has_a_name_of_its_own(room, table):
    listed = set(re.findall(r"`(\w+)`", section_of(room)))
    assert {name for name in table if name != "top_k"} - listed == set()


def test_configuration_lists_every_key_of_training():
    section = text_of(ROOT / "docs/configuration.md").split("\n## training\n")[1].split("\n## ")[0]
    first = "".join(re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", first)) == set(TRAINING_KEYS)


def test_there_are_commands_of_every_kind_to_look_at():
    used = {shlex.split(command)[1] for command in COMMAND_LINES if command.startswith("lamina")}
    assert used >= COMMANDS.keys()


@pytest.mark.parametrize("command", COMMAND_LINES)
def test_every_command_line_parses(command):
    if command.endswith(("--help", "--version")):
        return
    _, options = parsed(command)
    named = getattr(options, "config", None) or "digits_relu"
    if assignments := getattr(options, "set", ()):
        data = yaml.safe_load(text_of(find_config(named)))
        for assignment in assignments:
            set_value(data, assignment)
        assert not {"iterations", "epochs"} <= data["training"].keys()  # two lengths of one run
    for name in (getattr(options, "config", None), getattr(options, "source", None)):
        if name and re.fullmatch(r"(configs/)?(mnist|digits|fashion)_\w+(\.yaml)?", str(name)):
            assert find_config(name)


@pytest.mark.parametrize("page", TABLES, ids=lambda page: page.parent.name)
def test_the_table_of_configurations_names_those_that_there_are(page):
    there = {path.stem for path in (ROOT / "configs").glob("*.yaml")}
    rows = re.findall(r"^\| `(\w+)` \|", text_of(page), re.MULTILINE)
    assert set(rows) <= there
    assert {name for name in there if name not in text_of(page)} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_line_of_code_is_wider_than_a_small_screen_can_scroll(page):
    code = "".join("".join(blocks(page, kind)) for kind in ("sh", "yaml", "python")).splitlines()
    assert [line for line in code if len(line) > 100] == []


@pytest.mark.parametrize("name", ["CHANGELOG.md", "docs/decisions.md"])
def test_nothing_is_said_twice(name):
    """Two branches that add to the end of a list are easily put together so."""
    text = (ROOT / name).read_text(encoding="utf-8")
    said = re.split(r"\n(?=- |\*\*|#)", text)
    again = [part[:80] for part, n in Counter(map(str.strip, said)).items() if n > 1]
    assert not again
    headings = re.findall(r"^\*\*(.+?)\*\*", text, re.M)
    assert len(set(headings)) == len(headings)
