"""One identity: names differ exactly where models do, and a name survives being written."""

import itertools

import pytest

from ecodyn.families.model_name import CLOCK, KINDS, NULL, ModelName

NAMES = [
    ModelName(family, coupling, state=state, dynamics=dynamics, kind=kind, variant=variant)
    for family, coupling, state, dynamics, kind, variant in itertools.product(
        ("linear", "sindy"), ("exchangeable", "full"), ("signal", "signal,velocity"), ("flow", "map"),
        ("family", CLOCK),
        ("", "ridge=1.0"),
    )
]  # fmt: skip


def test_different_models_read_differently():
    assert len({str(name) for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (ModelName("linear", "full"), "linear/full"),
        (ModelName("linear", "full", dynamics="map"), "linear/full (map)"),
        (
            ModelName("sindy", "exchangeable", state="signal,velocity", dynamics="map"),
            "sindy/exchangeable (signal,velocity; map)",
        ),
        (ModelName("linear", "full", variant="ridge=1.0"), "linear/full (ridge=1.0)"),
        (ModelName("linear", "exchangeable", kind=CLOCK), "linear/exchangeable clock"),
        (ModelName.reference("persistence", NULL), "persistence"),
    ],
)
def test_what_is_the_default_is_not_said(name, text):
    assert str(name) == text


@pytest.mark.parametrize("name", [*NAMES, ModelName.reference("persistence", NULL)], ids=str)
def test_json_is_the_identity(name):
    assert ModelName.from_json(name.to_json()) == name


def test_a_clock_is_its_familys_but_in_kind():
    law = ModelName("linear", "exchangeable", state="signal,velocity", dynamics="map", variant="ridge=1.0")
    clock = law.of_kind(CLOCK)
    assert clock != law
    assert clock.of_kind("family") == law
    assert clock.matches(family="linear", coupling="exchangeable", state="signal,velocity", kind=CLOCK)
    assert not clock.matches(kind=KINDS[0])
