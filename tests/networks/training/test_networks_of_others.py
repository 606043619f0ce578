"""A network of another distribution: a class of settings and an entry point, and everything knows it by its name."""

import os
import subprocess
import sys

import numpy as np
import pytest

import ecodyn
from ecodyn.networks import training
from ecodyn.networks.training import NETWORKS, grid, network_settings, train
from ecodyn.runtime.registry import Registry

ENTRY_POINTS = """\
[ecodyn.networks]
springs = springs_of_another:Springs
abstract = springs_of_another:Unfinished
misnamed = springs_of_another:Misnamed
no_settings = springs_of_another:RATE
"""

MODULE = '''\
"""Springs: x_k relaxes to its rest by gradient descent on ½ Σ_k s_k (x_k − 1)²."""

from dataclasses import dataclass

import numpy as np
import torch

from ecodyn.networks.training import AutogradBatch, NetworkSettings

RATE = 0.1


@dataclass(frozen=True, kw_only=True)
class Springs(NetworkSettings):
    name = "springs"

    optimiser: str = "sgd"
    learning_rate: float = RATE
    weight_decay: float = 0.0
    count: int = 4
    stiffest: float = 2.0

    @property
    def features(self):
        return np.arange(1, self.count + 1)

    @property
    def measured(self):
        return ("signal", "train_loss")

    def stiffness(self):
        return torch.linspace(0.5, self.stiffest, self.count, dtype=torch.float64)

    def initialisation(self, seed):
        return self.name, self.count, seed

    def draw(self, seeds, dtype, device):
        starts = [{"x": torch.from_numpy(np.random.default_rng(seed).uniform(2, 3, self.count))} for seed in seeds]
        return SpringsBatch(self, starts, dtype, device)

    def bytes_per_network(self, itemsize):
        return 4 * itemsize * self.count


class SpringsBatch(AutogradBatch):
    def __init__(self, settings, starts, dtype, device):
        super().__init__(starts, dtype, device)
        self.stiffness = settings.stiffness().to(device, dtype)

    def losses(self, tensors, *, measure):
        losses = (self.stiffness * (tensors["x"] - 1) ** 2).sum(1) / 2
        if measure:
            self.measured = losses.detach()
        return losses

    def observables(self):
        return {"signal": self.tensors["x"]}

    def curves(self):
        return {"train_loss": self.measured}


class Unfinished(NetworkSettings):
    name = "abstract"


class Misnamed(Springs):
    pass
'''


@pytest.fixture
def distribution(tmp_path):
    """A folder with an installed distribution that brings the network "springs", and some that are none."""
    folder = tmp_path / "installed" / "springs-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: springs\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(ENTRY_POINTS)
    (folder.parent / "springs_of_another.py").write_text(MODULE)
    return folder.parent


@pytest.fixture
def networks(distribution, monkeypatch):
    """The registry of networks, as a process has it that begins with the distribution on its path."""
    monkeypatch.setattr(sys, "path", [str(distribution), *sys.path])
    fresh = Registry(NETWORKS.sort, NETWORKS.group, NETWORKS._built_in, NETWORKS._accept)
    monkeypatch.setattr(training, "NETWORKS", fresh)
    yield fresh
    sys.modules.pop("springs_of_another", None)


def relaxed(steps, start, count=4, stiffest=2.0, rate=0.1):
    """x_t = 1 + (1 − ηs)^t (x₀ − 1), exactly what gradient descent does."""
    stiffness = np.linspace(0.5, stiffest, count)
    return 1 + (1 - rate * stiffness) ** np.arange(steps + 1)[:, None] * (start - 1)


def test_it_is_known_by_its_name_after_those_that_are_built_in(networks):
    assert list(networks) == ["mlp", "transformer", "deep_linear", "abstract", "misnamed", "no_settings", "springs"]
    assert network_settings("springs")().described()["network"] == "springs"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no_settings", r"must be a class of settings, .*NetworkSettings, got 0\.1"),
        ("abstract", "leaves open bytes_per_network, draw, features, initialisation, measured; Unfinished"),
        ("misnamed", "calls itself 'springs'"),
    ],
)
def test_what_is_no_network_is_refused_with_a_sentence(networks, name, said):
    with pytest.raises(ValueError, match=said):
        network_settings(name)


def test_a_network_registered_by_hand_is_held_to_the_same(networks):
    with pytest.raises(ValueError, match="must be a class of settings"):
        networks.register("sum", sum)
    springs = networks["springs"]
    networks.register("springs", springs)
    assert network_settings("springs") is springs


@pytest.mark.slow
def test_it_trains_over_a_grid_in_worker_processes(networks):
    cells = grid(network_settings("springs"), {"stiffest": [1.0, 3.0]})
    runs = train(cells, seeds=[5, 2], steps=6, jobs=2)
    assert runs.settings["stiffest"].tolist() == [1.0, 1.0, 3.0, 3.0]
    for values, stiffest in zip(runs.values, runs.settings["stiffest"], strict=True):
        np.testing.assert_allclose(values, relaxed(6, values[0], stiffest=stiffest), rtol=1e-12)
    np.testing.assert_array_equal(runs.values, train(cells, seeds=[5, 2], steps=6).values)


@pytest.mark.slow
def test_the_command_trains_it_and_what_it_writes_is_compared(distribution, tmp_path):
    out = tmp_path / "springs.nc"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(distribution), *sys.path])}

    def ecodyn_train(*arguments):
        command = [sys.executable, "-m", "ecodyn.cli", "train", "--network", *arguments, "-o", str(out)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)

    refused = ecodyn_train("misnamed")
    assert (refused.returncode, out.exists()) == (2, False)
    assert "Traceback" not in refused.stderr
    assert "calls itself 'springs'" in " ".join(refused.stderr.split())
    done = ecodyn_train("springs", "--set", "count=3", "--seeds", "0:6", "--steps", "20", "--jobs", "2")
    assert done.returncode == 0, done.stderr

    runs = ecodyn.load(out)
    assert (runs.provenance["network"], runs.provenance["count"]) == ("springs", 3)
    for values in runs.values:
        np.testing.assert_allclose(values, relaxed(20, values[0], count=3), rtol=1e-12)
    result = ecodyn.compare(runs, families=["linear"], couplings=["independent"])
    assert "linear" in str(result)
