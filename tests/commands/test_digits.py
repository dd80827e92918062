"""`lamina digits`: drawn digits in .npy files."""

import numpy as np
import pytest

from lamina.commands.frame import main


def test_digits_are_drawn_into_a_folder_and_nothing_is_written_over(tmp_path, capsys):
    assert main(["digits", str(tmp_path / "a" / "b"), "-n", "30", "--quiet"]) == 0
    assert np.load(tmp_path / "a" / "b" / "x.npy").shape == (30, 1, 28, 28)
    assert np.bincount(np.load(tmp_path / "a" / "b" / "t.npy")).tolist() == [3] * 10
    assert main(["digits", str(tmp_path / "a" / "b"), "-n", "30", "--quiet"]) == 2
    assert "x.npy: is there already; move it away" in capsys.readouterr().err


def test_numbers_that_cannot_be_make_no_folder(tmp_path):
    for wrong in (["-n", "0"], ["--seed", "-1"]):
        with pytest.raises(SystemExit):
            main(["digits", str(tmp_path / "a"), *wrong])
    assert not (tmp_path / "a").exists()
