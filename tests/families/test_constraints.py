"""Laws under constraints hold them, whatever the data; constraints that are true help, and idle ones change nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from sklearn.base import clone

from ecodyn import Linear, LotkaVolterra, Shooting, SINDy, Trajectories, load_model
from ecodyn.errors import UnusableDataError

LABELS = ["u", "v", "w"]
MATCHED = Shooting(refine=False)
SHOT = Shooting(stages=(1.0,), intervals=12, estimate_starts=False)  # quick
SYMMETRIC = np.array([[-1.0, 0.5, 0.0], [0.5, -1.0, 0.3], [0.0, 0.3, -0.8]])
pytestmark = pytest.mark.filterwarnings("ignore::ecodyn.DataWarning")  # of data that say little, which is the point


def linear_runs(matrix, *, runs=3, noise=0.0, seed=0, steps=25, end=4.0, labels=LABELS):
    """Solutions of ẋ = A x, with noise that is a share of each feature's spread."""
    rng, times = np.random.default_rng(seed), np.linspace(0.0, end, steps)
    moved = np.stack([expm(matrix * t) for t in times])
    x = np.einsum("tij,rj->rti", moved, rng.normal(size=(runs, len(matrix))))
    x = x + noise * x.std(axis=(0, 1)) * rng.normal(size=x.shape)
    return Trajectories(x, times, features=labels, labels_shared=True)


def mapped_runs(step, *, runs=4, steps=12):
    """Iterates x(t + 1) = x + f(x), which a map's fit has exactly."""
    x = [np.random.default_rng(1).uniform(0.5, 1.5, (runs, 3))]
    for _ in range(steps - 1):
        x.append(x[-1] + step(x[-1]))
    return Trajectories(np.stack(x, axis=1), np.arange(float(steps)), features=LABELS, labels_shared=True)


def growths(law):
    """Real parts of the eigenvalues at the equilibrium."""
    matrix = law.interactions()
    if law.family == "linear":
        return np.linalg.eigvals(matrix).real
    equilibrium = np.linalg.solve(matrix, -law.coefficients[:, 0])
    assert (equilibrium > 0).all()
    return np.linalg.eigvals(equilibrium[:, None] * matrix).real


def off(matrix):
    return matrix[~np.eye(len(matrix), dtype=bool)]


HELD = {
    "A symmetric": lambda law: law.interactions() - law.interactions().T == 0,
    "A antisymmetric": lambda law: law.interactions() + law.interactions().T == 0,
    "offdiagonal(A) >= 0": lambda law: off(law.interactions()) >= 0,
    "diagonal(A) <= -0.5": lambda law: np.diagonal(law.interactions()) <= -0.5,
    "-0.25 <= A[u,v] <= -0.125": lambda law: -0.25 <= law.interactions()[0, 1] <= -0.125,
    "rows(A) = 0": lambda law: np.abs(law.interactions().sum(axis=1)) <= 1e-12 * np.abs(law.coefficients).max(),
    "trace(A) = -1": lambda law: abs(np.trace(law.interactions()) + 1) <= 1e-12 * np.abs(law.interactions()).max(),
    "2*A[u,w] + A[w,u] <= A[v,v] - 0.5": lambda law: (
        (m := law.interactions()) is not None and 2 * m[0, 2] + m[2, 0] <= m[1, 1] - 0.5 + 1e-12 * np.abs(m).max()
    ),
    "stable": lambda law: growths(law) < 0,
    "stable by 0.1": lambda law: growths(law) <= -0.1 + 1e-12,
}
TOGETHER = [[text] for text in HELD] + [
    ["A symmetric", "stable"],
    ["offdiagonal(A) >= 0", "rows(A) = 0"],
    ["diagonal(A) <= -0.5", "-0.25 <= A[u,v] <= -0.125", "stable by 0.1"],
]


DATA = {
    "constraints": st.sampled_from(TOGETHER),
    "family": st.sampled_from([Linear, LotkaVolterra]),
    "seed": st.integers(0, 10**6),
    "noise": st.sampled_from([0.0, 0.1, 1.0]),
    "steps": st.integers(4, 12),
}


