"""The schedule plateau: by hand, beside PyTorch, saved and restored, behind a warm-up."""

import math

import numpy as np
import pytest

from lamina.layers import Param
from lamina.optimizers import SGD, Plateau, make_schedule
from lamina.training.checkpoint import load_checkpoint, save_checkpoint


def factors(values, higher_is_better=True, **settings):
    """The factor after each of the evaluations."""
    schedule = make_schedule("plateau", **settings)
    found = []
    for value in values:
        schedule.evaluated(value, higher_is_better)
        found.append(schedule(7))
    return found


def test_it_falls_after_so_many_evaluations_without_a_better_one():
    # best 0.5; 0.4 and 0.5 are not better: a fall; 0.6 is; then two more again
    values = [0.5, 0.4, 0.5, 0.6, 0.6, 0.59, 0.1, 0.2]
    expected = [1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125]
    assert factors(values, gamma=0.5, patience=2) == expected
    assert factors([-v for v in values], False, gamma=0.5, patience=2) == expected


def test_better_is_better_by_more_than_the_threshold():
    assert factors([0.5, 0.75, 1.0], gamma=0.5, patience=1, threshold=0.25) == [1, 0.5, 1 / 2]
    assert factors([0.5, 0.25, 0.0], False, gamma=0.5, patience=1, threshold=0.25) == [1, 0.5, 0.5]


@pytest.mark.parametrize("higher", [True, False])
def test_a_metric_below_0_is_treated_as_any_other(higher):
    """A share of the best would take a worse R² of -2.1 for a better one than -2.0."""
    values = [-3.0, -2.0, -2.1] if higher else [-2.0, -3.0, -2.9]
    assert factors(values, higher, gamma=0.5, patience=1, threshold=0.2) == [1, 1, 0.5]


def test_it_never_falls_below_the_lowest():
    assert factors([1.0] * 5, gamma=0.1, patience=1, lowest=0.04) == [1, 0.1, 0.04, 0.04, 0.04]
    assert factors([1.0] * 3, gamma=0.0, patience=1) == [1, 0, 0]


def test_evaluations_of_the_cooldown_do_not_count():
    expected = [1, 0.5, 0.5, 0.5, 0.25]
    assert factors([1.0] * 5, gamma=0.5, patience=1, cooldown=2) == expected


def test_nan_is_no_progress_and_not_the_best():
    assert factors([math.nan, math.nan], gamma=0.5, patience=2) == [1.0, 0.5]
    assert factors([math.nan, 0.1, math.nan, 0.2], gamma=0.5, patience=2) == [1.0] * 4
    assert factors([0.3, math.nan, math.nan], gamma=0.5, patience=2) == [1.0, 1.0, 0.5]


@pytest.mark.needs_torch
@pytest.mark.parametrize("higher", [True, False])
@pytest.mark.parametrize("seed", range(10))
def test_random_sequences_fall_as_pytorch_lets_them(seed, higher):
    import torch

    rng = np.random.default_rng(seed)
    gamma, lowest = rng.uniform(0.1, 0.9), rng.choice([0.0, 0.05])
    patience, cooldown = int(rng.integers(1, 5)), int(rng.integers(0, 3))
    threshold = float(rng.choice([0.0, 0.1]))
    theirs = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    peer = torch.optim.lr_scheduler.ReduceLROnPlateau(
        *(theirs, "max" if higher else "min", gamma, patience - 1, threshold, "abs", cooldown),
        *(lowest * 0.5, 0.0),
    )
    schedule = Plateau(
        gamma=gamma, patience=patience, threshold=threshold, cooldown=cooldown, lowest=lowest
    )
    optimizer, rates = SGD({}, lr=0.5, schedule=schedule), []
    for value in np.round(np.cumsum(rng.standard_normal(60)) / 8, 1):  # with ties, below 0 too
        value = float("nan") if rng.random() < 0.05 else float(value)
        optimizer.evaluated(value, higher)
        optimizer.step()
        peer.step(value)
        assert optimizer.lr == pytest.approx(theirs.param_groups[0]["lr"], rel=1e-12)
        rates.append(optimizer.lr)
    assert len(set(rates)) > 2  # it did fall


