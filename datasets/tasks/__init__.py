"""Tasks: what is learned, a file each; base.py is what they share."""

from collections.abc import Callable

from lamina.common.names import suggest
from lamina.datasets.tasks.base import LOSSES, Task
from lamina.datasets.tasks.classification import Classification
from lamina.datasets.tasks.language_model import LanguageModel
from lamina.datasets.tasks.multilabel import MultiLabel
from lamina.datasets.tasks.reconstruction import Reconstruction
from lamina.datasets.tasks.regression import Regression
from lamina.datasets.tasks.words import MAX_CLASSES, class_count

__all__ = [
    "LOSSES",
    "MAX_CLASSES",
    "TASKS",
    "Classification",
    "LanguageModel",
    "MultiLabel",
    "Reconstruction",
    "Regression",
    "Task",
    "check_task_name",
    "task_from_facts",
]


TASKS: dict[str, Callable[..., Task]] = {
    task.name: task
    for task in (Classification, Regression, MultiLabel, LanguageModel, Reconstruction)
}


def task_from_facts(facts: dict) -> Task:
    """The task whose `facts()` these are. Raises ValueError for what are none."""
    name = facts.get("task") if isinstance(facts, dict) else None
    if not isinstance(name, str) or name not in TASKS:
        raise ValueError(f"unknown task {name!r}{suggest(name, TASKS)}")
    try:
        if name in ("classification", "language_model"):
            n = facts["classes"]
            names = facts["class_names"] if "class_names" in facts else range(class_count(n))
            if len(names) != n:
                raise ValueError(f"{len(names)} class names for {n} classes")
            more = {"tokens": facts["tokens"]} if "tokens" in facts else {}
            return TASKS[name](names, ignore_index=facts.get("ignore_index"), **more)
        if name == "regression":
            return Regression(facts["target_names"])
        if name == "multilabel":
            return MultiLabel(facts["label_names"])
    except (KeyError, TypeError, ValueError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else error
        raise ValueError(f"these are no facts of the task {name}: {what}") from None
    return Reconstruction()


def check_task_name(name: str | None, allowed: tuple[str, ...]) -> None:
    """Raises ValueError unless the name is None or one of the allowed ones."""
    if name is not None and name not in allowed:
        known = "" if name in TASKS else suggest(name, allowed)
        raise ValueError(f"task: expects {', '.join(allowed)}; got {name}{known}")
