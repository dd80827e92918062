"""What can be wrong with a run, a file for each family.

Each function takes the Record of a run and the findings so far, causes first, and returns a
Finding or None. CAUSES is the order: what stands earlier can bring about what stands later.
"""

from lamina.diagnosis.causes.activations import dead_relus, saturated
from lamina.diagnosis.causes.capacity import too_little_capacity
from lamina.diagnosis.causes.decay import decay_too_strong
from lamina.diagnosis.causes.depth import exploding, vanishing
from lamina.diagnosis.causes.dropout import dropout_too_strong
from lamina.diagnosis.causes.frozen import nothing_can_learn, too_much_frozen
from lamina.diagnosis.causes.initial_weights import (
    equal_weights,
    weights_too_large,
    weights_too_small,
)
from lamina.diagnosis.causes.inputs import all_the_same, not_normalised
from lamina.diagnosis.causes.labels import wrong_labels
from lamina.diagnosis.causes.non_finite import bad_number, overflow
from lamina.diagnosis.causes.nothing_learned import nothing_learned
from lamina.diagnosis.causes.over_fitting import over_fitting
from lamina.diagnosis.causes.over_time import exploding_over_time, vanishing_over_time
from lamina.diagnosis.causes.own_loss import loss_not_of_this_task
from lamina.diagnosis.causes.penalty import penalty_too_strong
from lamina.diagnosis.causes.rate_too_high import rate_too_high
from lamina.diagnosis.causes.rate_too_low import rate_too_low
from lamina.diagnosis.causes.running_averages import averages_behind, averages_noisy
from lamina.diagnosis.causes.squashed import squashed_scores
from lamina.diagnosis.causes.targets import (
    a_mark_among_targets,
    targets_far_out,
    targets_not_scaled,
)
from lamina.diagnosis.causes.too_short import training_too_short
from lamina.diagnosis.causes.unequal_classes import unequal_classes
from lamina.diagnosis.causes.unlike_sets import unlike_sets
from lamina.diagnosis.causes.zero_gradients import zero_gradients

CAUSES = (
    bad_number,
    nothing_can_learn,
    too_much_frozen,
    all_the_same,
    not_normalised,
    a_mark_among_targets,
    targets_far_out,
    targets_not_scaled,
    loss_not_of_this_task,
    equal_weights,
    squashed_scores,
    averages_behind,
    averages_noisy,
    dropout_too_strong,
    exploding_over_time,
    exploding,
    weights_too_large,
    weights_too_small,
    decay_too_strong,
    penalty_too_strong,
    rate_too_high,
    dead_relus,
    zero_gradients,
    saturated,
    vanishing_over_time,
    vanishing,
    rate_too_low,
    unlike_sets,
    unequal_classes,
    training_too_short,
    wrong_labels,
    too_little_capacity,
    over_fitting,
    overflow,
    nothing_learned,
)
