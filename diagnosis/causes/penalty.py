"""A penalty on the gradient that is all that is learned."""

from lamina.diagnosis.causes.far_off import far_too_high, far_too_low
from lamina.diagnosis.finding import Finding
from lamina.diagnosis.recorded import number
from lamina.diagnosis.updates import UNMOVED

HARMLESS = 0.1  # of which gradients are mostly those of the loss
USUAL = 0.5  # up to which a penalty does no such harm; mnist_gradient_penalty has 0.1


def penalty_too_strong(record, earlier) -> Finding | None:
    """A gradient_penalty of many times the usual size, and a net that has hardly learned, or that
    it has thrown out of all bounds. Where the loss is flat its gradient is small: a net that says
    the same of all samples pays nothing."""
    penalty = number(record.training.get("gradient_penalty"))
    if earlier or not penalty > USUAL or record.well or record.never_moved(UNMOVED):
        return None
    if not (record.failed or record.train < record.halfway):
        return None
    if far_too_low(record) or far_too_high(record, penalty / HARMLESS):
        return None
    loss = f"loss {record.start_loss:.3g} at the start, {record.end_loss:.3g} at the end"
    return Finding(
        "gradient penalty too strong",
        [
            f"gradient_penalty {penalty:g} under training; 0.1 is usual",
            record.said("train") or loss,
        ],
        "The penalty is least where the gradient is, and there the net learns nothing; where it is "
        "large, the steps that it makes are.",
        ["gradient_penalty: 0.1, or none, until the net learns its training samples"],
        explains=(
            *("learning rate too high", "dead ReLUs", "learning rate too low", "overflow"),
            *("training too short", "wrong labels", "too little capacity", "nothing learned"),
            *("unequal classes", "vanishing gradients", "gradients are zero", "saturated units"),
        ),
    )
