"""Fitted models in report.json: whole where a model file holds them whole, whatever distribution they are of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ecodyn.families import model_of
from ecodyn.families.coefficients import coefficients_of
from ecodyn.families.formula_model import FormulaModel
from ecodyn.families.law import Law
from ecodyn.families.model import FittedModel

__all__ = ["UnreadModel", "model_from", "model_to_json"]

REPORT = "report.json"  # where a model's content is said to be from, should it not be one


@dataclass(frozen=True)
class UnreadModel:
    """A model in a report that can't be made here, kept as it was found.

    Attributes
    ----------
    content : the model file's
    reason : why, such as that the distribution with its kind of model is not installed
    """

    content: Mapping[str, Any]
    reason: str


def model_to_json(model: FittedModel | None, unread: UnreadModel | None = None) -> dict[str, Any]:
    """What a record of report.json says of its model: ``law``, or ``model`` where it is of another kind.

    Nothing of one with weights beside its file: a report is one file.

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn import Linear
    >>> law = Linear("independent").fit(np.exp(-0.1 * np.arange(50))[:, None] * [1.0, 2.0, 3.0]).model_
    >>> list(model_to_json(law))
    ['law', 'coefficients']
    """
    if unread is not None:
        return {"model": unread.content}
    if model is None or not model.self_contained:
        return {}
    record: dict[str, Any] = {"law" if model.kind == Law.kind else "model": model.to_json()}
    if isinstance(model, Law | FormulaModel):
        record["coefficients"] = [c.to_json() for c in coefficients_of(model)]
    return record


def model_from(document: Mapping[str, Any]) -> tuple[FittedModel | None, UnreadModel | None]:
    """The inverse of `model_to_json`: the model of a record, or what is kept of one that can't be made here.

    Raises
    ------
    ValueError, KeyError, TypeError, IndexError
        The record of a law is damaged.
    """
    if (law := document.get("law")) is not None:
        return Law.from_json(law, REPORT), None
    if (content := document.get("model")) is None:
        return None, None
    try:
        return model_of(content, REPORT), None
    except Exception as error:  # whatever another distribution's model raises must not cost the rest of the report
        return None, UnreadModel(content, f"{type(error).__name__}: {error}")
