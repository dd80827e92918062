"""Questions of a lesson, whose answers are tried out."""

import reprlib
from collections.abc import Callable

import numpy as np


def answered(question: Callable, answer) -> bool:
    """Is the answer right? Prints whether it is, and if not, what was seen.

    A question is a function of the answer that tries it out with `assert condition, "what was
    seen"`; its docstring says what an answer is, such as "a number". `...` is no answer yet. One
    that cannot be tried (TypeError, ValueError, OverflowError) is not right. A wrong one may well
    run away, so NumPy's warnings of an overflow are left out: the question says it in its own
    words.
    """
    name = question.__name__.replace("_", " ")
    if answer is ...:
        print(f"{name}: no answer yet")
        return False
    try:
        with np.errstate(all="ignore"):
            question(answer)
    except AssertionError as error:
        print(f"{name}: not yet. {error}")
    except (TypeError, ValueError, OverflowError):  # text, a list, infinitely many steps
        print(f"{name}: an answer is {question.__doc__}, got {reprlib.repr(answer)}")
    else:
        print(f"{name}: right")
        return True
    return False
