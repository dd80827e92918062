"""What data sets show of themselves, without reading or downloading anything for it."""

from lamina.common.arguments import shown

SETS = ("train", "validation", "test")


def shown_dataset(dataset) -> str:
    """The call that made it, and its sets if they are there already."""
    there = sets_there(dataset)
    if not there:
        return f"{shown(dataset)}: not read yet"
    sizes = ", ".join(f"{len(samples):,} {name}" for name, samples in there.items())
    shape = next(iter(there.values())).X.shape[1:]
    classes = getattr(dataset, "class_names", None)
    what = f", {len(classes)} classes" if classes else ""
    return f"{shown(dataset)}: {sizes} samples of {shape}{what}"


def sets_there(dataset) -> dict:
    """The sets among its attributes, by name: asking a property could read a file."""
    found = {}
    for name, value in vars(dataset).items():
        parts = value
        if isinstance(value, (list, tuple)):  # all that were read at once
            names = SETS if len(value) == len(SETS) else (SETS[0], SETS[-1])
            parts = dict(zip(names, value, strict=False))
        elif not isinstance(value, dict):
            parts = {name: value}
        found |= {n: v for n, v in parts.items() if n in SETS and hasattr(v, "batches")}
    return {name: found[name] for name in SETS if name in found}
