"""Runs of one file, or of some logs, before they are put together with others."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecodyn.extraction.recording.reading import RECORDING
from ecodyn.logs import Log
from ecodyn.observables.features import Label
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.together import Known, together

SHARD = "shard"  # the entry of a provenance that says which share of what the runs are

__all__ = ["Piece", "known_of", "piece_of_file", "piece_of_logs", "put_together"]


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Some of the runs.

    Attributes
    ----------
    runs
        Themselves.
    file
        The file that they are from; None of logs.
    starts
        Of each run, equal for runs that begin alike.
    stated
        Whether whoever recorded them said if features mean the same in other runs.
    whole
        What they are a share of, equal for all shares of one training or extraction; None of what is no share.
    """

    runs: Trajectories
    file: Path | None
    starts: tuple[Hashable, ...]
    stated: bool
    whole: str | None = None

    @property
    def stem(self) -> str | None:
        """What its run is called by its file; None of several runs, of logs, and of shares, whose runs have names."""
        return None if self.file is None or self.whole is not None or self.runs.n_runs > 1 else self.file.stem


def piece_of_file(runs: Trajectories, path: Path) -> Piece:
    """What was loaded; of a recording, or of a part of one, and of shares of one training, it is known how it began."""
    if (share := _as_share(runs, path)) is not None:
        return share
    recorded = runs.provenance.get(RECORDING) if runs.n_runs == 1 else None
    first = recorded.get("first_frame") if isinstance(recorded, Mapping) else None
    starts: list[Hashable] = [(path, label) for label in runs.clusters.tolist()]
    if isinstance(first, str) and first:
        starts = [first]
    return Piece(runs=runs, file=path, starts=tuple(starts), stated=recorded is not None)


def _as_share(runs: Trajectories, path: Path) -> Piece | None:
    """A share of a training or an extraction, whose clusters are those of the whole; None of anything else."""
    shard = runs.provenance.get(SHARD)
    whole = shard.get("whole") if isinstance(shard, Mapping) else None
    if not isinstance(shard, Mapping) or not isinstance(whole, str):
        return None
    frames = shard.get("first_frames")  # of an extraction, which knows only its own runs
    if isinstance(frames, Mapping):
        first = {name: frame for name, frame in frames.items() if isinstance(frame, str) and frame}
        starts: list[Hashable] = [first.get(str(run), (path, run)) for run in runs.runs.tolist()]
    else:
        starts = [(whole, label) for label in runs.clusters.tolist()]
    return Piece(runs=runs, file=path, starts=tuple(starts), stated=False, whole=whole)


def piece_of_logs(extraction: Trajectories, labels: Sequence[Label], logs: Sequence[Log]) -> Piece:
    """The runs of these labels, of an extraction from all these logs."""
    clusters = extraction.clusters.tolist()
    # What a recording knows of its beginning holds for all runs that the extraction found to begin alike.
    known = {cluster: log.first_frame for cluster, log in zip(clusters, logs, strict=True) if log.first_frame}
    start = dict(zip(extraction.runs.tolist(), (known.get(c, (None, c)) for c in clusters), strict=True))
    every = len(labels) == extraction.n_runs
    return Piece(
        runs=extraction if every else extraction.select(runs=labels),
        file=None,
        starts=tuple(start[label] for label in labels),
        stated=all(log.labels_shared is not None for log in logs),
    )


def put_together(pieces: Sequence[Piece]) -> Trajectories:
    """The runs of all pieces in their order; warns of what not all have."""
    return together([piece.runs for piece in pieces], known_of(pieces))


def known_of(pieces: Sequence[Piece]) -> Known:
    """What their files tell of the runs: labels, which begin alike, and whether features are the same in all."""
    return Known(
        runs=_labels(pieces),
        starts=[start for piece in pieces for start in piece.starts],
        labels_shared=all(piece.stated for piece in pieces) or _one_whole(pieces),
    )


def _one_whole(pieces: Sequence[Piece]) -> bool:
    """Whether all are shares of one training or one extraction."""
    return pieces[0].whole is not None and all(piece.whole == pieces[0].whole for piece in pieces)


def _labels(pieces: Sequence[Piece]) -> list[Label] | None:
    """What the runs are called: by their files if each is of one, else as they are, or where that repeats by file."""
    stems = [piece.stem for piece in pieces]
    by_file: list[Label] = [
        label
        for piece, stem in zip(pieces, stems, strict=True)
        for label in (piece.runs.runs.tolist() if stem is None else [stem])
    ]
    own = [str(label) for piece in pieces for label in piece.runs.runs.tolist()]
    distinct = len(set(map(str, by_file))) == len(by_file)
    if distinct and (None not in stems or len(set(own)) < len(own)):
        return by_file if None not in stems else [str(label) for label in by_file]
    return None  # their own, or numbers, which is said
