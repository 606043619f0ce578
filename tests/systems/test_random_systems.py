import numpy as np
import pytest

from ecodyn.equations.right_hand_side import BoundLibrary
from ecodyn.systems import GROUPS, HELD_OUT, LINEAR, SYSTEMS, TUNED_ON, WORKED_ON, half, random_system, simulate
from ecodyn.systems.random_systems import KINDS, _drawn, unexplained
from ecodyn.systems.registry import Systems

RANDOM = [name for name in SYSTEMS if name.startswith("random_")]


@pytest.mark.parametrize("kind", KINDS)
def test_a_random_system_depends_on_its_seed_alone(kind):
    drawn = random_system(2, kind)
    np.random.seed(1)  # noqa: NPY002 - a global state that must not matter
    random_system(4, LINEAR)
    again = _drawn.__wrapped__(2, kind)
    assert again.equation == drawn.equation
    assert again.family == drawn.family == KINDS[kind][1]
    assert _drawn.__wrapped__(4, LINEAR).equation != _drawn.__wrapped__(5, LINEAR).equation
    assert SYSTEMS[f"random_{kind}_2"] is drawn
    x = np.array([drawn.start(np.random.default_rng([0, r])) for r in range(8)])
    assert np.isfinite(drawn(x)).all()
    if drawn.form is not None:
        law = BoundLibrary(drawn.form.library(drawn.features), drawn.form.coefficients)
        np.testing.assert_allclose(law(x[..., None])[..., 0], drawn(x), atol=1e-12)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match=r"one of the kinds linear, lotka_volterra, .*got 'chaotic'"):
        random_system(1, "chaotic")


@pytest.mark.slow
@pytest.mark.parametrize("name", RANDOM)
def test_every_random_system_can_be_seen(name):
    system = SYSTEMS[name]
    x = simulate(system, runs=16).values
    assert np.sqrt(np.mean((x - x[:, :1]) ** 2, axis=(0, 1))).min() > 0.1
    simpler = {"linear": ("lotka_volterra",), "lotka_volterra": ("linear",)}.get(
        system.family, ("linear", "lotka_volterra")
    )
    assert all(unexplained(system, family, x.reshape(-1, x.shape[-1])) > 0.01 for family in simpler)


def test_there_are_enough_of_every_kind():
    assert len(RANDOM) >= 24
    assert all(sum(name.startswith(f"random_{kind}_") for name in RANDOM) >= 4 for kind in KINDS)


# ----------------------------------------------------------------------------------------------- two halves


def test_halves_are_settled():
    """By SHA-256 of the name, whose last byte is even or odd: ``printf kepler | sha256sum``."""
    assert half("kepler") == half("chen") == WORKED_ON
    assert half("toda") == half("seir") == HELD_OUT


def test_what_was_tuned_on_is_worked_on():
    assert len(TUNED_ON) == 41
    assert {half(name) for name in TUNED_ON} == {WORKED_ON}


def test_halves_are_even_by_and_large():
    new = [name for name in SYSTEMS if name not in TUNED_ON]
    held = sum(half(name) == HELD_OUT for name in new)
    assert abs(held - len(new) / 2) < 2 * np.sqrt(len(new)) / 2  # two standard deviations of fair coins
    for group in list(GROUPS)[:4]:
        assert {half(name) for name in GROUPS[group]} == {WORKED_ON, HELD_OUT}


def test_an_unknown_name_has_no_half():
    with pytest.raises(ValueError, match="got 'nobody'"):
        half("nobody")


def test_names_are_unique():
    with pytest.raises(ValueError, match="two systems are called logistic"):
        Systems([SYSTEMS["logistic"], SYSTEMS["logistic"]])
    assert len(SYSTEMS) == len(list(SYSTEMS)) == len({name.lower() for name in SYSTEMS})
