"""Which layers of a Caffe net are there: include and exclude by phase, level and stage."""

from lamina.exchange.caffe_message import CaffeError, Message


def is_there(layer: Message, state: Message) -> bool:
    """Raises CaffeError for a layer with both include and exclude."""
    include, exclude = layer["include"], layer["exclude"]
    if include and exclude:
        raise CaffeError("has both include and exclude; Caffe takes one of them")
    if include:
        return any(_meets(rule, state) for rule in include)
    return not any(_meets(rule, state) for rule in exclude)


def _meets(rule: Message, state: Message) -> bool:
    stages = set(state["stage"])
    return (
        ("phase" not in rule or rule["phase"] == state["phase"])
        and ("min_level" not in rule or state["level"] >= rule["min_level"])
        and ("max_level" not in rule or state["level"] <= rule["max_level"])
        and stages.issuperset(rule["stage"])
        and stages.isdisjoint(rule["not_stage"])
    )
