"""What can be wrong with a run, a file for each family.

Each function takes the Record of a run and the findings so far, causes first, and returns a
Finding or None. CAUSES is the order: what stands earlier can bring about what stands later.
"""

from training.doctor.families.activations import dead_relus, saturated
from training.doctor.families.decay import decay_too_strong
from training.doctor.families.depth import exploding, vanishing
from training.doctor.families.generalisation import over_fitting, too_little_capacity, wrong_labels
from training.doctor.families.initial_weights import equal_weights, weights_too_large
from training.doctor.families.inputs import not_normalised
from training.doctor.families.learning_rate import rate_too_high, rate_too_low
from training.doctor.families.non_finite import bad_number, overflow

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
)
