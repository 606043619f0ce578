"""What the runs of one share of an extraction say, so that shares can be put together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from ecodyn.extraction.reduction import Reduced
from ecodyn.extraction.request import Request
from ecodyn.logs import LogOptions
from ecodyn.observables.features import Label
from ecodyn.runtime.shares import Share

__all__ = ["share_noted"]


def share_noted(
    share: Share | None, names: Sequence[Label], request: Request, options: LogOptions, runs: Mapping[Label, Reduced]
) -> dict[str, object]:
    """Which share of which logs these are, and how the runs begin: runs of other shares may begin alike."""
    if share is None:
        return {}
    asked = [str(list(names)), str(request), str(options)]
    frames = {str(name): run.first_frame for name, run in runs.items()}
    whole = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
    return {"shard": {**vars(share), "of_logs": len(names), "whole": whole, "first_frames": frames}}