@pytest.mark.parametrize("warm_up", [0, 4])
def test_saved_anywhere_it_goes_on_to_the_bit(warm_up):
    def made():
        param = Param(np.ones(3, np.float32))
        settings = {"gamma": 0.3, "patience": 2, "threshold": 0.01, "cooldown": 1, "lowest": 0.01}
        schedule = make_schedule("plateau", warm_up=warm_up, **settings)
        return SGD({"w": param}, lr=0.1, schedule=schedule)

    def train(optimizer, values):
        rates = []
        for value in values:
            for _ in range(2):
                optimizer.zero_grad()
                optimizer.parameters["w"].accumulate(np.ones(3, np.float32))
                optimizer.step()
                rates.append(optimizer.lr)
            optimizer.evaluated(value, True)
        return rates

    values = np.random.default_rng(1).uniform(0, 1, 30).tolist()
    whole = train(made(), values)
    assert len(set(whole)) > 3
    for cut in range(31):
        first, second = made(), made()
        before = train(first, values[:cut])
        second.load_state(first.state())
        assert before + train(second, values[cut:]) == whole, cut
    restless = made()  # the state matters: without it the rates are others
    assert train(made(), values[:15]) + train(restless, values[15:]) != whole


def test_the_warm_up_rises_whatever_is_evaluated_and_then_the_plateau_begins():
    schedule = make_schedule("plateau", gamma=0.5, patience=1, warm_up=3)
    optimizer, rates = SGD({}, lr=1.0, schedule=schedule), []
    for _ in range(7):
        optimizer.evaluated(0.5, True)  # as before every step
        optimizer.step()
        rates.append(optimizer.lr)
    # the evaluation after step 3, at its own step 0, is the first that it is told of
    assert rates == [0.25, 0.5, 0.75, 1.0, 0.5, 0.25, 0.125]


@pytest.mark.parametrize("warm_up", [0, 3])
def test_before_the_first_evaluation_it_can_be_saved_too(tmp_path, warm_up):
    """No checkpoint holds a NaN, and there is no best yet."""
    settings = {"gamma": 0.5, "patience": 1, "warm_up": warm_up}
    first, second = (SGD({}, lr=1.0, schedule=make_schedule("plateau", **settings)) for _ in "ab")
    first.evaluated(math.nan, True)
    first.step()
    save_checkpoint(tmp_path / "c.npz", {"optimizer": first.state()})
    second.load_state(load_checkpoint(tmp_path / "c.npz")["optimizer"])
    rates = []
    for optimizer in (first, second):
        for value in (0.5, 0.5, 0.4, 0.6):
            optimizer.step()
            optimizer.evaluated(value, True)
            rates.append(optimizer.lr)
    assert rates[:4] == rates[4:]
    assert rates[3] < 1.0


def test_an_evaluation_just_after_loading_counts_as_it_would_have():
    """The warm-up knows whether it is over before it is asked for the next step."""
    made = [
        SGD({}, lr=1.0, schedule=make_schedule("plateau", gamma=0.5, patience=1, warm_up=2))
        for _ in range(2)
    ]
    made[0].step()
    made[0].step()
    made[1].load_state(made[0].state())
    for optimizer in made:
        optimizer.evaluated(0.5, True)
        optimizer.evaluated(0.5, True)
        optimizer.step()
        assert optimizer.lr == 0.5


def test_a_state_is_a_copy_and_has_these_names():
    optimizer = SGD({}, lr=1.0, schedule=Plateau(patience=3))
    optimizer.evaluated(0.25, True)
    state = optimizer.state()
    names = ["factor", "best", "since", "resting"]
    assert list(state) == ["rule", "steps", "lr", *(f"schedule.{name}" for name in names)]
    assert state["schedule.best"] == 0.25
    optimizer.evaluated(0.5, True)
    assert state["schedule.best"] == 0.25


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schedule.factor": np.array(1.5)}, "factor is from 0 to 1, got 1.5"),
        ({"schedule.factor": np.array(np.nan)}, "factor is from 0 to 1, got nan"),
        ({"schedule.factor": np.array("a")}, "factor is from 0 to 1, got 'a'"),
        ({"schedule.since": np.array(2)}, "since is from 0 to 1, got 2"),
        ({"schedule.since": np.array(0.5)}, r"since is from 0 to 1, got 0\.5"),
        ({"schedule.since": np.array([0, 0])}, "SGD: the saved state of its schedule"),
        ({"schedule.resting": np.array(-1)}, "resting is from 0 to 0, got -1"),
        ({"schedule.best": np.array("x")}, "best is a number, got 'x'"),
        (
            {"schedule.more": np.array(1)},
            "expects factor, best, since, resting, got f.*, more",
        ),
    ],
)
def test_a_state_that_cannot_be_is_refused_and_changes_nothing(change, words):
    optimizer = SGD({}, lr=1.0, schedule=Plateau(patience=2))
    optimizer.evaluated(0.25, True)
    optimizer.step()
    before = optimizer.state()
    optimizer.step()
    optimizer.evaluated(0.5, True)
    now = optimizer.state()
    with pytest.raises(ValueError, match=words):
        optimizer.load_state(before | change)
    assert optimizer.state() == now


