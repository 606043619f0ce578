"""Further observables of an embedding while it is trained: those that logs are reduced to."""

import numpy as np
import pytest

from ecodyn.networks.modular_addition import MLP
from ecodyn.networks.modular_addition.further import further_observables
from ecodyn.networks.training import grid, train
from ecodyn.networks.training.descent import train_batch
from ecodyn.networks.training.grids import read_value
from ecodyn.observables import OBSERVABLES, Fourier

SMALL = {"p": 7, "dim": 3, "width": 4}


def test_they_are_those_of_the_frames_and_change_no_training():
    kept, frames = np.arange(5), {"embedding": [], "gradient": []}

    def visit(step, batch):
        frames["embedding"].append(batch.tensors["embedding"].clone().numpy())
        frames["gradient"].append(batch.gradients["embedding"].clone().numpy())

    record = train_batch(MLP(**SMALL, observables=further_observables()), [0, 1], kept, visit=visit)
    plain = train_batch(MLP(**SMALL), [0, 1], kept)
    np.testing.assert_array_equal(record.observables["signal"], plain.observables["signal"])
    circles = Fourier(7)
    for run in range(2):
        both = [circles.components(np.array(f)[:, run]).copy() for f in frames.values()]
        for name in further_observables():
            seen = OBSERVABLES[name]
            values = seen.of_both(*both) if seen.of_both else seen.of_frames(both[0])
            np.testing.assert_allclose(record.observables[name][run], values[:, 1:], rtol=1e-9, atol=1e-12)


def test_they_are_kept_with_the_trajectories():
    runs = train(MLP(**SMALL, observables=("pull", "circularity")), [0], 2)
    assert set(runs.observables) == {"signal", "gradient", "pull", "circularity"}
    assert (np.abs(runs.observable("pull")) <= runs.observable("gradient") * (1 + 1e-12)).all()
    assert runs.provenance["observables"] == ["pull", "circularity"]


@pytest.mark.parametrize("names", [("signal",), ("share",), ("pull", "pull"), ("spin",)])
def test_what_is_no_further_observable_of_a_frame_is_refused(names):
    with pytest.raises(ValueError, match="observables are circularity, phase_spread, pull, each once"):
        MLP(observables=names)


def test_the_command_line_joins_them_by_plus():
    assert grid(MLP, {"observables": [read_value("pull+circularity", tuple[str, ...])]})[0].measured[2:4] == (
        "pull",
        "circularity",
    )
