"""A verdict from recordings is that from checkpoints of the same training, the toy model of superposition."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import ecodyn
from ecodyn.extraction import Request, extract

RUNS, FEATURES, HIDDEN, DENSITY, EVERY = 6, 20, 3, 0.3, 10
NORMS = {"directions": np.eye(FEATURES), "over": "dimensions", "token_axis": 0}  # of the columns of W


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The loop of the example on fewer networks, recorded and kept as checkpoints at the same steps."""
    recorded, kept = tmp_path_factory.mktemp("recorded"), tmp_path_factory.mktemp("kept")
    draw = torch.Generator().manual_seed(0)
    w = (0.3 / HIDDEN**0.5 * torch.randn(RUNS, HIDDEN, FEATURES, generator=draw)).requires_grad_()
    b = torch.zeros(RUNS, 1, FEATURES, requires_grad=True)
    optimizer = torch.optim.SGD([w, b], lr=0.05)
    networks = [{"w": own} for own in w.detach().unbind()]  # updates are in place: these stay the same
    recorders = [ecodyn.Recorder("w", every=EVERY, out=recorded / f"seed_{r}.nc", **NORMS) for r in range(RUNS)]
    for step in range(301):
        present = torch.rand(RUNS, 256, FEATURES, generator=draw) < DENSITY
        x = present * torch.rand(RUNS, 256, FEATURES, generator=draw)
        optimizer.zero_grad()
        ((x - torch.relu(x @ w.mT @ w + b)).square().mean(dim=1).sum() / DENSITY).backward()
        for r, (recorder, network) in enumerate(zip(recorders, networks, strict=True)):
            recorder.step(network)
            if step % EVERY == 0:
                (kept / f"seed_{r}").mkdir(exist_ok=True)
                save_file({"w": network["w"].contiguous()}, kept / f"seed_{r}" / f"step_{step}.safetensors")
        optimizer.step()
    for recorder in recorders:
        recorder.close()
    return recorded, kept


def test_signals_are_the_same_numbers(folders):
    recordings, checkpoints = extract(folders[0]), extract(folders[1], Request(**NORMS))
    np.testing.assert_array_equal(recordings.steps, checkpoints.steps)
    np.testing.assert_allclose(recordings.values, checkpoints.values, rtol=1e-12)


def test_verdicts_are_the_same_sentence(folders):
    asked = {"families": ["linear", "lotka_volterra"], "protocols": ["unseen_runs"]}
    both = [ecodyn.compare(runs, **asked) for runs in (extract(folders[0]), extract(folders[1], Request(**NORMS)))]
    assert both[0].verdict.statement == both[1].verdict.statement
    np.testing.assert_allclose([m.skill for m in both[0].models], [m.skill for m in both[1].models], rtol=1e-9)
