"""Systems by name: a mapping that draws random ones only when they are asked for."""

import numpy as np
import pytest

from ecodyn.systems import GROUPS, SYSTEMS, random_system, registry
from ecodyn.systems.registry import Systems

LOGISTIC, LORENZ = SYSTEMS["logistic"], SYSTEMS["lorenz"]


@pytest.fixture
def drawn(monkeypatch):
    """Names of what is drawn while a test runs."""
    names = []

    def counted(seed, kind):
        names.append((seed, kind))
        return random_system(seed, kind)

    monkeypatch.setattr(registry, "random_system", counted)
    return names


def test_names_count_equality_and_print_draw_nothing(drawn):
    again = Systems.joined(GROUPS.values())
    assert again == SYSTEMS
    assert again is not SYSTEMS
    assert GROUPS["linear"] != SYSTEMS
    assert dict.fromkeys(list(SYSTEMS)[1:], LOGISTIC) != SYSTEMS
    assert repr(SYSTEMS).startswith(f"<{len(SYSTEMS)} systems: {next(iter(SYSTEMS))}, ")
    assert (SYSTEMS == 3) is False
    assert drawn == []
    assert SYSTEMS["random_linear_1"].name == "random_linear_1"
    assert drawn == [(1, "linear")]


def test_equality_is_of_what_is_held():
    both = Systems([LOGISTIC, LORENZ], [("linear", 1)])
    assert both == Systems([LORENZ, LOGISTIC], [("linear", 1)])
    assert both != Systems([LOGISTIC, LORENZ], [("linear", 2)])
    assert both == both.copy()
    assert both.copy() == both
    assert Systems([LOGISTIC]) != {"logistic": LORENZ}


def test_print_of_few():
    assert repr(Systems()) == "<0 systems>"
    assert repr(Systems([LORENZ])) == "<1 system: lorenz>"


def test_copies_and_unions_are_dicts_and_leave_it_as_it_was():
    one = Systems([LOGISTIC])
    copied = one.copy()
    copied["mine"] = LORENZ
    assert one | {"logistic": LORENZ} == {"logistic": LORENZ}
    assert {"logistic": LORENZ} | one == {"logistic": LOGISTIC}
    assert one | Systems([LORENZ]) == {"logistic": LOGISTIC, "lorenz": LORENZ}
    assert all(type(made) is dict for made in (copied, one | {}, {} | one, one | one))
    assert list(one) == ["logistic"]
    with pytest.raises(TypeError):
        one | 3


@pytest.mark.parametrize(
    ("name", "hint"),
    [("lorentz", "did you mean lorenz"), ("logistics", "did you mean logistic"), (3, "has their names")],
)
def test_an_unknown_name_is_answered_with_near_ones(name, hint):
    with pytest.raises(KeyError, match=f"expected the name of one of {len(SYSTEMS)} systems, got .*{hint}"):
        SYSTEMS[name]
    assert SYSTEMS.get(name) is None


def test_one_drawing_whatever_way_it_is_asked_for():
    one = random_system(1, "linear")
    assert random_system(seed=1, kind="linear") is one
    assert random_system(np.int64(1), kind="linear") is one


@pytest.mark.parametrize("seed", [-1, 1.0, True, "1", None, [1]])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match="seed is a whole number of at least 0, got"):
        random_system(seed, "linear")


@pytest.mark.parametrize("kind", [["linear"], None, "Linear"])
def test_a_kind_is_one_of_the_known(kind):
    with pytest.raises(ValueError, match=r"one of the kinds linear, .* got .*; choose one of these"):
        random_system(1, kind)
