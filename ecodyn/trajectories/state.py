"""What a right-hand side sees of a feature: the channels of its state, and which of them move.

==================  ==================================================================================
channel             its derivative
==================  ==================================================================================
``signal``          the family's equation; with a channel ``velocity``, exactly that channel
``velocity``        the family's equation: ẋ = v, v̇ = f(x, v, ...), second order
``NAME``            the family's equation, of the observable NAME, such as ``gradient``
``NAME@start``      zero: a *trait*, the observable at the first step of the window, held fixed
``signal@-1``, …    none: a *delayed* signal, so many stored steps ago; maps only, which shift it along
==================  ==================================================================================

Delayed signals are consecutive, ``signal,signal@-1,signal@-2``: what a map x(t+h) = x(t) + h·f(x(t), x(t−h), x(t−2h))
has to know of the past, and then makes of its own rollout. The first steps of a run are history, and have none before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ecodyn.rollouts.labelled import SIGNAL

VELOCITY = "velocity"
START = "@start"  # marks a trait
_DELAYED = re.compile(r"(?P<what>.+)@-(?P<steps>[0-9]+)")


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
    _check_delayed(spec, channels)
    return channels


def _check_delayed(spec: str, channels: Sequence[str]) -> None:
    """Refuse delays of something else than the signal, beside a velocity, and any that skip a step between."""
    found = [name for name in channels if _DELAYED.fullmatch(name)]
    if not found:
        return
    other = next((name for name in found if observable_of(name) != SIGNAL), None)
    if other is not None:
        raise ValueError(f"expected delays of the signal, such as {SIGNAL}@-1, got {other!r} in the state {spec!r}")
    if VELOCITY in channels:
        raise ValueError(
            f"expected delayed signals or a velocity, which is made of them, got both in the state {spec!r}: leave one "
            "out"
        )
    lags = sorted(map(lag_of, found))
    if lags != list(range(1, len(lags) + 1)):
        wanted = ",".join([SIGNAL, *(f"{SIGNAL}@-{k}" for k in range(1, max(1, min(lags[-1], len(lags) + 1)) + 1))])
        raise ValueError(
            f"expected delays of 1, 2, … stored steps with none left out, such as {wanted!r}, got {spec!r}: name those "
            "between, or keep every so many steps only (every=), which makes the step longer"
        )


def observable_of(channel: str) -> str:
    """What of the trajectories a channel is: an observable's name, or velocity."""
    delayed = _DELAYED.fullmatch(channel)
    return delayed["what"] if delayed else channel.removesuffix(START)


def lag_of(channel: str) -> int:
    """How many stored steps ago a channel is of; 0 unless it is delayed.

    Examples
    --------
    >>> lag_of("signal@-2"), lag_of("gradient@start")
    (2, 0)
    """
    delayed = _DELAYED.fullmatch(channel)
    return int(delayed["steps"]) if delayed else 0


def history_of(channels: Sequence[str]) -> int:
    """Steps of a run before the first one at which all channels are known: those of the longest delay."""
    return max(map(lag_of, channels), default=0)


def shifts(channels: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Of each delayed channel: its position, and that of the channel that it is one step later.

    Examples
    --------
    >>> shifts(("signal", "signal@-1", "signal@-2"))
    ((1, 0), (2, 1))
    """
    at = {lag_of(name): i for i, name in enumerate(channels) if i == 0 or lag_of(name)}
    return tuple((i, at[lag - 1]) for lag, i in sorted(at.items()) if lag)


def name_of(channel: str) -> str:
    """What printed laws call a channel beside the signal: ``lag1`` is signal@-1, ``gradient_start``.

    Examples
    --------
    >>> name_of("signal@-1"), name_of("gradient@start")
    ('lag1', 'gradient_start')
    """
    lag = lag_of(channel)
    return f"lag{lag}" if lag else channel.replace("@", "_")


def name_in_formulas(channel: str) -> str:
    """What formulas call a channel beside the signal: ``gradient`` is gradient@start, ``lag1`` signal@-1."""
    return name_of(channel) if lag_of(channel) else observable_of(channel)


def is_trait(channel: str) -> bool:
    """Whether the channel stands still."""
    return channel.endswith(START)


def moving(channels: Sequence[str]) -> tuple[int, ...]:
    """Positions of the channels that are no traits; the signal is the first."""
    return tuple(i for i, name in enumerate(channels) if not is_trait(name))


def fitted(channels: Sequence[str]) -> tuple[int, ...]:
    """Positions of the channels whose derivative is the family's equation: one equation each."""
    kinematic = VELOCITY in channels
    return tuple(i for i in moving(channels) if not (kinematic and i == 0) and not lag_of(channels[i]))