def check_held(shooting, *, constraints, family, seed, noise, steps):
    rng = np.random.default_rng(seed)
    runs = linear_runs(rng.normal(size=(3, 3)) / 2, runs=2, noise=noise, seed=seed, steps=steps, end=2.0)
    data = Trajectories(np.exp(runs.values / 4), runs.steps, features=LABELS, labels_shared=True)
    law = family("full", constraints=constraints, shooting=shooting).fit_model(data)
    for text in constraints:
        assert np.all(HELD[text](law)), (text, law.interactions())


@given(**DATA)
@settings(max_examples=5, deadline=None)
def test_constraints_hold_whatever_the_data(**drawn):
    """Of short and noisy runs too."""
    check_held(MATCHED, **drawn)


@pytest.mark.slow
@given(**DATA)
@settings(max_examples=40, deadline=None)
def test_shooting_keeps_them_whatever_the_data(**drawn):
    check_held(Shooting(stages=(0.5,), intervals=12, estimate_starts=False, max_iterations=3), **drawn)


def test_shooting_keeps_stability():
    """Of noise: what shooting wants is no stable law."""
    few = Shooting(stages=(0.5,), intervals=12, estimate_starts=False, max_iterations=3)
    check_held(few, constraints=["A symmetric", "stable"], family=Linear, seed=1, noise=1.0, steps=4)


@pytest.mark.parametrize(
    ("family", "matrix", "constraints"),
    [
        (Linear, SYMMETRIC / 4, ["A symmetric", "offdiagonal(A) >= 0", "stable", "b = 0"]),
        (LotkaVolterra, SYMMETRIC / 4 - 0.1, ["A symmetric", "r > 0", "diagonal(A) < 0", "stable"]),
        (Linear, np.array([[-0.2, 0.1, 0], [0.2, -0.3, 0.1], [0, 0.2, -0.1]]), ["columns(A) = 0", "b = 0"]),
        (Linear, np.array([[-0.2, 0.1, 0], [0.2, -0.3, 0.1], [0, 0.2, -0.1]]), ["sum conserved"]),
    ],
)
def test_a_truth_that_holds_them_is_recovered(family, matrix, constraints):
    rates = -matrix @ np.ones(3) if family is LotkaVolterra else np.zeros(3)
    factor = (lambda x: x) if family is LotkaVolterra else np.ones_like
    data = mapped_runs(lambda x: factor(x) * (rates + x @ matrix.T))
    law = family("full", dynamics="map", constraints=constraints).fit_model(data)
    np.testing.assert_allclose(law.interactions(), matrix, atol=1e-6)
    np.testing.assert_allclose(law.coefficients[:, 0], rates, atol=1e-6)
    assert law.diagnostics.optimality < 1e-6 or law.diagnostics.converged


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_symmetric_truth_is_nearer_under_the_constraint(seed):
    """Two noisy runs of four features; the same fit without the constraint beside it."""
    root = np.random.default_rng(seed).normal(size=(4, 4))
    matrix = -root @ root.T / 4 - 0.2 * np.eye(4)
    data = linear_runs(matrix, runs=2, noise=0.05, seed=seed + 50, labels=list("abcd"))
    laws = [Linear("full", constraints=c, shooting=SHOT).fit_model(data) for c in (None, ["A symmetric"])]
    free, held = (law.interactions() for law in laws)
    assert np.linalg.norm(held - matrix) < 0.8 * np.linalg.norm(free - matrix)


def test_stable_laws_stay_where_unstable_ones_leave():
    """A weakly damped truth, two short noisy runs: the law without the constraint grows without bound."""
    skew = np.array([[0.0, 1.0, 0], [-1.0, 0, 0.5], [0, -0.5, 0]])
    data = linear_runs(skew - 0.05 * np.eye(3), runs=2, noise=0.3, seed=5, steps=13, end=2.0)
    free, held = (Linear("full", constraints=c, shooting=SHOT).fit_model(data) for c in (None, ["stable"]))
    late = [0.0, 60.0]
    assert np.linalg.eigvals(free.interactions()).real.max() > 0
    assert not free.simulate(data.values[0, 0], late).ok.all()
    assert held.simulate(data.values[0, 0], late).ok.all()
    assert held.diagnostics.constraints.active == ("stable",)


