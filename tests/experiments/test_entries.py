"""The experiments themselves: the fast ones, quick, and what docs/ keeps of the full ones."""

from pathlib import Path

import pytest

from lamina.commands.frame import main
from lamina.experiments.entries import ENTRIES
from lamina.experiments.page import page
from lamina.experiments.record import read_record, run_entry

DOCS = Path(__file__).parents[2] / "docs"
FAST = ("valley",)  # seconds of all of them together


def by_name(name):
    return next(entry for entry in ENTRIES if entry.name == name)


@pytest.mark.parametrize("name", FAST)
def test_a_fast_experiment_is_in_its_bands(name, tmp_path):
    entry = by_name(name)
    record = run_entry(entry, False, tmp_path)
    assert [f"{b.what}: {record.values[b.what]}" for b in record.missed(entry)] == []


@pytest.mark.slow
def test_the_quick_form_of_all_of_them(tmp_path, capsys):
    """Two minutes; .ci/run has it too, as the command that it is."""
    status = main(["experiments", "-o", str(tmp_path / "experiments")])
    assert status == 0, capsys.readouterr().out


def test_every_entry_has_a_name_of_its_own_a_text_and_bands_that_can_be_missed():
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)
    for entry in ENTRIES:
        assert len(entry.text) > 80
        assert entry.full
        for full in (False, True):
            bands = entry.bands(full)
            assert len({band.what for band in bands}) == len(bands)
            for band in bands:
                assert band.low <= band.high
                assert not (band.holds(float("inf")) and band.holds(float("-inf")))


def test_the_page_in_docs_is_what_the_records_there_give():
    """Also after bands or texts have been changed: `lamina experiments --missing --full valley -o
    docs/experiments` writes it anew."""
    rows = [(entry, read_record(entry, DOCS / "experiments")) for entry in ENTRIES]
    assert (DOCS / "experiments.md").read_text(encoding="utf-8") == page(rows, "experiments")


def test_the_pictures_in_docs_are_small_and_those_of_the_records():
    there = {path.stem: path for path in (DOCS / "experiments").iterdir() if path.suffix == ".png"}
    recorded = {path.stem for path in (DOCS / "experiments").glob("*.json")}
    assert there.keys() == recorded
    assert recorded <= {entry.name for entry in ENTRIES}
    assert max(path.stat().st_size for path in there.values()) < 60_000
