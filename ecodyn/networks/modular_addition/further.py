"""Observables beyond the spectra, of an embedding while it is trained: the same functions that logs are reduced by."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ecodyn.observables import OBSERVABLES, Components, Fourier, Observable

__all__ = ["FurtherObservables", "checked_observables", "further_observables"]

SPECTRA = ("signal", "gradient")  # that are always kept


def further_observables() -> tuple[str, ...]:
    """Names of the observables of a frame, or of its loss gradient, beside those that are always kept."""
    return tuple(name for name, observable in OBSERVABLES.usable() if _is_further(name, observable))


def _is_further(name: str, observable: Observable) -> bool:
    return name not in SPECTRA and observable.of_series is None


def checked_observables(names: Sequence[str], responses: Sequence[str] = ()) -> tuple[str, ...]:
    """The names as a tuple; a ValueError where one is no observable of a frame, is kept anyway, or is given twice.

    Parameters
    ----------
    names
        What is asked for.
    responses
        Observables of the whole network, which may be among them.
    """
    given = (names,) if isinstance(names, str) else tuple(names)
    of_frames = [name for name in given if name not in responses]
    wrong = [name for name in of_frames if name not in OBSERVABLES or not _is_further(name, OBSERVABLES.named(name))]
    if wrong or len(set(given)) < len(given):
        known = f"observables are {', '.join(further_observables())}, each once, beside {' and '.join(SPECTRA)}, which"
        known += " are always kept" + (f", and of the whole network {', '.join(responses)}" if responses else "")
        got = f"{known}; got {', '.join(map(str, given))}"
        raise ValueError("; ".join([got, *OBSERVABLES.problems()]))
    return given


class FurtherObservables:
    """Observables of the circles of embeddings E (S, p, d) and of their loss gradients.

    Parameters
    ----------
    names
        As `checked_observables` has them.
    p
        Number of tokens.
    """

    def __init__(self, names: Sequence[str], p: int) -> None:
        self._observables = {name: OBSERVABLES.named(name) for name in names}
        self._circles = Fourier(p)

    def of(self, signal: torch.Tensor, gradient: torch.Tensor) -> dict[str, torch.Tensor]:
        """Each (S, K), on the device of the embeddings ``signal`` and the gradients ``gradient``, (S, p, d) each."""
        if not self._observables:
            return {}
        embedding, loss_gradient = self._components(signal), self._components(gradient)
        values_of = {}
        for name, seen in self._observables.items():
            if seen.of_both is not None:
                values = seen.of_both(embedding, loss_gradient)
            elif seen.of_gradients is not None:
                values = seen.of_gradients(loss_gradient)
            elif seen.of_frames is not None:
                values = seen.of_frames(embedding)
            values_of[name] = torch.from_numpy(self._circles.split(values)[0]).to(signal.device)
        return values_of

    def _components(self, frames: torch.Tensor) -> Components:
        return self._circles.components(frames.to("cpu", torch.float64).numpy()).copy()
