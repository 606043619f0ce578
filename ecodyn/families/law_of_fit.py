"""From a training set that is fitted to its law, in the units of the data."""

from __future__ import annotations

from collections.abc import Mapping

from ecodyn.equations.pruning import without_unused
from ecodyn.estimation import ShootingResult
from ecodyn.families.amplitudes import amplitudes_of, feature_amplitudes_of
from ecodyn.families.constrained import directions_of
from ecodyn.families.diagnostics import diagnose
from ecodyn.families.law import Law
from ecodyn.families.training_set import TrainingSet
from ecodyn.runtime.json_values import Json

__all__ = ["law_of"]


def law_of(
    family: str,
    coupling: str,
    prepared: TrainingSet,
    shooting: ShootingResult | None,
    seconds: float,
    provenance: Mapping[str, Json],
    interaction_matrix: bool,
) -> Law:
    """The law of a fit, with what is known of its coefficients.

    Parameters
    ----------
    family, coupling : what it is called
    prepared : the training set with its first fit
    shooting : what refined it, or None
    seconds : that this took, as if it had been by itself
    provenance : how it came about
    interaction_matrix : whether the family's full coupling is a matrix of interactions
    """
    initial, samples, trajectories = prepared.initial, prepared.samples, prepared.trajectories
    coefficients = initial.coefficients if shooting is None else shooting.coefficients
    state = ",".join(prepared.library.channels)
    library = without_unused(initial.library.in_units(1.0 / samples.scales))
    return Law(
        family=family,
        coupling=coupling,
        channels=prepared.library.channels,
        features=prepared.library.features,
        amplitudes=amplitudes_of(trajectories, state),
        feature_amplitudes=feature_amplitudes_of(trajectories) if samples.scales.ndim > 1 else None,
        provenance=provenance,
        library=library,
        coefficients=prepared.original(coefficients),
        size=prepared.size,
        drive=samples.drive_in_original_units(prepared.library),
        diagnostics=diagnose(
            *(f"{family}/{coupling}", initial, samples, prepared.parts, shooting, prepared.seconds + seconds),
            held=prepared.held,
            directions=directions_of(prepared, shooting),
        ),
        step=None if samples.step is None else samples.step * samples.time_scale,
        interaction_matrix=interaction_matrix,
        inputs={name: trajectories.inputs[name][0].kind for name in library.inputs},
    )
