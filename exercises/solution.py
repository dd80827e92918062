"""A solution in a file: which exercise it is of, and its mark."""

from pathlib import Path

from lamina.common.own_code import load_class
from lamina.exercises.catalogue import exercise
from lamina.exercises.marking import Mark


def mark_file(named: str, seed: int = 0) -> Mark:
    """The mark of path.py:Name, a solution of the exercise Name. The file is run.

    Raises ImportError for a file that cannot be run or has no Name, ValueError for a name that no
    exercise has.
    """
    path, _, name = named.rpartition(".py:")
    if not path:
        raise ImportError(f"{named}: expects your file and what to look at in it, affine.py:Affine")
    wanted = exercise(name)
    found = load_class(Path(f"{path}.py"), name, functions=True)
    return wanted.mark(found, wanted.target, seed)
