"""What is registered as a family can be made by its name, a coupling and a state; anything else is refused then."""

import pytest

from ecodyn.families import REGISTRY, Linear


class Mute(Linear):
    """One that nothing can be told."""

    name = "mute"

    def __init__(self):
        super().__init__()


class Stateless(Linear):
    """One whose state is always the signal."""

    name = "stateless"

    def __init__(self, coupling="exchangeable"):
        super().__init__(coupling)


@pytest.mark.parametrize(
    ("name", "thing", "said"),
    [
        ("mute", Mute, r"'mute' takes no coupling and no state; Mute\.__init__ has to"),
        ("stateless", Stateless, "'stateless' takes no state"),
        ("linear", Linear(), "expected a subclass of Family whose name is 'linear', got Linear"),
        ("other", Linear, "whose name is 'other'"),
        ("linear", "linear", "got 'linear'"),
        ("linear", dict, "expected a subclass of Family"),
    ],
)
def test_what_can_not_be_made_by_its_name_is_refused(name, thing, said):
    before = list(REGISTRY), REGISTRY["linear"]
    with pytest.raises(TypeError, match=said):
        REGISTRY.register(name, thing)
    assert (list(REGISTRY), REGISTRY["linear"]) == before
