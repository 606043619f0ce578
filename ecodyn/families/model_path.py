"""Where model files go, and the weights beside them: both or neither, told to belong together by a checksum."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ecodyn.errors import UnusableDataError

__all__ = ["check_model_path", "load_weights", "save_with_weights", "weights_path"]

CHECKSUM = "weights_sha256"  # in a model file, of the weights beside it: safetensors notices no flipped bit


def check_model_path(path: str | Path, *, force: bool = False) -> None:
    """Raise, before the work, what saving a model there would: its weights may come to stand beside it."""
    from ecodyn.runtime.files import check_output

    if Path(path).suffix != ".json":
        raise ValueError(f"expected the name of a model file to end in .json, got {path}; rename it")
    for part in (Path(path), weights_path(path)):
        check_output(part, force=force)


def weights_path(path: str | Path) -> Path:
    """Where the weights of a model file's network are."""
    return Path(path).with_suffix(".safetensors")


def save_with_weights(
    path: str | Path, document: Mapping[str, object], weights: Mapping[str, np.ndarray], *, force: bool = False
) -> None:
    """Write a model file and the weights beside it: both are on the disk before either has its name."""
    from safetensors.numpy import save

    from ecodyn.runtime.files import flush, write_whole

    check_model_path(path, force=force)
    data = save(dict(weights))
    stated = {**document, CHECKSUM: hashlib.sha256(data).hexdigest()}
    text = json.dumps(stated, indent=1, allow_nan=False) + "\n"  # may fail, which is to leave nothing behind
    with write_whole(path, force=force) as of_model, write_whole(weights_path(path), force=force) as beside:
        beside.write_bytes(data)
        of_model.write_text(text, encoding="utf-8")
        flush(of_model)


def load_weights(path: str | Path, document: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The weights beside a model file of this content.

    Raises
    ------
    UnusableDataError
        They are not there, damaged, or another model's.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    beside = weights_path(path)
    try:
        data = beside.read_bytes()
        weights: dict[str, np.ndarray] = load(data)
    except (OSError, SafetensorError) as error:
        raise UnusableDataError(
            f"expected the network's weights in {beside}, got: {error}; keep the two files together"
        ) from error
    stated = document.get(CHECKSUM)  # older files state none
    if stated is not None and stated != hashlib.sha256(data).hexdigest():
        raise UnusableDataError(
            f"expected in {beside} the weights written with {path}, got other weights (their checksum differs); copy "
            "both files again"
        )
    return weights
