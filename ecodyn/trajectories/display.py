"""Trajectories in a sentence and as a table of a notebook."""

from __future__ import annotations

import html

import numpy as np

from ecodyn.trajectories.contents import Contents
from ecodyn.trajectories.parts import some

__all__ = ["html_table", "sentence"]


def sentence(trajectories: Contents) -> str:
    """Size and contents, on one line."""
    rows = "; ".join(f"{name} {text}" for name, text in _description(trajectories).items())
    return f"Trajectories: {_size(trajectories)}; {rows}"


def html_table(trajectories: Contents) -> str:
    """The same, with labels and warnings, as a table of HTML."""
    rows = {"size": _size(trajectories), **_description(trajectories)}
    rows["features"] = some(trajectories.features)
    rows["runs"] = some(trajectories.runs)
    if trajectories.warnings:
        rows["warnings"] = "; ".join(trajectories.warnings)
    cells = "".join(f"<tr><th>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in rows.items())
    return f"<table><caption>Trajectories</caption>{cells}</table>"


def _size(trajectories: Contents) -> str:
    R, T, K = trajectories.shape
    least = trajectories.lengths.min()
    span = f"{np.nanmin(trajectories.times):g} to {np.nanmax(trajectories.times):g}"
    count = f"{T} step{'s' * (T > 1)}" if least == T else f"{least} to {T} steps"
    return f"{R} run{'s' * (R > 1)} × {count} ({span}) × {K} feature{'s' * (K > 1)}"


def _description(trajectories: Contents) -> dict[str, str]:
    rows = {
        "observables": ", ".join(trajectories.observables),
        "labels": "shared" if trajectories.labels_shared else "not shared",
    }
    if trajectories.curves:
        rows["curves"] = ", ".join(trajectories.curves)
    if trajectories.inputs:
        rows["inputs"] = ", ".join(f"{name} ({own[0].kind})" for name, own in trajectories.inputs.items())
    if trajectories.embedding is not None:
        _, tokens, dimensions = trajectories.embedding.shape
        rows["embedding"] = f"{tokens} tokens × {dimensions} dimensions"
    if trajectories.n_clusters < trajectories.n_runs:
        rows["clusters"] = str(trajectories.n_clusters)
    if trajectories.lacks_values:
        rows["missing"] = f"{trajectories.missing.sum()} values"
    if trajectories.settings:
        rows["settings"] = ", ".join(trajectories.settings)
    if trajectories.remembers_velocity:
        rows["velocity"] = "from before steps were left out"
    return rows | ({"warnings": str(len(trajectories.warnings))} if trajectories.warnings else {})
