"""What can be wrong with a run, a file for each family.

Each function takes the Record of a run and the findings so far, causes first, and returns a
Finding or None. CAUSES is the order: what stands earlier can bring about what stands later.
"""

from lamina.diagnosis.causes.activations import dead_relus, saturated
from lamina.diagnosis.causes.decay import decay_too_strong
from lamina.diagnosis.causes.depth import exploding, vanishing
from lamina.diagnosis.causes.generalisation import over_fitting, too_little_capacity, wrong_labels
from lamina.diagnosis.causes.initial_weights import equal_weights, weights_too_large
from lamina.diagnosis.causes.inputs import not_normalised
from lamina.diagnosis.causes.learning_rate import rate_too_high, rate_too_low
from lamina.diagnosis.causes.non_finite import bad_number, overflow
from lamina.diagnosis.causes.nothing_learned import nothing_learned

CAUSES = (
    bad_number,
    not_normalised,
    equal_weights,
    exploding,
    weights_too_large,
    decay_too_strong,
    rate_too_high,
    dead_relus,
    saturated,
    vanishing,
    rate_too_low,
    wrong_labels,
    too_little_capacity,
    over_fitting,
    overflow,
    nothing_learned,
)
