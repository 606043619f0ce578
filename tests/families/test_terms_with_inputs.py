"""Terms of one's own and inputs in one law: both are found, under every coupling, and come back from a file."""

import numpy as np
import pytest

from ecodyn import Input, SINDy, Trajectories, integrate, load_model

JUMP = 4.05  # between two samples


@pytest.fixture(scope="module")
def data():
    """ẋ = −0.5x + 0.3 sin x + 0.4u of three features, u falling from 1 to −0.5."""
    times = np.linspace(0, 10, 101)

    def slopes(u):
        return lambda x, t: -0.5 * x + 0.3 * np.sin(x) + 0.4 * u

    starts = np.random.default_rng(0).uniform(0.5, 3.0, (6, 3))
    before = np.append(times[times < JUMP], JUMP)
    first = integrate(slopes(1.0), starts, before, rtol=1e-11).values
    second = integrate(slopes(-0.5), first[:, -1], np.append(JUMP, times[times > JUMP]), rtol=1e-11).values
    values = np.concatenate([first[:, :-1], second[:, 1:]], axis=1)
    runs = Trajectories(values, times, ["a", "b", "c"], labels_shared=True)
    return runs.with_inputs(u=Input("u", [0, JUMP], [1, -0.5], "steps"))


@pytest.mark.parametrize("coupling", ["independent", "exchangeable", "full"])
def test_both_are_found(data, coupling, tmp_path):
    terms = [f"sin(x_{k})" for k in "abc"] if coupling == "full" else ["sin(x)"]
    law = SINDy(coupling, terms=terms, degree=1).fit(data).model_
    found = [dict(zip(law.library.names(), row, strict=True)) for row in law.coefficients]
    if coupling == "full":
        found = [{t.replace(f"_{k}", ""): c for t, c in row.items()} for k, row in zip("abc", found, strict=True)]
    for row in found:
        kept = {term: c for term, c in row.items() if c != 0}
        assert pytest.approx(kept, abs=1e-4) == {"x": -0.5, "sin(x)": 0.3, "u": 0.4}
    law.save(tmp_path / "law.json")
    again = load_model(tmp_path / "law.json")
    assert again.lines() == law.lines()
    rollouts = [m.simulate(data.values[0, 0], data.times[0], inputs=data.select(runs=[0])) for m in (law, again)]
    assert np.array_equal(rollouts[0].signal, rollouts[1].signal)
    assert np.abs(rollouts[0].signal[0] - data.values[0]).max() < 1e-4
