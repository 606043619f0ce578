"""Schedules of the learning rate and of the weight decay: what is trained is what torch's own schedulers train."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ecodyn.comparison.references.known_decay import decay_rate
from ecodyn.errors import UnusableDataError
from ecodyn.networks.deep_linear import DeepLinear
from ecodyn.networks.modular_addition import MLP
from ecodyn.networks.training import (
    ConstantRate,
    CosineRate,
    LinearRate,
    Schedule,
    StepRate,
    TableRate,
    grid,
    train,
    train_batch,
)
from ecodyn.networks.training.rate_texts import as_schedule
from ecodyn.trajectories import load

T = 12  # updates
QUADRATIC = DeepLinear(modes=3, depth=1, scale=0.3, learning_rate=0.2)  # its loss is one, ½ ‖W − M‖²
schedulers = torch.optim.lr_scheduler


def with_warmup(decay, warmup):
    """What transformers' schedules are: t/W, and then the decay of what is over of the rest."""
    return lambda t: t / warmup if t < warmup else decay((t - warmup) / (T - warmup))


REFERENCES = [
    pytest.param("constant", lambda o: schedulers.ConstantLR(o, factor=1.0), id="constant"),
    pytest.param("cosine", lambda o: schedulers.CosineAnnealingLR(o, T_max=T), id="cosine"),
    pytest.param("cosine:steps=8", lambda o: schedulers.LambdaLR(o, lambda t: (1 + np.cos(np.pi * min(t / 8, 1))) / 2)),
    pytest.param(
        "cosine:final=0.1",
        lambda o: schedulers.CosineAnnealingLR(o, T_max=T, eta_min=0.1 * 0.2),
        id="cosine_to_a_tenth",
    ),
    pytest.param(
        "linear:final=0.25",
        lambda o: schedulers.LinearLR(o, start_factor=1, end_factor=0.25, total_iters=T),
        id="linear",
    ),
    pytest.param(
        "step:milestones=3+7:gamma=0.5",
        lambda o: schedulers.MultiStepLR(o, milestones=[3, 7], gamma=0.5),
        id="milestones",
    ),
    pytest.param("step:step_size=5", lambda o: schedulers.StepLR(o, step_size=5, gamma=0.1), id="step_size"),
    pytest.param(
        "constant:warmup_steps=4", lambda o: schedulers.LambdaLR(o, with_warmup(lambda s: 1.0, 4)), id="warm_constant"
    ),
    pytest.param(
        "cosine:warmup_steps=4",
        lambda o: schedulers.LambdaLR(o, with_warmup(lambda s: 0.5 * (1 + np.cos(np.pi * s)), 4)),
        id="warm_cosine",
    ),
    pytest.param(
        "table:steps=0+2+9:values=0.2+0.05+0.1",
        lambda o: schedulers.LambdaLR(o, lambda t: [1.0, 0.25, 0.5][(t >= 2) + (t >= 9)]),
        id="table",
    ),
    pytest.param(
        "table:steps=0+4+12:values=0.1+0.05+0.2:kind=linear",
        lambda o: schedulers.LambdaLR(o, lambda t: np.interp(t, [0, 4, 12], [0.5, 0.25, 1.0])),
        id="linear_table",
    ),
]


def reference(network, scheduler):
    """Singular values of W after each of T updates, and the rates, by torch alone: one network, its own loop."""
    W = torch.nn.Parameter(network.draw_one(0)["layer.1"].clone())
    u, s, v = map(torch.from_numpy, network.teacher())
    optimiser = network.optimiser_of(W)
    schedule = scheduler(optimiser)
    signals, rates = [], []
    for _ in range(T + 1):
        signals.append(torch.einsum("di,de,ei->i", u, W.detach(), v).numpy())
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.zero_grad()
        (0.5 * (W - (u * s) @ v.T).square().sum()).backward()
        optimiser.step()
        schedule.step()
    return np.array(signals), np.array(rates, dtype=float)


