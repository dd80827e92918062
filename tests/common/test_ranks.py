"""Who we are by the environment, what one process alone does, and words that outlive a process."""

import subprocess
import sys
import textwrap

import pytest

from lamina.common import ranks
from lamina.common.ranks import Alone, find_ranks, launched


@pytest.fixture(autouse=True)
def by_itself(monkeypatch):
    """No test is one of several ranks, whoever has started it."""
    for pair in ranks.VARIABLES:
        for name in pair:
            monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, None),
        ({"PMI_SIZE": "4", "PMI_RANK": "2"}, (2, 4)),
        ({"PMI_SIZE": "1", "PMI_RANK": "0"}, None),
        ({"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "1"}, (1, 2)),
        ({"SLURM_STEP_NUM_TASKS": "8", "SLURM_PROCID": "5"}, (5, 8)),
        # A batch script of eight tasks is one process; mpiexec in it knows better than srun.
        ({"SLURM_NTASKS": "8", "SLURM_PROCID": "0"}, None),
        ({"PMI_SIZE": "2", "PMI_RANK": "1", "SLURM_STEP_NUM_TASKS": "8"}, (1, 2)),
        ({"PMI_SIZE": "two"}, None),
    ],
)
def test_the_environment_says_who_we_are(monkeypatch, environment, found):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert launched() == found


def test_alone_nothing_is_imported():
    code = (
        "import sys; from lamina.common.ranks import find_ranks; find_ranks(); "
        "print([m for m in ('mpi4py', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_alone_does_all_by_itself():
    alone = find_ranks()
    assert (alone.rank, alone.size, alone.is_first) == (0, 1, True)
    assert alone.all(3) == [3]
    for call in (alone.on_first, alone.from_first, alone.once_per_machine):
        assert call(lambda: 5) == 5
    with pytest.raises(KeyError):
        alone.on_first(lambda: {}["none"])
    alone.asked = 15
    assert alone.heard == 15
    alone.begin_to_hear()
    assert alone.heard is None
    assert type(alone) is Alone


@pytest.mark.needs_mpi
def test_a_launcher_of_another_mpi_is_noticed(monkeypatch):
    """It has started two, and each of them believes to be alone."""
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
    code = "from lamina.common.ranks import find_ranks; find_ranks()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "RankError: the launcher says 2 ranks, and mpi4py 1" in done.stderr
    assert "Warning" not in done.stderr


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("os.kill(os.getpid(), 9)", "the last\n"),
        ("os._exit(0)", "the last\n"),
        ("words.close(); words.close()", ""),
        ("words.say(''); os._exit(0)", ""),
    ],
)
def test_last_words(end, said):
    code = f"""
    import os
    from lamina.common.last_words import LastWords
    words = LastWords()
    words.say("the first")
    words.say("the last")
    {end}
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True)  # until nobody holds stderr
    assert done.stderr == said
