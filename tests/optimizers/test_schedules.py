"""The schedules: values by hand, purity, warm-up, errors, and what an optimizer makes of them."""

import math

import numpy as np
import pytest

from lamina.layers import Param
from lamina.optimizers import SGD, make_schedule

LN3 = math.log(3.0)
VALUES = [
    ("fixed", {}, {0: 1.0, 7: 1.0, 10**6: 1.0}),
    ("step", {"gamma": 0.5, "step_size": 3}, {0: 1.0, 2: 1.0, 3: 0.5, 5: 0.5, 6: 0.25, 30: 2**-10}),
    (
        "multistep",
        {"gamma": 0.1, "steps": (2, 5)},
        {0: 1.0, 1: 1.0, 2: 0.1, 4: 0.1, 5: 0.01, 100: 0.01},
    ),
    ("exp", {"gamma": 0.5}, {0: 1.0, 1: 0.5, 3: 0.125, 5000: 0.0}),
    ("inv", {"gamma": 0.5, "power": 2.0}, {0: 1.0, 2: 0.25, 6: 0.0625, 18: 0.01}),
    ("poly", {"power": 2.0, "max_steps": 4}, {0: 1.0, 1: 0.5625, 2: 0.25, 3: 0.0625, 4: 0.0}),
    ("poly", {"power": 1, "max_steps": 4}, {0: 1.0, 1: 0.75, 3: 0.25, 4: 0.0, 9: 0.0}),
    # 1 / (1 + 3^(step - 2))
    ("sigmoid", {"gamma": -LN3, "step_size": 2}, {0: 0.9, 1: 0.75, 2: 0.5, 3: 0.25, 4: 0.1}),
    ("sigmoid", {"gamma": LN3, "step_size": 2}, {0: 0.1, 2: 0.5, 4: 0.9}),
    (
        "cosine",
        {"max_steps": 4},
        {0: 1.0, 1: (2 + 2**0.5) / 4, 2: 0.5, 3: (2 - 2**0.5) / 4, 4: 0.0, 100: 0.0},
    ),
    ("cosine", {"max_steps": 6, "lowest": 0.2}, {0: 1.0, 2: 0.8, 3: 0.6, 4: 0.4, 6: 0.2, 7: 0.2}),
]


@pytest.mark.parametrize(("name", "settings", "values"), VALUES)
def test_the_factors_by_hand(name, settings, values):
    schedule = make_schedule(name, **settings)
    for step, expected in values.items():
        assert schedule(step) == pytest.approx(expected, rel=1e-12, abs=1e-15), step


@pytest.mark.parametrize(("name", "settings", "values"), VALUES)
@pytest.mark.parametrize("warm_up", [0, 2])
def test_factors_are_python_floats_and_depend_on_the_step_alone(name, settings, values, warm_up):
    schedule = make_schedule(name, warm_up=warm_up, **settings)
    forward = [schedule(step) for step in range(12)]
    backward = [schedule(step) for step in reversed(range(12))]
    assert forward == backward[::-1]
    assert {type(factor) for factor in forward} == {float}
    assert type(schedule(10**6)) is float


def test_whole_numbers_as_settings_give_floats_too():
    for name, settings in (
        ("step", {"gamma": 1, "step_size": 1}),
        ("multistep", {"gamma": 1, "steps": [1]}),
        ("exp", {"gamma": 1}),
        ("inv", {"gamma": 1, "power": 1}),
        ("poly", {"power": 1, "max_steps": 2}),
        ("sigmoid", {"gamma": 1, "step_size": 1}),
        ("cosine", {"max_steps": 2, "lowest": 0}),
    ):
        assert {type(make_schedule(name, **settings)(step)) for step in range(4)} == {float}


def test_sigmoid_does_not_overflow():
    schedule = make_schedule("sigmoid", gamma=-5.0, step_size=1000)
    assert schedule(0) == 1.0
    assert schedule(10**9) == 0.0


def test_warm_up_rises_in_a_line_and_then_the_schedule_begins():
    schedule = make_schedule("exp", gamma=0.5, warm_up=3)
    assert [schedule(step) for step in range(6)] == [0.25, 0.5, 0.75, 1.0, 0.5, 0.25]


@pytest.mark.parametrize(("name", "settings", "values"), VALUES)
def test_after_the_warm_up_every_schedule_is_at_its_own_step_0(name, settings, values):
    plain, warmed = make_schedule(name, **settings), make_schedule(name, warm_up=4, **settings)
    assert [warmed(step) for step in range(4)] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert [warmed(4 + step) for step in range(10)] == [plain(step) for step in range(10)]


