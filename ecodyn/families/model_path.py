"""Where model files go, and the weights beside them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["check_model_path", "weights_path"]


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
