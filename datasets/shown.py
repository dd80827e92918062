"""What data sets show of themselves, without reading or downloading anything for it."""

from lamina.common.arguments import Unwritable, shown

SETS = ("train", "validation", "test")


def shown_dataset(dataset) -> str:
    """The call that made it, its sets if they are there already, the task and the shapes."""
    if not hasattr(dataset, "target_shape"):  # an error while it is made shows it
        return shown(dataset)
    given = {n: v for n, v in dataset.arguments().items() if not isinstance(v, Unwritable)}
    call = ", ".join(f"{name}={value!r}" for name, value in given.items())
    sizes = [f"{len(samples):,} {name}" for name, samples in sets_there(dataset).items()]
    late = "not read yet" + (", with validation" if dataset.has_validation else "")
    state = f"{', '.join(sizes)} samples" if sizes else late
    shapes = f"inputs {dataset.input_shape}, targets {dataset.target_shape}"
    return f"{type(dataset).__name__}({call}): {state}; {dataset.task!r}, {shapes}"


def sets_there(dataset) -> dict:
    """The sets among its attributes, by name: asking a property could read a file."""
    found: dict[str, object] = {}
    for name, value in vars(dataset).items():
        parts = value
        if isinstance(value, (list, tuple)):  # all that were read at once
            names = SETS if len(value) == len(SETS) else (SETS[0], SETS[-1])
            parts = dict(zip(names, value, strict=False))
        elif not isinstance(value, dict):
            parts = {name: value}
        found |= {n: v for n, v in parts.items() if n in SETS and hasattr(v, "batches")}
    return {name: found[name] for name in SETS if name in found}