def test_cosine_ends_at_lowest_and_poly_at_0():
    cosine = make_schedule("cosine", max_steps=10, lowest=0.1)
    poly = make_schedule("poly", max_steps=10, power=0.5)
    assert cosine(10) == cosine(11) == cosine(10**9) == pytest.approx(0.1, rel=1e-15)
    assert poly(10) == poly(11) == poly(10**9) == 0.0
    for schedule in (cosine, poly):
        factors = [schedule(step) for step in range(11)]
        assert factors == sorted(factors, reverse=True)
        assert len(set(factors)) == 11


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"type": "cosin"}, r"^unknown schedule cosin; did you mean cosine\?$"),
        ({"type": "Poly"}, r"did you mean poly\?"),
        (
            {"type": "qqq"},
            "known: cosine, exp, fixed, inv, multistep, plateau, poly, sigm",
        ),
        ({"type": "fixed", "gamma": 1.0}, "schedule fixed: takes no settings; unknown gamma"),
        ({"type": "exp"}, "schedule exp: takes gamma; missing gamma"),
        ({"type": "inv", "gamma": 1.0}, "schedule inv: takes gamma, power; missing power"),
        (
            {"type": "step", "gama": 0.5, "step_size": 2},
            "schedule step: takes gamma, step_size; missing gamma; unknown gama",
        ),
        (
            {"type": "cosine", "max_steps": 9, "step": 3},
            "schedule cosine: takes max_steps, lowest; unknown step",
        ),
        *(
            (
                {"type": name, "gamma": 0.5, "step_size": size},
                rf"schedule {name}: step_size is at least 1, got {size!r}",
            )
            for name in ("step", "sigmoid")
            for size in (0, -1, 2.5, "3")
        ),
        ({"type": "poly", "power": 1.0, "max_steps": 0}, "poly: max_steps is at least 1, got 0"),
        ({"type": "cosine", "max_steps": -5}, "cosine: max_steps is at least 1, got -5"),
        ({"type": "fixed", "warm_up": -1}, "schedule fixed: warm_up is at least 0, got -1"),
        ({"type": "fixed", "warm_up": 1.5}, r"schedule fixed: warm_up is at least 0, got 1\.5"),
    ],
)
def test_what_makes_no_schedule_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        make_schedule(**settings)


def test_an_optimizer_uses_the_factor_of_each_step():
    """lr = 0.4, 0.2, 0.1 and g = 1: w = 1, 0.6, 0.4, 0.3."""
    param = Param(np.ones(1))
    schedule = make_schedule("exp", gamma=0.5)
    optimizer = SGD({"w": param}, lr=0.4, schedule=schedule)
    assert optimizer.lr == 0.4
    for lr, w in ((0.4, 0.6), (0.2, 0.4), (0.1, 0.3)):
        optimizer.zero_grad()
        param.accumulate(np.ones(1))
        optimizer.step()
        assert optimizer.lr == pytest.approx(lr)
        assert param.data == pytest.approx([w])
    assert optimizer.base_lr == 0.4


def test_an_optimizer_goes_on_at_the_saved_step_of_its_schedule():
    schedule = make_schedule("poly", power=1.0, max_steps=4)
    first, second = (SGD({"w": Param(np.ones(1))}, lr=1.0, schedule=schedule) for _ in range(2))
    first.step()
    first.step()
    second.load_state(first.state())
    second.step()
    assert second.lr == 0.5


def test_any_function_of_the_step_is_a_schedule():
    param = Param(np.zeros(1))
    param.accumulate(np.ones(1))
    optimizer = SGD({"w": param}, lr=0.5, schedule=lambda step: 2.0 if step else 4.0)
    optimizer.step()
    assert param.data == -2.0
    optimizer.step()
    assert param.data == -3.0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"type": "multistep", "gamma": 0.5, "steps": 3},
            "steps is a list of whole numbers",
        ),
        ({"type": "multistep", "gamma": 0.5, "steps": [1, "a"]}, "steps is a list of whole"),
        ({"type": "inv", "gamma": -1.0, "power": 0.5}, "gamma is from 0 to inf, got -1.0"),
        ({"type": "poly", "power": -1.0, "max_steps": 10}, "power is from 0 to inf"),
        ({"type": "exp", "gamma": 10.0}, "gamma is from 0 to 1, got 10.0"),
        ({"type": "step", "gamma": 0.5, "step_size": True}, "step_size is at least 1, got True"),
        ({"type": "fixed", "warm_up": True}, "warm_up is at least 0, got True"),
    ],
)
def test_settings_that_would_fail_during_a_run_are_refused_before(settings, words):
    with pytest.raises(ValueError, match=words):
        make_schedule(**settings)
