"""A log format."""

import numpy as np

from ecodyn.logs import ArrayFrames, Format, Log


class Doubles(Format):
    """Doubles in one file: p and d, then for every frame its step and its p rows of d."""

    name = "doubles"
    description = "doubles in .doubles"

    def recognises(self, path):
        """By the ending."""
        return path.suffix == ".doubles"

    def open(self, path, options):
        """One run a file."""
        p, d = np.fromfile(path, count=2).astype(int).tolist()
        rows = np.fromfile(path)[2:].reshape(-1, 1 + p * d)
        frames = ArrayFrames(rows[:, 1:].reshape(-1, p, d))
        known = {"path": path, "format": self.name, "name": path.stem, "sources": (path,), "stated_shape": (p, d)}
        return [Log(steps=rows[:, 0], frames=frames, **known)]
