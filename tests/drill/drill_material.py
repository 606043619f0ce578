"""What is good, to be damaged: trajectories files, tables, logs and laws, made once and copied for each fault."""

from __future__ import annotations

import json
import shutil
import warnings
from functools import cached_property
from pathlib import Path

import numpy as np

P, DIM, FRAMES = 7, 4, 12  # of logs: tokens, dimensions, frames


class Material:
    """Good inputs by name; each call gives a copy of its own that may be damaged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _runs(self) -> Path:
        from ecodyn.systems import SYSTEMS, simulate

        path = self._folder / "runs.nc"
        simulate(SYSTEMS["linear_exchangeable_5"], runs=6, samples=30, seed=1).save(path)
        return path

    def runs(self, folder: Path, name: str = "runs.nc") -> Path:
        """Six runs of a linear law, five features, 30 steps."""
        return Path(shutil.copy(self._runs, folder / name))

    def table(self, folder: Path, name: str = "table.csv", *, steps: int = 30, features: int = 2) -> Path:
        """A table of one run, which a linear law describes."""
        path = folder / name
        path.write_text(self.rows(steps, features))
        return path

    @staticmethod
    def rows(steps: int = 30, features: int = 2) -> str:
        """The same as text."""
        t = np.arange(steps)
        columns = [2 + k + (k + 1) * np.exp(-0.1 * (k + 1) * t) for k in range(features)]
        names = ",".join(f"x{k}" for k in range(features))
        rows = [f"{n}," + ",".join(f"{c[n]:.6f}" for c in columns) for n in t]
        return "\n".join([f"step,{names}", *rows]) + "\n"

    @cached_property
    def _law(self) -> Path:
        import ecodyn

        path = self._folder / "law.json"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ecodyn.Linear(coupling="exchangeable").fit(ecodyn.load(self._runs)).model_.save(path)
        return path

    def law(self, folder: Path, name: str = "law.json", **changes: object) -> Path:
        """A law fitted to these runs, with some of its entries changed."""
        document = json.loads(self._law.read_text())
        document.update(changes)
        path = folder / name
        path.write_text(json.dumps(document))
        return path

    @cached_property
    def _network(self) -> Path:
        import ecodyn

        path = self._folder / "network.json"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            family = ecodyn.NeuralODE(hidden=2, starts=1, matching_steps=2, rollout_steps=1)
            family.fit(ecodyn.load(self._runs)).model_.save(path)
        return path

    def network(self, folder: Path) -> Path:
        """A neural ODE: network.json and its weights beside it."""
        for path in sorted(self._network.parent.glob("network*")):
            shutil.copy(path, folder / path.name)
        return folder / "network.json"

    @staticmethod
    def frames(seed: int = 0, frames: int = FRAMES) -> np.ndarray:
        """Embeddings (frame, p, d) of a training."""
        rng = np.random.default_rng(seed)
        start = rng.standard_normal((P, DIM))
        return np.array([start * (1 + 0.5 * np.sin(0.3 * n + start)) for n in range(frames)])

    def stack(self, folder: Path, name: str = "run.npz", seed: int = 0, **changes: object) -> Path:
        """A log: frames, their steps and p in an .npz file; None takes an entry away."""
        parts = {"embeddings": self.frames(seed), "steps": 10 * np.arange(FRAMES), "p": P, **changes}
        np.savez(folder / name, **{k: v for k, v in parts.items() if v is not None})
        return folder / name

    def checkpoints(self, folder: Path, name: str = "run") -> Path:
        """A log: a folder of state dicts, step_N.pt."""
        import torch

        (folder / name).mkdir()
        for n, frame in enumerate(self.frames()):
            torch.save({"embed.weight": torch.tensor(frame)}, folder / name / f"step_{10 * n}.pt")
        return folder / name

    def safetensors(self, folder: Path, name: str = "run") -> Path:
        """The same as .safetensors."""
        from safetensors.numpy import save_file

        (folder / name).mkdir()
        for n, frame in enumerate(self.frames()):
            save_file({"embed.weight": frame}, folder / name / f"step_{10 * n}.safetensors")
        return folder / name


def flipped(path: Path, at: float, bit: int = 0) -> Path:
    """A file with one bit changed, at a share of its length."""
    data = bytearray(path.read_bytes())
    data[min(int(at * len(data)), len(data) - 1)] ^= 1 << bit
    path.write_bytes(bytes(data))
    return path


def cut(path: Path, to: float) -> Path:
    """A file cut to a share of its length."""
    data = path.read_bytes()
    path.write_bytes(data[: int(to * len(data))])
    return path