@pytest.mark.filterwarnings("ignore:.*epoch parameter.*")
@pytest.mark.parametrize("optimiser", [{"momentum": 0.9}, {"optimiser": "adamw", "weight_decay": 0.5}])
@pytest.mark.parametrize(("text", "scheduler"), REFERENCES)
def test_what_is_trained_is_what_torch_and_its_scheduler_train(text, scheduler, optimiser):
    network = replace(QUADRATIC, learning_rate_schedule=text, **optimiser)
    signals, rates = reference(replace(network, learning_rate_schedule="constant"), scheduler)
    record = train_batch(network, [0, 1], np.arange(T + 1))
    np.testing.assert_allclose(record.observables["signal"][0], signals, rtol=1e-12, atol=1e-14)
    if network.rates(T):
        np.testing.assert_allclose(network.rates(T)["lr"], rates, rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize("text", ["cosine", "step:milestones=3+7", "linear:warmup_steps=5"])
def test_on_a_quadratic_what_is_left_is_the_product_of_all_factors(text):
    """a − s shrinks by 1 − η_t at update t."""
    network = replace(QUADRATIC, learning_rate_schedule=text)
    signal = train_batch(network, [3], np.arange(T + 1)).observables["signal"][0]
    left = (signal - network.teacher()[1]) / (signal[0] - network.teacher()[1])
    expected = np.cumprod([1.0, *(1 - network.rates(T)["lr"][:-1])])
    np.testing.assert_allclose(left, np.broadcast_to(expected[:, None], left.shape), rtol=1e-11)


def test_a_scheduled_weight_decay_is_what_it_is_at_the_time():
    """W(t+1) = (1 − ηλ_t) W(t) − ηW'(t) under plain descent, with W' the gradient that is shown."""
    network = replace(QUADRATIC, weight_decay=0.5, weight_decay_schedule="step:milestones=2+5:gamma=0.5")
    decay = network.rates(8)["weight_decay"]
    assert decay.tolist() == [0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125, 0.125, 0.125]
    kept = train_batch(network, [0, 1], np.arange(9)).observables
    a, gradient = kept["signal"], kept["gradient"]
    expected = a[:, :-1] - 0.2 * (gradient[:, :-1] + decay[:-1, None] * a[:, :-1])
    np.testing.assert_allclose(a[:, 1:], expected, rtol=1e-12, atol=1e-14)


def test_constant_is_what_there_is_without_a_schedule():
    """The same settings, provenance and numbers, bit for bit; and nothing is recorded."""
    network = MLP(p=7, dim=3, width=4)
    stated = replace(network, learning_rate_schedule="constant", weight_decay_schedule=ConstantRate())
    assert stated == network
    assert not [name for name in network.described() if name.endswith("_schedule")]
    runs = train(stated, [0, 1], 5)
    assert runs == train(network, [0, 1], 5)
    assert not runs.inputs


@pytest.mark.parametrize("text", ["cosine:final=0.1", "step:milestones=4+8", "constant:warmup_steps=3"])
def test_networks_side_by_side_have_the_same_schedule(text):
    network = MLP(p=7, dim=3, width=4, learning_rate_schedule=text)
    together, alone = train(network, range(4), T), train(network, range(4), T, batch=1)
    np.testing.assert_allclose(together.values, alone.values, rtol=1e-11)
    assert (
        np.abs(together.values - train(replace(network, learning_rate_schedule="constant"), range(4), T).values).max()
        > 1e-3
    )


# --------------------------------------------------------------------------------------------------- what is recorded


@pytest.mark.parametrize(
    ("text", "kind", "knots"),
    [
        ("step:milestones=4+8", "steps", [0, 4, 8]),
        ("table:steps=0+5:values=0.01+0.02", "steps", [0, 5]),
        ("cosine:final=0.1", "linear", [0, 1, 2, 7, 12]),
        ("step:step_size=9:warmup_steps=2", "linear", [0, 1, 2, 7, 8, 9, 12]),
    ],
)
def test_the_rate_is_an_input_of_the_runs(tmp_path, text, kind, knots):
    """At each kept step the rate of the update that follows; a jump stays one, wherever it is."""
    network = MLP(p=7, dim=3, width=4, learning_rate_schedule=text)
    runs = train(network, [0, 1], T, keep=Schedule(2, 5))
    rates = network.over(T).rates(T)["lr"]
    for curve in runs.inputs["lr"]:
        assert (curve.kind, curve.times.tolist()) == (kind, knots)
        np.testing.assert_array_equal(curve(runs.steps), rates[runs.steps.astype(int)])
        if kind == "steps":
            np.testing.assert_array_equal(curve(np.arange(T + 1)), rates)
    runs.save(tmp_path / "runs.nc")
    assert load(tmp_path / "runs.nc").inputs == runs.inputs
    assert list(runs.inputs) == ["lr"]


def test_a_grid_over_schedules_records_each_runs_own():
    networks = grid(
        MLP, {"p": [7], "dim": [3], "width": [4], "learning_rate_schedule": ["constant", "cosine", "step:step_size=6"]}
    )
    runs = train(networks, [0, 1], T)
    assert runs.settings["learning_rate_schedule"].tolist() == [
        *["constant"] * 2, *["cosine:steps=12"] * 2, *["step:step_size=6"] * 2
    ]  # fmt: skip
    for curve, network in zip(runs.inputs["lr"], np.repeat(networks, 2), strict=True):
        rates = network.rates(T).get("lr", np.full(T + 1, 0.01))
        np.testing.assert_array_equal(curve(np.arange(T + 1)), rates)


def test_both_rates_are_recorded_where_both_go():
    network = MLP(p=7, dim=3, width=4, learning_rate_schedule="cosine", weight_decay_schedule="step:step_size=6")
    inputs = train(network, [0], T).inputs
    assert {name: curves[0].kind for name, curves in inputs.items()} == {"lr": "linear", "weight_decay": "steps"}


def test_provenance_is_enough_to_do_it_again():
    network = MLP(p=7, dim=3, width=4, learning_rate_schedule="cosine:final=0.1")
    runs = train(network, [0], T)
    said = json.loads(json.dumps(runs.provenance))
    assert said["learning_rate_schedule"] == "cosine:final=0.1:steps=12"
    again = MLP(**{name: said[name] for name in network.described() if name not in ("network", "interventions")})
    assert again == network.over(T)
    assert train(again, [0], T) == runs


def test_a_rate_that_varies_is_no_known_decay():
    network = MLP(p=7, dim=3, width=4)
    assert decay_rate(train(network, [0], 4)) == 0.01 * 0.5
    for name in ("learning_rate_schedule", "weight_decay_schedule"):
        runs = train(replace(network, **{name: "cosine"}), [0], 4)
        assert decay_rate(runs) is None
        some = train([network, replace(network, **{name: "cosine"})], [0], 4)
        assert decay_rate(some) is None
        assert decay_rate(some.without_inputs()) is None
    told = train(network, [0], 4).with_inputs(lr=([0, 2], [0.01, 0.001]), kind="steps")
    assert decay_rate(told) is None


# ---------------------------------------------------------------------------------------------------------- as text

counts, rates = st.integers(1, 10**6), st.floats(1e-6, 1.0)
written = st.one_of(
    st.builds(ConstantRate, warmup_steps=counts),
    st.builds(CosineRate, final=rates),
    st.builds(LinearRate, final=rates, steps=st.none() | st.integers(11, 10**4), warmup_steps=st.integers(0, 10)),
    st.builds(
        StepRate, milestones=st.sets(counts, min_size=1).map(sorted).map(tuple), gamma=rates, warmup_steps=counts
    ),
    st.builds(StepRate, step_size=counts),
    st.builds(
        lambda steps, values, kind: TableRate(
            steps=(0, *sorted(steps)), values=(*values,)[: len(steps) + 1], kind=kind
        ),
        st.sets(counts, min_size=3, max_size=3),
        st.lists(rates, min_size=4, max_size=4),
        st.sampled_from(["steps", "linear"]),
    ),
)


@given(written)
def test_a_schedules_text_is_read_back(schedule):
    assert as_schedule(str(schedule), "learning_rate") == schedule


@pytest.mark.parametrize(
    ("of", "column"), [("learning_rate", "lr"), ("learning_rate", "learning_rate"), ("weight_decay", "wd")]
)
def test_a_table_is_read_once_and_stated_whole(tmp_path, of, column):
    file = tmp_path / "rates: all.csv"  # a colon in a name ends no parameter
    file.write_text(f"step,{column}\n0,0.02\n5,0.002\n")
    network = MLP(p=7, dim=3, width=4, **{f"{of}_schedule": f"table:{file}"})
    file.unlink()
    assert network.described()[f"{of}_schedule"] == "table:steps=0+5:values=0.02+0.002"
    assert getattr(network, of) == 0.02
    assert next(iter(network.rates(6).values())).tolist() == [*[0.02] * 5, 0.002, 0.002]


# --------------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"learning_rate_schedule": "cos"}, "must be one of constant, cosine, linear, step, table, got 'cos'"),
        ({"learning_rate_schedule": 0.1}, "must be a schedule or its text, such as 'cosine:final=0.1', got 0.1"),
        ({"learning_rate_schedule": "cosine:eta_min=1"}, "cosine has no eta_min; it has warmup_steps, final, steps"),
        ({"learning_rate_schedule": "cosine:final=much"}, "final takes one of the numbers, got 'much'"),
        ({"learning_rate_schedule": "cosine:final=-1"}, "learning_rate_schedule: final must be finite and not neg"),
        ({"learning_rate_schedule": "cosine:final=0:final=1"}, "final is given twice"),
        ({"learning_rate_schedule": "cosine:0.1"}, "expected PARAMETER=VALUE after cosine, got '0.1'"),
        ({"learning_rate_schedule": "cosine:warmup_steps=12"}, "warmup_steps is 12, expected fewer than .* 12 steps"),
        ({"learning_rate_schedule": "cosine:steps=5:warmup_steps=5"}, "warmup_steps is 5, expected fewer"),
        ({"learning_rate_schedule": "step"}, "takes milestones or a step_size, got neither; such as step:milestones"),
        ({"learning_rate_schedule": "step:milestones=5:step_size=5"}, "takes milestones or a step_size, got both"),
        ({"learning_rate_schedule": "step:milestones=5+4"}, "milestones must ascend, got 5.4; sort them"),
        ({"learning_rate_schedule": "step:milestones=5,4"}, "milestones takes whole numbers with . between them, got"),
        ({"learning_rate_schedule": "step:milestones=40+50"}, "falls at step 40 first, and the training ends at 12"),
        ({"learning_rate_schedule": "step:step_size=12"}, "falls at step 12 first, and the training ends at 12"),
        ({"learning_rate_schedule": "table:steps=1+5:values=1+2"}, "must ascend from 0, got 1, 5; sort them"),
        ({"learning_rate_schedule": "table:steps=0+5:values=1"}, "got 2 steps and 1 values"),
        ({"learning_rate_schedule": "table:steps=0+5:values=1+0.1:kind=linear"}, "ends at step 5, and the training"),
        (
            {"learning_rate_schedule": "table:steps=0+5:values=1+0.1", "learning_rate": 0.5},
            "learning_rate is 0.5 beside a table whose largest is 1.0; leave learning_rate out",
        ),
        ({"weight_decay_schedule": "cosine", "weight_decay": 0.0}, "weight_decay is 0, which stays 0"),
    ],
)  # fmt: skip
def test_what_is_no_schedule_is_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        train(MLP(p=7, dim=3, width=4, **settings), [0], T)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("step,rate\n0,1\n", "has the columns step, rate, expected a column step and one called lr or learning_rate"),
        ("step,lr\n0.5,1\n", "has the step 0.5, expected whole numbers"),
        ("step,lr\n5,1\n", "must ascend from 0, got 5"),
        ("run,step,lr\na,0,1\nb,0,1\n", "holds rates of 2 runs, expected one"),
    ],
)
def test_a_table_of_something_else_is_refused(tmp_path, text, said):
    (tmp_path / "rates.csv").write_text(text)
    with pytest.raises(UnusableDataError, match=said):
        MLP(learning_rate_schedule=f"table:{tmp_path / 'rates.csv'}")
