"""The frame of the ledger: bands, records, the page, the command."""

import json
import math

import numpy as np
import pytest

from lamina.commands.frame import main
from lamina.experiments import entries
from lamina.experiments.entry import Band, Entry, Found, number
from lamina.experiments.figures import panels
from lamina.experiments.page import page
from lamina.experiments.record import read_record, run_entry


class Told(Entry):
    """Gives what it is told to."""

    name, title, source, minutes = "told", "What it is told", "nowhere", 2
    quick = (Band("speed", 1, 2, "m/s", "the law"), Band("length", 3))
    full = (Band("speed", 10, 20),)

    def __init__(self, speed=1.5, length=4.0):
        self.values, self.runs = {"speed": speed, "length": length}, 0

    def run(self, full):
        self.runs += 1
        return Found({"speed": 15.0} if full else self.values, panels()[0])


@pytest.fixture
def told(monkeypatch):
    """The one entry that there is."""
    entry = Told()
    monkeypatch.setattr(entries, "ENTRIES", (entry,))
    return entry


def run(tmp_path, *arguments):
    return main(["experiments", *arguments, "-o", str(tmp_path / "x")])


def test_a_band_holds_its_ends_and_no_nan():
    band = Band("share", 0.5, 0.75)
    assert [band.holds(x) for x in (0.5, 0.6, 0.75)] == [True] * 3
    assert [band.holds(x) for x in (0.4999, 0.7501, math.nan)] == [False] * 3
    assert Band("x", 3).holds(math.inf)


def test_a_band_in_words():
    assert str(Band("x", 0.5, 0.75, "%")) == "0.5 to 0.75 %"
    assert str(Band("x", -math.inf, 0.75)) == "at most 0.75"
    assert str(Band("x", 12_000)) == "at least 12,000"
    assert str(Band("x", 30, 30)) == "30"
    assert number(1.23456e-10) == "1.235e-10"


def test_a_record_is_read_as_it_was_written(tmp_path):
    entry = Told(speed=np.float32(1.25), length=math.nan)
    written = run_entry(entry, False, tmp_path)
    read = read_record(entry, tmp_path)
    assert math.isnan(read.values.pop("length"))
    assert math.isnan(written.values.pop("length"))
    assert read == written
    assert read.values == {"speed": 1.25}
    assert read.versions.keys() >= {"Lamina", "Python", "NumPy"}
    assert (tmp_path / "told.png").read_bytes()[:4] == b"\x89PNG"
    assert read_record(entry, tmp_path / "elsewhere") is None


@pytest.mark.parametrize(
    "change",
    [{"values": {}}, {"values": 1}, {"more": 1}, {"values": {"speed": "x", "length": 1}}, None],
)
def test_a_record_that_is_none_of_the_entry_as_it_is_now_is_none(tmp_path, change):
    run_entry(Told(), False, tmp_path)
    path = tmp_path / "told.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change) if change else "{")
    assert read_record(Told(), tmp_path) is None


def test_an_entry_that_gives_other_figures_than_it_has_bands_is_a_bug(tmp_path):
    entry = Told()
    entry.values = {"sped": 1.0}
    with pytest.raises(
        RuntimeError, match=r"told: gives \['sped'\], expects \['length', 'speed'\]"
    ):
        run_entry(entry, False, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_page_says_what_was_expected_what_came_and_what_was_missed(tmp_path):
    entry = Told(speed=2.5)
    text = page([(entry, run_entry(entry, False, tmp_path))], "x")
    assert "| [What it is told](#what-it-is-told) | nowhere | **1 of 2 MISSED** |" in text
    assert "| speed | 1 to 2 m/s (the law) | 2.5 m/s | **MISSED** |" in text
    assert "| length | at least 3 | 4 | in band |" in text
    assert "![What it is told](x/told.png)" in text
    assert "quick form" in text.splitlines()[-1]


def test_a_text_that_several_share_stands_on_the_page_once():
    text = page([(Told(), None), (Told(), None), (entries.ENTRIES[0], None), (Told(), None)], "x")
    assert text.count("Gives what it is told to.") == 2


def test_the_page_says_what_was_not_run_yet():
    text = page([(Told(), None)], "x")
    assert "| nowhere | not run yet |" in text
    assert "Not run yet: it takes 2 min." in text
    assert "![" not in text


def test_the_command_runs_all_and_writes_the_page(tmp_path, told, capsys):
    assert run(tmp_path) == 0
    assert "told: 2 of 2 in band" in capsys.readouterr().out
    assert "| speed | 1 to 2 m/s (the law) | 1.5 m/s | in band |" in (tmp_path / "x.md").read_text()
    assert run(tmp_path, "--full") == 0
    assert "| speed | 10 to 20 | 15 | in band |" in (tmp_path / "x.md").read_text()


def test_a_missed_band_is_exit_status_1_and_named(tmp_path, told, capsys):
    told.values["length"] = 2.0
    assert run(tmp_path, "told") == 1
    out = capsys.readouterr().out
    assert "told: 1 of 2 MISSED" in out
    assert "length: 2; expected at least 3" in out


def test_missing_runs_what_has_no_record_of_this_form(tmp_path, told):
    for arguments, runs in (
        (["--missing"], 1),
        (["--missing"], 1),
        (["--missing", "--full"], 2),
        ([], 3),
    ):
        assert run(tmp_path, *arguments) == 0
        assert told.runs == runs


def test_a_name_that_there_is_not_is_one_line(tmp_path, told, capsys):
    assert run(tmp_path, "tuld") == 2
    assert capsys.readouterr().err == (
        "lamina experiments: there is no experiment tuld; did you mean told?\n"
    )
    told.quick = ()
    assert run(tmp_path, "told") == 2
    assert "told: has no quick form; give --full" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_no_other_page_is_written_over(tmp_path, told, capsys):
    (tmp_path / "x.md").write_text("# Mine\n")
    assert run(tmp_path) == 2
    assert "x.md, which is no page of this command; give another folder" in capsys.readouterr().err
    assert (told.runs, (tmp_path / "x.md").read_text()) == (0, "# Mine\n")
    (tmp_path / "x.md").unlink()
    assert [run(tmp_path), run(tmp_path)] == [0, 0]


def test_a_folder_without_a_name_is_one_line(told, capsys):
    assert main(["experiments", "-o", "."]) == 2
    assert capsys.readouterr().err.startswith(
        "lamina experiments: -o .: expects a folder with a na"
    )


def test_the_list_says_how_long_each_takes(told, capsys):
    assert main(["experiments", "--list"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["told", "2", "min", "nowhere"]


def test_an_experiment_that_is_interrupted_leaves_the_record_before(tmp_path, told, capsys):
    run(tmp_path)
    before = (tmp_path / "x" / "told.json").read_bytes()

    def interrupted(full):
        raise KeyboardInterrupt

    told.run = interrupted
    assert run(tmp_path) == 130
    assert "--missing goes on" in capsys.readouterr().out
    assert (tmp_path / "x" / "told.json").read_bytes() == before
