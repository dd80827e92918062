"""Does a schedule fit the length of a run?"""

import inspect

from lamina.optimizers.schedules.form import checked_factor, chooses
from lamina.optimizers.schedules.functions import ENDS

LOOKED_AT = 1000  # steps


def schedule_end(schedule) -> int | None:
    """The step from which the factor stays as it is; None if there is none, or nobody can tell."""
    function = getattr(schedule, "func", schedule)  # of a partial
    if inspect.isfunction(function) and function in ENDS:
        return ENDS[function](**getattr(schedule, "keywords", {}))
    return getattr(schedule, "end", None)


def schedule_problem(schedule, iterations: int) -> str:
    """Why a schedule does not fit a run of so many steps, in words; "" if it does.

    It does not if its rate comes to 0 and stays there before the last step, or if the warm-up is
    not over by then. What one that remembers will do, nobody can tell. Raises ScheduleError if it
    gives no factor at one of a thousand steps over the run.
    """
    after = getattr(schedule, "after", schedule)
    warm_up = 0 if after is schedule else schedule.steps
    if warm_up and warm_up >= iterations:
        return (
            f"its warm_up takes {warm_up} of {iterations} iterations, so that the rate never comes "
            "to lr: a shorter one, or more iterations"
        )
    if after is None or chooses(after) or hasattr(after, "state"):
        return ""
    for step in (*range(0, iterations, max(iterations // LOOKED_AT, 1)), iterations - 1):
        checked_factor(schedule(step), step)
    zero = iterations  # the step from which on it is 0
    while zero and schedule(zero - 1) == 0:
        zero -= 1
    if zero == iterations:
        return ""
    cure = "fewer iterations, or a rate that falls more slowly"
    if "max_steps" in getattr(after, "keywords", {}):
        cure = f"max_steps: {iterations - warm_up} ends with the run"
    return (
        f"its rate is 0 after iteration {zero}, so that {iterations - zero} of {iterations} "
        f"iterations would change nothing: {cure}"
    )
