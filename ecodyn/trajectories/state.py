"""What a right-hand side sees of a feature: the channels of its state, and which of them move.

==================  ==================================================================================
channel             its derivative
==================  ==================================================================================
``signal``          the family's equation; with a channel ``velocity``, exactly that channel
``velocity``        the family's equation: ẋ = v, v̇ = f(x, v, ...), second order
``NAME``            the family's equation, of the observable NAME, such as ``gradient``
``NAME@start``      zero: a *trait*, the observable at the first step of the window, held fixed
==================  ==================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence

from ecodyn.rollouts.labelled import SIGNAL

VELOCITY = "velocity"
START = "@start"  # marks a trait


def parse_state(spec: str) -> tuple[str, ...]:
    """Split the channels of a state: "signal,gradient@start" -> ("signal", "gradient@start"), the signal first.

    Raises
    ------
    ValueError
        The state does not begin with the signal, or names a channel twice or not at all.
    """
    examples = 'such as "signal", "signal,gradient@start", "signal,gradient" or "signal,velocity"'
    if not isinstance(spec, str):  # an option of a family, which may be anything
        raise ValueError(f"expected a state as text, {examples}; got {spec!r}")
    channels = tuple(name.strip() for name in spec.split(","))
    if channels[0] != SIGNAL:
        raise ValueError(f"expected a state that begins with signal, {examples}; got {spec!r}")
    if not all(observable_of(name) for name in channels):
        raise ValueError(f"expected a name for each channel of the state, {examples}; got {spec!r}")
    if len(set(channels)) < len(channels):
        raise ValueError(f"the state {spec!r} names a channel twice; name each once")
    return channels


def observable_of(channel: str) -> str:
    """What of the trajectories a channel is: an observable's name, or velocity."""
    return channel.removesuffix(START)


def is_trait(channel: str) -> bool:
    """Whether the channel stands still."""
    return channel.endswith(START)


def moving(channels: Sequence[str]) -> tuple[int, ...]:
    """Positions of the channels that are no traits; the signal is the first."""
    return tuple(i for i, name in enumerate(channels) if not is_trait(name))


def fitted(channels: Sequence[str]) -> tuple[int, ...]:
    """Positions of the channels whose derivative is the family's equation: one equation each."""
    kinematic = VELOCITY in channels
    return tuple(i for i in moving(channels) if not (kinematic and i == 0))
