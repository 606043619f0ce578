"""What fitted models have in common that carry the diagnostics of their fit."""

from __future__ import annotations

import numpy as np

from ecodyn.families.diagnostics import Diagnostics
from ecodyn.families.model import FittedModel

__all__ = ["DiagnosedModel"]


class DiagnosedModel(FittedModel):
    """A model with ``diagnostics``, None for one read from a file that has none."""

    diagnostics: Diagnostics | None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Those of the diagnostics."""
        return () if self.diagnostics is None else self.diagnostics.warnings

    @property
    def candidates(self) -> int:
        """Those of the diagnostics."""
        return 0 if self.diagnostics is None else self.diagnostics.candidates

    @property
    def optimality(self) -> float:
        """That of the diagnostics."""
        return np.nan if self.diagnostics is None else self.diagnostics.optimality