def test_the_state_of_another_schedule_is_refused():
    plateau = SGD({}, lr=1.0, schedule=Plateau())
    warmed = SGD({}, lr=1.0, schedule=make_schedule("plateau", warm_up=2))
    plain = SGD({}, lr=1.0)
    with pytest.raises(ValueError, match=r"SGD: the saved schedule\.best does not belong here"):
        plain.load_state(plateau.state())
    with pytest.raises(ValueError, match="expects factor, best, since, resting, got none"):
        plateau.load_state(plain.state())
    with pytest.raises(ValueError, match=r"expects factor, best, .*got warm_up_over"):
        plateau.load_state(warmed.state())
    with pytest.raises(ValueError, match="expects warm_up_over as true or false, got None"):
        warmed.load_state(plateau.state())
    steady = SGD({}, lr=1.0, schedule=make_schedule("fixed", warm_up=2))
    with pytest.raises(
        ValueError,
        match=r"its schedule: warm_up_over, .* does not belong here",
    ):
        steady.load_state(warmed.state())
    steady.load_state(plain.state())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"gamma": 1.0}, "schedule plateau: gamma: expects a number from 0 to below 1, got 1.0"),
        ({"gamma": -0.1}, "schedule plateau: gamma"),
        ({"gamma": "x"}, "schedule plateau: gamma: .* got 'x'"),
        ({"patience": 0}, "schedule plateau: patience is at least 1, got 0"),
        ({"patience": 1.5}, "schedule plateau: patience"),
        ({"patience": True}, "schedule plateau: patience"),
        ({"cooldown": -1}, "schedule plateau: cooldown is at least 0, got -1"),
        ({"threshold": -0.1}, "schedule plateau: threshold"),
        ({"threshold": math.inf}, "schedule plateau: threshold"),
        ({"threshold": math.nan}, "schedule plateau: threshold"),
        ({"lowest": 1.0}, "schedule plateau: lowest"),
        ({"factor": 0.1}, "takes gamma, patience, threshold, cooldown, lowest; unknown factor"),
        ({"warm_up": -1}, "schedule plateau: warm_up is at least 0, got -1"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(settings, words):
    with pytest.raises(ValueError, match=words):
        make_schedule("plateau", **settings)


def test_only_a_schedule_that_looks_at_evaluations_chooses():
    assert SGD({}, lr=1.0, schedule=Plateau()).chooses
    assert SGD({}, lr=1.0, schedule=make_schedule("plateau", warm_up=5)).chooses
    for schedule in (None, make_schedule("cosine", max_steps=5), make_schedule("fixed", warm_up=5)):
        optimizer = SGD({}, lr=1.0, schedule=schedule)
        assert not optimizer.chooses
        optimizer.evaluated(0.5, True)  # nobody cares


def test_from_yaml(build, tiny):
    trainer = build(
        """
        dataset: {type: Tiny}
        net:
          type: Sequential
          layers: {affine: {type: Affine, n_out: 3}}
          loss: {type: SoftmaxWithLoss}
        optimizer:
          type: SGD
          lr: 0.1
          schedule: {type: plateau, gamma: 0.5, patience: 3, lowest: 0.01, warm_up: 2}
        training: {iterations: 5, batch_size: 10}
        """
    )
    plateau = trainer.optimizer.schedule.after
    assert (plateau.gamma, plateau.patience, plateau.lowest) == (0.5, 3, 0.01)