@pytest.mark.slow
def test_conservation_helps_an_epidemic():
    """Of SINDy's law of 5 % noise: nearer coefficients in most draws, and a sum that has no derivative."""
    from scipy.integrate import solve_ivp

    def sir(_, y):
        return [-1.5 * y[0] * y[1], 1.5 * y[0] * y[1] - 0.5 * y[1], 0.5 * y[1]]

    times = np.linspace(0, 12, 25)
    starts = [(0.95, 0.05, 0), (1.2, 0.15, 0.05), (0.7, 0.1, 0.2), (1.5, 0.1, 0.3)]
    x = np.stack([solve_ivp(sir, (0, 12), s, t_eval=times, rtol=1e-10, atol=1e-12).y.T for s in starts])
    better = 0
    for seed in range(4):
        noise = 0.05 * x.std(axis=(0, 1)) * np.random.default_rng(seed).normal(size=x.shape)
        data = Trajectories(x + noise, times, features=list("SIR"), labels_shared=True)
        errors = []
        for constraints in (None, ["sum conserved"]):
            law = SINDy("full", degree=2, constraints=constraints).fit_model(data)
            states = np.random.default_rng(9).uniform(0, 1, (50, 3, 1))
            slopes = law.rhs(states, np.zeros(50))[..., 0]
            errors.append(np.linalg.norm(slopes - np.stack(sir(0, states[..., 0].T), axis=1)))
        np.testing.assert_allclose(slopes.sum(axis=1), 0, atol=1e-12)
        better += errors[1] < errors[0]
    assert better >= 3


def test_idle_constraints_change_nothing():
    data = linear_runs(SYMMETRIC, noise=0.02)
    free = Linear("full", shooting=SHOT).fit_model(data)
    constraints = ["stable", "diagonal(A) <= 0", "A[u,u] >= -9"]
    held = Linear("full", constraints=constraints, shooting=SHOT).fit_model(data)
    np.testing.assert_array_equal(held.coefficients, free.coefficients)
    np.testing.assert_array_equal(held.diagnostics.low, free.diagnostics.low)
    assert held.diagnostics.status == "converged; constraints held by the fit without them"


def test_what_is_active_is_said_with_what_it_costs():
    """A bound at which the data push: the same law as with the coefficient fixed there, and more squares than free."""
    data = linear_runs(SYMMETRIC, noise=0.02)
    held = Linear("full", constraints=["A[u,v] <= 0.25"], shooting=SHOT).fit_model(data)
    fixed = Linear("full", constraints=["A[u,v] = 0.25"], shooting=SHOT).fit_model(data)
    outcome = held.diagnostics.constraints
    assert held.interactions()[0, 1] == 0.25
    np.testing.assert_allclose(held.coefficients, fixed.coefficients, rtol=1e-3, atol=1e-4)
    assert outcome.active == ("A[u,v] <= 0.25",)
    assert outcome.binding
    assert outcome.under > 2 * outcome.without
    assert "constraints active, to which intervals keep: A[u,v] <= 0.25; squares of rollouts" in held.diagnostics.status
    assert held.diagnostics.optimality < 1e-4  # of the Karush-Kuhn-Tucker conditions: the free gradient is not zero


def test_intervals_are_on_what_is_active():
    data = linear_runs(SYMMETRIC, noise=0.05, runs=5)
    law = Linear("full", constraints=["A symmetric", "A[u,u] = -1"], shooting=SHOT).fit_model(data)
    low, high = (end[:, 1:] for end in (law.diagnostics.low, law.diagnostics.high))
    np.testing.assert_allclose(low, low.T, rtol=1e-6)
    assert low[0, 0] == pytest.approx(-1, abs=1e-9)
    assert high[0, 0] == pytest.approx(-1, abs=1e-9)
    assert (high - low)[np.triu_indices(3, 1)].min() > 1e-4
    assert law.diagnostics.identified[0, 1]  # halves agree on what a constraint decides


