"""From a training loop of one's own to a verdict: the example as it is run, and the loop that the README shows."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import ecodyn

torch = pytest.importorskip("torch")

EXAMPLE = Path(__file__).parents[1] / "examples" / "recorder.py"
README = EXAMPLE.parents[1] / "README.md"
STATUSES = {"decided", "tied", "undecided", "no_family"}
MOST_LINES = 12  # from nothing to a verdict

LOOP = """\
import ecodyn

for seed in range(6):
    model, optimizer, loss = new_training(seed)  # your own
    with ecodyn.Recorder("embedding", every=10, out=f"runs/seed_{seed}.nc") as recorder:
        for _ in range(201):
            optimizer.zero_grad()
            loss(model).backward()
            recorder.step(model)  # after backward(), before the optimiser's step
            optimizer.step()
result = ecodyn.compare(ecodyn.extract("runs"), ["linear"], protocols=["unseen_runs"])
print(result.verdict)
"""


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("recorder_example", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_goes_from_training_to_a_verdict(example, tmp_path, capsys):
    arguments = ["-o", str(tmp_path / "runs"), "--runs", "5", "--steps", "60"]
    result = example.main(arguments)
    assert result.verdict.status in STATUSES
    assert str(result.verdict) in capsys.readouterr().out
    runs = ecodyn.extract(tmp_path / "runs")
    assert runs.shape == (5, 7, example.P // 2)
    assert list(runs.observables) == ["signal", "gradient"]
    assert runs.n_clusters == 5
    assert runs.provenance["optimiser"] == "AdamW"
    with pytest.raises(SystemExit):
        example.main(arguments)


def test_a_loop_of_ones_own_in_a_few_lines(example, tmp_path, monkeypatch, capsys):
    def new_training(seed):
        torch.manual_seed(seed)
        model = example.Addition()
        pairs = torch.cartesian_prod(torch.arange(example.P), torch.arange(example.P))
        sums = pairs.sum(dim=1) % example.P
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
        return model, optimizer, lambda model: torch.nn.functional.cross_entropy(model(pairs), sums)

    monkeypatch.chdir(tmp_path)
    assert len(LOOP.splitlines()) <= MOST_LINES
    assert LOOP in README.read_text()
    names = {"new_training": new_training}
    exec(LOOP, names)
    assert str(names["result"].verdict) in capsys.readouterr().out
    recorded = ecodyn.extract("runs")
    np.testing.assert_array_equal(recorded.steps, np.arange(0, 201, 10))
    assert recorded.n_runs == 6
