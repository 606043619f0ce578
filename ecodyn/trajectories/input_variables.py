"""Inputs as a file holds them: variables of a dataset, and notes beside a table; each with its inverse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ecodyn.trajectories.inputs import Input, InputLike
from ecodyn.trajectories.labels import Label

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["INPUT", "PREFIX", "input_variables", "inputs_of_variables", "noted_inputs", "notes_of_inputs"]

INPUT = "ecodyn_input"  # the attribute of a variable with an input's values: its kind
PREFIX = "input_"  # of the names of such variables, so that a curve or a setting may be called as an input is

Inputs: TypeAlias = Mapping[str, tuple[Input, ...]]


# ------------------------------------------------------------------------------------------------ variables


def input_variables(inputs: Inputs) -> dict[str, tuple[object, ...]]:
    """``input_lr`` and ``input_lr_time``: (knot,) where all runs share a curve, else (run, knot), padded by NaN."""
    variables: dict[str, tuple[object, ...]] = {}
    for name, curves in inputs.items():
        shared = all(curve.same_curve(curves[0]) for curve in curves)
        kept = curves[:1] if shared else curves
        most = max(len(curve.times) for curve in kept)
        times, values = np.full((2, len(kept), most), np.nan)
        for r, curve in enumerate(kept):
            times[r, : len(curve.times)], values[r, : len(curve.times)] = curve.times, curve.values
        knot = f"{PREFIX}{name}_knot"
        dims = (knot,) if shared else ("run", knot)
        shape = times.shape[1:] if shared else times.shape
        variables[PREFIX + name] = (dims, values.reshape(shape), {INPUT: curves[0].kind})
        variables[f"{PREFIX}{name}_time"] = (dims, times.reshape(shape), {INPUT: "time"})
    return variables


def inputs_of_variables(ds: xr.Dataset) -> dict[str, InputLike]:
    """The inverse of `input_variables`: a list of curves for each input, one a run."""
    found: dict[str, InputLike] = {}
    for variable in map(str, ds.data_vars):
        kind = ds[variable].attrs.get(INPUT)
        if kind is None or kind == "time":
            continue
        name, knot = variable.removeprefix(PREFIX), f"{variable}_knot"
        arrays = (ds[part].transpose(..., knot).values for part in (f"{variable}_time", variable))
        times, values = (np.broadcast_to(array, (ds.sizes["run"], array.shape[-1])) for array in arrays)
        curves = []
        for knots, heights in zip(times, values, strict=True):
            there = ~np.isnan(knots)
            curves.append(Input(name, knots[there], heights[there], kind))
        found[name] = curves
    return found


# ------------------------------------------------------------------------------------------------ notes


def notes_of_inputs(inputs: Inputs) -> dict[str, object]:
    """Curves as JSON holds them, once where all runs share one."""
    noted: dict[str, object] = {}
    for name, curves in inputs.items():
        kept = curves[:1] if all(curve.same_curve(curves[0]) for curve in curves) else curves
        noted[name] = {
            "kind": curves[0].kind,
            "times": [curve.times.tolist() for curve in kept],
            "values": [curve.values.tolist() for curve in kept],
        }
    return noted


def noted_inputs(notes: Mapping[str, Any], runs: Sequence[Label]) -> dict[str, InputLike]:
    """The inverse of `notes_of_inputs`, of those of the noted runs that a table still has."""
    found: dict[str, InputLike] = {}
    for name, held in (notes.get("inputs") or {}).items():
        curves = [Input(name, *knots, held["kind"]) for knots in zip(held["times"], held["values"], strict=True)]
        if len(curves) == 1:
            found[name] = curves[0]
        else:
            of_run = dict(zip(map(str, notes["runs"]), curves, strict=True))
            found[name] = [of_run[str(run)] for run in runs]
    return found
