"""What laws alone say is had before networks are fitted, and is what they say without any."""

import pytest
from known_laws import UNSEEN, quick, system

from ecodyn import Linear, Shooting
from ecodyn.comparison.contenders import PROTOCOLS, UNSEEN_RUNS, contenders
from ecodyn.comparison.laws_first import TO_COME
from ecodyn.comparison.plan import plan
from ecodyn.comparison.request import Request

LAWS = [Linear("exchangeable", shooting=Shooting(refine=False)), Linear("independent", shooting=Shooting(refine=False))]


class Drawn(Linear):
    """Stands for a network: seeds have a say, though it comes to the same."""

    name = "drawn"
    stochastic = True

    def fit_seeds(self, training_sets, seeds, *, clock=False):
        return [model for model in self.fit_models(training_sets, clock=clock) for _ in seeds]


NETWORK = Drawn("independent", shooting=Shooting(refine=False))


@pytest.fixture(scope="module")
def data():
    return system("linear", samples=21, features=3)


def test_laws_on_unseen_runs_are_done_first(data):
    tasks = plan(data, contenders([NETWORK, *LAWS], None, "signal"), Request(protocols=PROTOCOLS)).tasks
    first = [t.protocol == UNSEEN_RUNS and not t.contender.stochastic for t in tasks]
    assert 0 < sum(first) < len(first)
    assert first == sorted(first, reverse=True)


@pytest.mark.parametrize("jobs", [1, 2])
def test_it_is_said_once_before_the_network_and_as_without_one(data, jobs):
    said, done = [], []
    quick(
        data,
        [NETWORK, *LAWS],
        protocols=UNSEEN,
        jobs=jobs,
        on_laws=lambda statement: said.append((statement, len(done))),
        progress=lambda *of: done.append(of),
    )
    [(told, when)] = said
    statement, ahead = told.split("\n")
    assert when < len(done)
    assert ahead.startswith(TO_COME)
    assert str(NETWORK.name) in ahead
    assert f"({len(done) - when} of {len(done)} tasks)" in ahead  # it is told before the progress of the next
    assert quick(data, LAWS, protocols=UNSEEN).verdict.statement.startswith(statement.removesuffix("."))


@pytest.mark.parametrize("families", [LAWS, [NETWORK]])
def test_nothing_is_said_beforehand_where_there_are_only_laws_or_only_networks(data, families):
    said = []
    quick(data, families, protocols=UNSEEN, on_laws=said.append)
    assert said == []


def test_it_is_said_again_only_where_a_network_is_not_kept(data, tmp_path):
    """Resuming with all laws kept answers at once where a network is ahead, and only in the end where none is."""

    def told(families):
        said = []
        quick(data, families, protocols=UNSEEN, keep=tmp_path, on_laws=said.append)
        return len(said)

    assert [told(LAWS), told([NETWORK, *LAWS]), told([NETWORK, *LAWS])] == [0, 1, 0]
