"""Spans that inputs break are integrated piece by piece, whatever the right-hand side."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn import Formula, Input, Shooting, Trajectories
from ecodyn.equations.known_inputs import at
from ecodyn.estimation import Samples
from ecodyn.estimation.input_spans import MOST_PIECES, Nodes
from ecodyn.estimation.spans import Spans

STEPS = np.linspace(0.0, 8.0, 81)


def relaxing(curve, start, b=0.5, a=1.2):
    """ẋ = b − a·u·x, exactly between the jumps of u."""
    edges = np.unique(np.concatenate([STEPS, curve.breaks]))
    x, found = np.asarray(start, dtype=float), [np.asarray(start, dtype=float)]
    for begin, end in itertools.pairwise(edges):
        rate = a * float(curve(begin))
        x = b / rate + (x - b / rate) * np.exp(-rate * (end - begin))
        if end in STEPS:
            found.append(x)
    return np.array(found)


def driven(curves, seed=0):
    rng = np.random.default_rng(seed)
    values = [relaxing(curve, rng.uniform(0.2, 2.0, 2)) for curve in curves]
    return Trajectories(values, STEPS, inputs={"u": curves})


def dense(seed, knots=40):
    rng = np.random.default_rng(seed)
    return Input("u", np.sort(np.r_[0.0, rng.uniform(0.1, 7.9, knots - 1)]), rng.uniform(0.3, 2.0, knots), "steps")


@settings(max_examples=8)
@given(
    knots=st.lists(st.floats(0.3, 7.7), min_size=1, max_size=6, unique_by=lambda t: round(t, 1)),
    kind=st.sampled_from(["steps", "linear"]),
    seed=st.integers(0, 99),
)
def test_what_is_smooth_between_breaks_is_integrated_exactly(knots, kind, seed):
    """x is a straight line here, so that x·u is of degree 2 at most between breaks."""
    times = np.array([0.0, *sorted(knots), 8.0])
    curve = Input("u", times, np.random.default_rng(seed).uniform(-1, 1, len(times)), kind)
    samples = Samples.of(Trajectories((1.0 + 0.5 * STEPS)[None, :, None], STEPS, inputs={"u": curve}), inputs=["u"])
    spans = Spans.of(samples, gap=10)
    nodes = Nodes.of(samples, spans)
    (own,) = samples.inputs.curves
    product = nodes.weights * nodes.states[:, 0, 0] * at(own, nodes.times)[:, 0]
    found = np.add.reduceat(product, nodes.begins)
    abscissae, shares = np.polynomial.legendre.leggauss(4)
    for begin, end, integral in zip(spans.times[:, 0], spans.times[:, -1], found, strict=True):
        inside = own[0].breaks[(own[0].breaks > begin) & (own[0].breaks < end)]
        exact = 0.0
        for a, b in itertools.pairwise([begin, *inside, end]):
            t = (a + b) / 2 + (b - a) / 2 * abscissae
            x = (1.0 + 0.5 * t * samples.time_scale) / samples.scales[0]
            exact += (b - a) / 2 * float(np.sum(shares * x * at(own, t)[:, 0]))
        assert integral == pytest.approx(exact, abs=1e-12)


def test_a_span_has_no_more_nodes_than_are_worth_it_and_always_some():
    curve = Input("u", np.linspace(0, 8, 2001), np.random.default_rng(0).uniform(size=2001), "steps")
    samples = Samples.of(driven([dense(0)]).with_inputs(u=curve), inputs=["u"])
    spans = Spans.of(samples, gap=10)
    nodes = Nodes.of(samples, spans)
    assert np.bincount(nodes.span).max() == MOST_PIECES
    assert (np.bincount(nodes.span, minlength=len(spans.run)) > 0).all()
    np.testing.assert_allclose(np.add.reduceat(nodes.weights, nodes.begins), spans.times[:, -1] - spans.times[:, 0])


def test_matched_integrals_are_a_good_start_where_each_span_has_many_jumps():
    law = Formula("b - a*u*x", shooting=Shooting(refine=False)).fit(driven([dense(r) for r in range(4)])).model_
    assert law.parameters == pytest.approx({"a": 1.2, "b": 0.5}, rel=1e-2)
