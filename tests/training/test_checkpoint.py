"""Checkpoints: whole, or refused."""

import numpy as np
import pytest

from lamina.training.checkpoint import (
    CheckpointError,
    Checkpoints,
    load_checkpoint,
    save_checkpoint,
    saved_checkpoints,
)

PARTS = {
    "net": {"affine1.W": np.arange(12, dtype=np.float32).reshape(3, 4).T, "affine1.b": np.ones(3)},
    "trainer": {"iteration": np.array(7)},
    "about": {"config": np.array("net: {}\nΔ: 1\n")},
}


def equal(a, b):
    return a.keys() == b.keys() and all(
        a[p].keys() == b[p].keys()
        and all(
            a[p][n].dtype == b[p][n].dtype and a[p][n].tobytes() == b[p][n].tobytes() for n in a[p]
        )
        for p in a
    )


def test_what_is_saved_comes_back(tmp_path):
    save_checkpoint(tmp_path / "c.npz", PARTS)
    assert equal(load_checkpoint(tmp_path / "c.npz"), PARTS)
    assert [path.name for path in tmp_path.iterdir()] == ["c.npz"]


def test_every_flipped_byte_is_noticed_or_means_nothing(tmp_path):
    path = tmp_path / "c.npz"
    save_checkpoint(path, PARTS)
    whole = path.read_bytes()
    said = []
    for i in range(0, len(whole), 2):
        damaged = bytearray(whole)
        damaged[i] ^= 0xFF
        path.write_bytes(damaged)
        try:
            assert equal(load_checkpoint(path), PARTS), i
        except CheckpointError as error:
            said.append(str(error))
    assert all(str(path) in words for words in said)
    # The rest are dates, attributes, and what the archive says twice.
    assert len(said) > 0.7 * len(whole) / 2


def test_every_cut_is_noticed(tmp_path):
    path = tmp_path / "c.npz"
    save_checkpoint(path, PARTS)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"c\.npz.*; the checkpoint is damaged"):
            load_checkpoint(path)


def test_another_npz_file_is_no_checkpoint(tmp_path):
    np.savez(tmp_path / "w.npz", W=np.ones(3))
    with pytest.raises(CheckpointError, match="is no checkpoint: it has no checksum"):
        load_checkpoint(tmp_path / "w.npz")


def test_a_content_that_was_exchanged_does_not_have_its_checksum(tmp_path):
    path = tmp_path / "c.npz"
    save_checkpoint(path, PARTS)
    with np.load(path) as file:
        arrays = dict(file)
    for name, array in (
        ("net/affine1.W", arrays["net/affine1.W"] + 1),
        ("net/affine1.W", arrays["net/affine1.W"].T),
        ("net/affine1.b", arrays["net/affine1.b"].astype(np.float32)),
        ("net/more", np.ones(2)),
    ):
        np.savez(path, **{**arrays, name: array})
        with pytest.raises(CheckpointError, match="does not have its checksum"):
            load_checkpoint(path)


def test_the_newest_and_the_best_stay(tmp_path):
    checkpoints = Checkpoints(every=10, keep=2, keep_best=True)
    assert [i for i in range(31) if checkpoints.due(i)] == [10, 20, 30]
    for iteration, best in ((10, 10), (20, 10), (30, 10), (40, 30), (50, 30), (60, 30)):
        checkpoints.save(tmp_path, PARTS, iteration, best)
    assert list(saved_checkpoints(tmp_path)) == [30, 50, 60]
    (tmp_path / "checkpoint-notes.npz").touch()
    Checkpoints(keep=1).save(tmp_path, PARTS, 70, 30)
    assert list(saved_checkpoints(tmp_path)) == [70]
    assert (tmp_path / "checkpoint-notes.npz").exists()
    assert not any(Checkpoints(every=None).due(i) for i in range(2000))


@pytest.mark.parametrize("settings", [{"every": 0}, {"keep": 0}])
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ValueError, match="expects at least 1, got 0"):
        Checkpoints(**settings)


def test_one_that_lies_ahead_takes_no_place(tmp_path):
    """A damaged one may, after the run went on from the one before it."""
    save_checkpoint(tmp_path / "checkpoint-00000060.npz", PARTS)
    checkpoints = Checkpoints(keep=1)
    checkpoints.save(tmp_path, PARTS, 30, 0)
    checkpoints.save(tmp_path, PARTS, 40, 0)
    assert list(saved_checkpoints(tmp_path)) == [40, 60]


def test_unless_told_otherwise_three_stay_of_one_every_thousand_iterations(tmp_path):
    checkpoints = Checkpoints()
    assert [i for i in range(2001) if checkpoints.due(i)] == [1000, 2000]
    for iteration in range(1000, 6000, 1000):
        checkpoints.save(tmp_path, PARTS, iteration, 1000)
    assert list(saved_checkpoints(tmp_path)) == [3000, 4000, 5000]
