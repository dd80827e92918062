"""The doctor on drawn runs: a few of each kind of finding here, all of them with -m slow.

docs/reliability.md has the figures on seeds and kinds that the rules were not written for.
"""

import pytest
from drawn import eighth, fifth, first, fourth, ninth, second, seventh, sixth, tenth, third
from drawn.kinds import findings_of, verdict

SETS = (first, second, third, fourth, fifth, sixth, seventh, eighth, ninth, tenth)
KINDS = {kind.name: kind for drawn in SETS for kind in drawn.KINDS}
FAST = (
    # Healthy, and once called ill.
    *("rare_but_separable", "batch_of_one", "thirty_test_flowers", "noise_floor"),
    *("small_weights_in_noise", "relu_at_the_end", "kept_before", "rows_that_stand_twice"),
    *("huber_outliers", "overlapping_clouds", "frozen_features", "log_of_errors", "tags"),
    # Ill, and once called healthy, or ill in another way.
    *("many_columns", "adam_decays", "labels_said_by_all", "millimetres", "a_penalty_of_five"),
    *("softmax_twice", "sigmoid_before_sigmoid", "tanh_for_wide_numbers", "rare_never_found"),
    *("rare_in_five", "rare_label_never_found", "all_frozen", "only_a_bias_learns"),
    *("constant_inputs", "detached_before_the_last", "dropout_all_but_all", "stopped_early"),
    *("a_spike_of_the_rate", "minus_cross_entropy", "descending_the_right_one"),
    *("targets_of_ten_thousand", "tiny_targets", "a_line_for_arms", "early_end_of_rate"),
    *("a_line_behind_norms", "kept_long_before_its_end", "a_line_of_large_numbers"),
    *("dropout_of_large_numbers", "tags_of_others", "noise_far_from_0", "columns_as_they_come"),
    *("signs_in_sixty_columns", "other_numbers_to_scale_by", "fifty_and_a_usual_rate"),
    "averages_of_five",
    *("clipped_to_nothing", "decay_of_a_half", "labels_by_heart", "permuted_labels"),
    *(
        "rare_and_weighted",
        "a_fifth_overlaps",
        "whispering",
        "targets_forgotten",
        "images_too_fast",
    ),
)

# On this seed; others are right on it that were missed on another: see docs/reliability.md.
MISSED = {
    "slow_regression": "called wrong labels",
    "adamw_decay_five": "called healthy",
    "l1_of_numbers": "called healthy",
    "images_stopped": "called healthy",
    "far_more_noise": "healthy, and called too little capacity",
}


@pytest.fixture(autouse=True, scope="module")
def drawn_once(tmp_path_factory):
    """The digits of one seed are drawn once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAMINA_DATA", str(tmp_path_factory.mktemp("data")))
        yield


def test_no_two_kinds_have_one_name():
    assert len(KINDS) == sum(len(drawn.KINDS) for drawn in SETS)
    healthy = sum(kind.healthy for kind in KINDS.values())
    assert min(healthy, len(KINDS) - healthy) >= 30


@pytest.mark.often(3)
@pytest.mark.parametrize("name", FAST)
def test_what_is_said_is_so(name, tmp_path):
    _check(KINDS[name], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in KINDS if name not in FAST])
def test_what_is_said_of_the_others_is_so(name, tmp_path, request):
    if name in MISSED:
        request.applymarker(pytest.mark.xfail(reason=MISSED[name], strict=False))
    _check(KINDS[name], tmp_path)


def _check(kind, folder):
    findings = findings_of(kind, 3, folder / "run")
    causes = {finding.name for finding in findings if not finding.follows_from}
    assert verdict(kind, causes) == "right", causes
    assert all(f.evidence and all(f.evidence) and f.meaning and all(f.remedies) for f in findings)
