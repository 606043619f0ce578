"""Which equation do competing representations obey?

Everything public is listed in ``__all__`` and loaded on first use, so that ``import ecodyn`` costs
milliseconds: torch, pysindy, xarray and matplotlib are imported by the functions that need them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecodyn._version import __version__ as __version__
from ecodyn.runtime.lazy import lazily

if TYPE_CHECKING:  # what type checkers see; at run time the names come from _HOME
    from ecodyn.comparison import Comparison, InterruptedComparison, Phases, compare, find_phases
    from ecodyn.comparison.atlas import Atlas, InterruptedAtlas, compare_by
    from ecodyn.comparison.automatic import BestLaw, best_law
    from ecodyn.equations.forms import polynomial_library
    from ecodyn.errors import (
        DataWarning,
        FullDiskError,
        LostWorkError,
        NothingFittedError,
        OutputExistsError,
        UnusableDataError,
    )
    from ecodyn.extraction import (
        IncompleteExtractionError,
        InterruptedExtraction,
        Recorder,
        UnclearTokensError,
        extract,
        merge,
    )
    from ecodyn.families import Matching, Shooting, load_model, register
    from ecodyn.families.base import LibraryFamily
    from ecodyn.families.constraint_parts import ConstraintError
    from ecodyn.families.ensemble import Ensemble, fit_ensemble
    from ecodyn.families.estimator import Family
    from ecodyn.families.formula import Formula
    from ecodyn.families.linear import Linear
    from ecodyn.families.lotka_volterra import LotkaVolterra
    from ecodyn.families.matrix_logarithm import flow_of_map, map_of_flow
    from ecodyn.families.model import FittedModel
    from ecodyn.families.neural_ode import NeuralODE
    from ecodyn.families.pysindy_import import from_pysindy
    from ecodyn.families.sindy import SINDy
    from ecodyn.formulas.tokens import FormulaError
    from ecodyn.rollouts.integration import Rollout, integrate
    from ecodyn.runtime.places.clusters import on_cluster
    from ecodyn.runtime.registry import EntryPointError
    from ecodyn.stability.equilibria import Equilibria, find_equilibria
    from ecodyn.trajectories import Collection, Input, Trajectories, as_trajectories, examples, load, load_example

_HOME = {
    "Atlas": "ecodyn.comparison.atlas",
    "BestLaw": "ecodyn.comparison.automatic",
    "Collection": "ecodyn.trajectories",
    "Comparison": "ecodyn.comparison",
    "ConstraintError": "ecodyn.families.constraint_parts",
    "DataWarning": "ecodyn.errors",
    "FullDiskError": "ecodyn.errors",
    "EntryPointError": "ecodyn.runtime.registry",
    "Ensemble": "ecodyn.families.ensemble",
    "Equilibria": "ecodyn.stability.equilibria",
    "Family": "ecodyn.families.estimator",
    "FittedModel": "ecodyn.families.model",
    "Formula": "ecodyn.families.formula",
    "FormulaError": "ecodyn.formulas.tokens",
    "IncompleteExtractionError": "ecodyn.extraction",
    "Input": "ecodyn.trajectories",
    "InterruptedAtlas": "ecodyn.comparison.atlas",
    "InterruptedComparison": "ecodyn.comparison",
    "InterruptedExtraction": "ecodyn.extraction",
    "LibraryFamily": "ecodyn.families.base",
    "Linear": "ecodyn.families.linear",
    "LostWorkError": "ecodyn.errors",
    "LotkaVolterra": "ecodyn.families.lotka_volterra",
    "Matching": "ecodyn.families",
    "NeuralODE": "ecodyn.families.neural_ode",
    "NothingFittedError": "ecodyn.errors",
    "OutputExistsError": "ecodyn.errors",
    "Phases": "ecodyn.comparison",
    "Recorder": "ecodyn.extraction",
    "Rollout": "ecodyn.rollouts.integration",
    "SINDy": "ecodyn.families.sindy",
    "Shooting": "ecodyn.families",
    "Trajectories": "ecodyn.trajectories",
    "UnclearTokensError": "ecodyn.extraction",
    "UnusableDataError": "ecodyn.errors",
    "as_trajectories": "ecodyn.trajectories",
    "best_law": "ecodyn.comparison.automatic",
    "compare": "ecodyn.comparison",
    "compare_by": "ecodyn.comparison.atlas",
    "examples": "ecodyn.trajectories",
    "extract": "ecodyn.extraction",
    "find_equilibria": "ecodyn.stability.equilibria",
    "find_phases": "ecodyn.comparison",
    "fit_ensemble": "ecodyn.families.ensemble",
    "flow_of_map": "ecodyn.families.matrix_logarithm",
    "from_pysindy": "ecodyn.families.pysindy_import",
    "integrate": "ecodyn.rollouts.integration",
    "load": "ecodyn.trajectories",
    "load_example": "ecodyn.trajectories",
    "load_model": "ecodyn.families",
    "map_of_flow": "ecodyn.families.matrix_logarithm",
    "merge": "ecodyn.extraction",
    "on_cluster": "ecodyn.runtime.places.clusters",
    "polynomial_library": "ecodyn.equations.forms",
    "register": "ecodyn.families",
}

__all__ = [
    "Atlas",
    "BestLaw",
    "Collection",
    "Comparison",
    "ConstraintError",
    "DataWarning",
    "Ensemble",
    "EntryPointError",
    "Equilibria",
    "Family",
    "FittedModel",
    "Formula",
    "FormulaError",
    "FullDiskError",
    "IncompleteExtractionError",
    "Input",
    "InterruptedAtlas",
    "InterruptedComparison",
    "InterruptedExtraction",
    "LibraryFamily",
    "Linear",
    "LostWorkError",
    "LotkaVolterra",
    "Matching",
    "NeuralODE",
    "NothingFittedError",
    "OutputExistsError",
    "Phases",
    "Recorder",
    "Rollout",
    "SINDy",
    "Shooting",
    "Trajectories",
    "UnclearTokensError",
    "UnusableDataError",
    "as_trajectories",
    "best_law",
    "compare",
    "compare_by",
    "examples",
    "extract",
    "find_equilibria",
    "find_phases",
    "fit_ensemble",
    "flow_of_map",
    "from_pysindy",
    "integrate",
    "load",
    "load_example",
    "load_model",
    "map_of_flow",
    "merge",
    "on_cluster",
    "polynomial_library",
    "register",
]


__getattr__, __dir__ = lazily(__name__, _HOME)