def test_units_go_with_the_data():
    """Constraints are in the data's units: bounds that are put into others give the same law in those."""
    data = linear_runs(SYMMETRIC, noise=0.05, labels=LABELS)
    unit, time = np.array([1.0, 30.0, 0.02]), 7.0
    other = Trajectories(data.values * unit, data.steps * time, features=LABELS, labels_shared=True)
    bound, factor = float(0.25 * unit[0] / unit[1] / time), float(2 * (unit[1] / unit[2]) ** 2)
    law = Linear("full", constraints=["A[u,v] <= 0.25", "A[v,w] = 2*A[w,v]"], shooting=SHOT).fit_model(data)
    constraints = [f"A[u,v] <= {bound!r}", f"A[v,w] = {factor!r}*A[w,v]"]
    there = Linear("full", constraints=constraints, shooting=SHOT).fit_model(other)
    np.testing.assert_allclose(
        there.interactions() * time * unit / unit[:, None], law.interactions(), rtol=2e-3, atol=2e-4
    )


def test_matrices_say_what_texts_do():
    data = linear_runs(SYMMETRIC, noise=0.1)
    texts = Linear("full", constraints=["A[u,v] = A[v,u]", "b[w] >= 0.5"], shooting=MATCHED).fit_model(data)
    equal, least = np.zeros(12), np.zeros(12)  # rows of 1, u, v, w
    equal[[2, 5]], least[8] = (1, -1), -1
    given_ = [(equal, "=", 0), (least[None], "<=", [-0.5])]
    matrices = Linear("full", constraints=given_, shooting=MATCHED).fit_model(data)
    np.testing.assert_allclose(matrices.coefficients, texts.coefficients, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("coupling", ["independent", "exchangeable"])
@pytest.mark.parametrize("family", [Linear, LotkaVolterra])
def test_stability_of_laws_that_features_share(family, coupling):
    """The Jacobian of all features at an equilibrium, by differences, has its eigenvalues on the left."""
    rng = np.random.default_rng(2)
    data = Trajectories(np.exp(0.3 * np.cumsum(rng.normal(size=(3, 9, 4)), axis=1)), np.arange(9.0))
    law = family(coupling, constraints=["stable by 0.05"], shooting=MATCHED).fit_model(data)
    b, a, *c = law.coefficients[0]
    level = -b / (a + sum(c))
    jacobian = law.jacobian_times(np.full((1, 4, 1), level), np.eye(4)[None])[0]
    assert level > 0 or family is Linear
    assert np.linalg.eigvals(jacobian).real.max() <= -0.05 + 1e-9


@pytest.mark.parametrize("dynamics", ["flow", "map"])
def test_an_exchangeable_sum_is_conserved(dynamics):
    rng = np.random.default_rng(4)
    data = Trajectories(rng.uniform(1, 2, (3, 8, 4)), np.arange(8.0))
    law = Linear("exchangeable", dynamics=dynamics, constraints=["sum conserved"], shooting=MATCHED).fit_model(data)
    x = rng.normal(size=(5, 4, 1))
    np.testing.assert_allclose(law.rhs(x, np.zeros(5)).sum(axis=1), 0, atol=1e-12)
    assert law.n_coefficients == 2


def test_selected_terms_hold_them():
    """SINDy under constraints: a bound on a single term, in one equation alone, and terms that it needs are kept."""
    data = linear_runs(SYMMETRIC, noise=0.02, steps=13)
    law = SINDy("full", degree=1, constraints=["u: x_v <= 0.25", "w: x_u >= 0.125"], shooting=MATCHED).fit_model(data)
    names = law.library.names()
    assert law.coefficients[0, names.index("x_v")] <= 0.25
    assert law.coefficients[2, names.index("x_u")] >= 0.125


def test_constraints_are_kept_in_files_and_clones(tmp_path):
    data = linear_runs(SYMMETRIC, noise=0.05)
    family = Linear("full", constraints=["A symmetric", ([0.0] * 11 + [1.0], "<=", -0.9)], shooting=MATCHED)
    law = clone(family).fit_model(data)
    law.save(tmp_path / "law.json")
    read = load_model(tmp_path / "law.json")
    assert read.diagnostics.constraints == law.diagnostics.constraints
    assert read.provenance["parameters"]["constraints"][0] == "A symmetric"
    np.testing.assert_array_equal(read.coefficients, law.coefficients)
    assert "constraints" not in Linear("full", shooting=MATCHED).fit_model(data).diagnostics.to_json()


@pytest.mark.parametrize(
    ("family", "said"),
    [
        (Linear("full", constraints=["A[u,v] >= 1", "A[u,v] <= 0"]), "'A[u,v] >= 1' and 'A[u,v] <= 0' contradict"),
        (Linear("full", constraints=["diagonal(A) >= 0", "stable"]), "'diagonal(A) >= 0' and 'stable' contradict"),
        (Linear("full", constraints=["r >= 0"]), "expected the coefficients A, b or a term, 1, x_u, x_v, x_w, got 'r'"),
        (
            Linear("full", constraints=["A[u,q] >= 0"]),
            "expected one of the labels u, v, w, got 'q'\n  A[u,q] >= 0\n  ^",
        ),
        (Linear("full", constraints=["u: x_y >= 0"]), "got 'x_y' (did you mean"),
        (Linear("full", constraints=["q: x_u >= 0"]), "expected an equation of signal, u, v, w that has the term"),
        (Linear("full", constraints=["A = b"]), "expected as many coefficients on both sides, or one, got 9 and 3"),
        (Linear("full", constraints="A symmetric"), "constraints is a list"),
        (Linear("full", constraints=[([[1.0]], "=", 0)]), "with 12 columns"),
        (Linear("full", constraints=[([[1.0]], ">", 0)]), "and of (C, '=', d) or (C, '<=', d), a row of C"),
        (Linear(constraints=["A symmetric"]), "expected a full linear or lotka_volterra law's A to be symmetric"),
        (Linear("independent", constraints=["sum conserved"]), "expected features that see one another"),
        (Linear(constraints=["sum of u conserved"]), "expected a full law for the sum of some features"),
        (Linear("full", "signal,velocity", constraints=["stable"]), "expected the state signal for a stable law"),
        (SINDy("full", constraints=["stable"]), "expected a linear or lotka_volterra law"),
        (SINDy("full", constraints=["x_u = 0"], max_terms=3), "max_terms is not kept by a selection under constraints"),
        (
            LotkaVolterra("full", self_interaction=False, constraints=["A[u,u] <= -1"]),
            "no law of this form holds the constraint 'A[u,u] <= -1'",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(family, said):
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the sentence is compared as it is)
        family.fit(linear_runs(SYMMETRIC, steps=5))
    assert said in str(caught.value)


def test_an_optimizer_has_no_constraints():
    from pysindy import STLSQ

    with pytest.raises(ValueError, match="an optimizer knows nothing of constraints"):
        SINDy("full", optimizer=STLSQ(), constraints=["x_u = 0"]).fit(linear_runs(SYMMETRIC, steps=5))


def test_a_law_that_is_never_stable_is_no_law():
    """Without self-interaction the trace of a Lotka-Volterra law's Jacobian is zero."""
    positive = Trajectories(
        np.exp(linear_runs(SYMMETRIC, steps=9).values), np.arange(9.0), features=LABELS, labels_shared=True
    )
    with pytest.raises(UnusableDataError, match="found no law for which 'stable' holds"):
        LotkaVolterra("full", self_interaction=False, constraints=["stable"], shooting=MATCHED).fit(positive)
