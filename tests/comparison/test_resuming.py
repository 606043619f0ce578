"""Comparisons whose tasks are kept: the numbers of one that was never interrupted, and nothing done twice."""

import json
import shutil

import numpy as np
import pytest
from known_laws import without_seconds

from ecodyn import Linear, Trajectories, compare
from ecodyn.comparison import InterruptedComparison, Request, judge, kept
from ecodyn.comparison.check import check
from ecodyn.comparison.kept import opened, parts_of, task_keys
from ecodyn.comparison.plan import plan
from ecodyn.runtime.fingerprints import fingerprint
from ecodyn.runtime.kept_values import kept_files

QUICKLY = {
    "families": ["linear"],
    "couplings": ["exchangeable"],
    "parameters": {"linear": {"refine": False}},
    "protocols": ["unseen_runs", "in_sample"],
    "folds": 2,
}


@pytest.fixture(scope="module")
def data(linear_runs):
    return linear_runs(runs=4, steps=21, features=3, noise=1e-3)  # of fewer than five runs no verdict is asked further


def report(result):
    """All that report.json says, but for the seconds that fits took, and what is drawn, to the last bit."""
    drawn = [(window.drawn, window.truth, window.errors) for window in result.windows]
    return json.dumps(without_seconds(result.to_json()), default=str), fingerprint(drawn)


@pytest.fixture(scope="module")
def whole(data):
    """The comparison that nothing happens to, and that keeps nothing."""
    return report(compare(data, **QUICKLY))


@pytest.fixture(scope="module")
def finished(data, whole, tmp_path_factory):
    """A folder with all tasks, and how many there are."""
    folder, said = tmp_path_factory.mktemp("finished"), []
    assert report(compare(data, **QUICKLY, keep=folder, on_kept=said.append)) == whole
    assert len(said) == 1
    assert said[0].startswith("0 of ")
    return folder, int(said[0].split()[2])


@pytest.fixture
def copied(finished, tmp_path):
    """The same folder, to be changed."""
    return shutil.copytree(finished[0], tmp_path / "copied")


@pytest.fixture
def done(monkeypatch):
    """Names of the tasks that are done, rather than found."""
    names, execute = [], kept.execute

    def counted(task, data):
        names.append(str(task.name))
        return execute(task, data)

    monkeypatch.setattr(kept, "execute", counted)
    return names


def test_what_is_kept_is_not_done_again(data, whole, finished, done):
    folder, tasks = finished
    said = []
    again = compare(data, **QUICKLY, keep=folder, on_kept=said.append)
    assert report(again) == whole
    assert done == []
    assert said == [f"{tasks} of {tasks} tasks are kept in {folder}; nothing is left to compute"]


def test_another_margin_computes_nothing(data, copied, done):
    margin = {**QUICKLY, "margin": 0.5}
    found = compare(data, **margin, keep=copied)
    assert done == []
    assert found.settings["margin"] == 0.5
    assert report(found) == report(compare(data, **margin))


def test_another_family_computes_its_own_tasks(data, copied, done):
    more = {
        **QUICKLY,
        "families": ["linear", "lotka_volterra"],
        "parameters": {name: {"refine": False} for name in ("linear", "lotka_volterra")},
    }
    compare(data, **more, keep=copied)
    assert done
    assert all("lotka_volterra" in name for name in done)


@pytest.mark.parametrize("after", [1, 4])
def test_interrupted_and_resumed_is_the_comparison(after, data, whole, finished, done, tmp_path):
    def progress(count, *_):
        if count == after:
            raise KeyboardInterrupt

    with pytest.raises(InterruptedComparison):
        compare(data, **QUICKLY, keep=tmp_path, progress=progress)
    assert len(done) == after
    assert report(compare(data, **QUICKLY, keep=tmp_path)) == whole
    assert len(done) == finished[1]


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "exchanged"])
def test_damaged_tasks_are_computed_anew_and_that_is_said(damage, data, whole, copied):
    files, rng, said = kept_files(copied), np.random.default_rng(5), []
    hurt = [files[i] for i in rng.permutation(len(files))[:3]]
    for file in hurt:
        content = bytearray(file.read_bytes())
        if damage == "cut":
            content = content[: int(rng.integers(len(content)))]
        elif damage == "flipped":
            content[250] ^= 255  # of the JSON; some bytes of an archive, such as dates, mean nothing
        elif damage == "emptied":
            content = bytearray()
        else:
            content = bytearray(next(f for f in files if f not in hurt).read_bytes())
        file.write_bytes(content)
    assert report(compare(data, **QUICKLY, keep=copied, on_kept=said.append)) == whole
    damaged = [sentence for sentence in said if "is damaged" in sentence]
    assert len(damaged) == 3
    assert {sentence.split(" is ")[0] for sentence in damaged} == set(map(str, hurt))
    said.clear()
    assert report(compare(data, **QUICKLY, keep=copied, on_kept=said.append)) == whole
    assert len(said) == 1  # what was damaged is whole again


@pytest.mark.slow
def test_tests_beyond_the_verdict_are_kept_too(linear_runs, tmp_path, monkeypatch):
    data = linear_runs(runs=6, steps=31, features=3, noise=1e-3)
    asked = {**QUICKLY, "surrogates": 19, "resamples": 20, "check_budget": True}
    first = report(compare(data, **asked, keep=tmp_path))
    for module, name in ((kept, "each_with"), (judge, "adequacy_of"), (judge, "chance_to_repeat")):
        monkeypatch.setattr(module, name, lambda *_, **__: pytest.fail("something is done again"))
    assert report(compare(data, **asked, keep=tmp_path)) == first


def test_a_fit_that_failed_is_tried_again(data, done, tmp_path):
    class Failing(Linear):
        name = "failing"

        def fit_models(self, *_, **__):
            raise MemoryError("none left")

    for _ in range(2):
        result = compare(data, [Linear("independent"), Failing("independent")], protocols=["in_sample"], keep=tmp_path)
        assert len(result.failures) == 1
    assert sum("failing" in name for name in done) == 2
    assert sum("linear" in name for name in done) == 1


# ------------------------------------------------------------------------------------- what decides a task's result


def planned(data, folder, jobs=1, **options):
    """The tasks of a comparison's first window, and their keys."""
    request = Request(**{**QUICKLY, **options}, jobs=jobs)
    store = opened(folder, lambda _: None)
    checked = check(data, request)
    work = plan(checked.windows[0], checked.contenders, request, parts=parts_of(checked.windows[0], store))
    return work.tasks, task_keys(work.tasks, work.data, store)


def changed(data, **how):
    parts = {"values": data.values, "steps": data.steps, "features": data.features, "runs": data.runs}
    parts |= {"labels_shared": data.labels_shared, "provenance": data.provenance, "cluster": data.clusters}
    return Trajectories(**{**parts, **how})


def test_each_task_has_a_key_of_its_own_that_is_the_same_again(data, tmp_path):
    tasks, keys = planned(data, tmp_path)
    assert None not in keys
    assert len(set(keys)) == len(tasks)
    assert planned(changed(data), tmp_path)[1] == keys


@pytest.mark.parametrize(
    "how",
    [
        lambda data: {"values": np.nextafter(data.values, np.inf)},
        lambda data: {"steps": data.steps * 2},
        lambda data: {"features": ["a", "b", "c"]},
        lambda data: {"runs": ["p", "q", "r", "s"]},
        lambda data: {"labels_shared": True},
        lambda data: {"cluster": [0, 0, 1, 1]},
        lambda data: {"provenance": {"learning_rate": 0.1, "weight_decay": 1.0}},
        lambda data: {"observables": {"gradient": np.ones_like(data.values)}},
    ],
    ids=["values", "times", "features", "runs", "shared", "clusters", "provenance", "gradient"],
)
def test_other_data_have_other_keys(how, data, tmp_path):
    assert not set(planned(data, tmp_path)[1]) & set(planned(changed(data, **how(data)), tmp_path)[1])


@pytest.mark.parametrize(
    "options",
    [
        {"folds": 4, "protocols": ["unseen_runs"]},
        {"windows": [(0, 15)]},
        {"every": 2},
        {"survivor_rule": "largest_gap"},
        {"parameters": {"linear": {"refine": False, "ridge": 0.5}}},
    ],
    ids=str,
)
def test_what_is_asked_otherwise_has_other_keys(options, data, tmp_path):
    before = planned(data, tmp_path, protocols=options.get("protocols", Request.protocols))
    after = planned(data, tmp_path, **options)
    of_laws = [{k for t, k in zip(*found, strict=True) if t.contender.reference is None} for found in (before, after)]
    assert not of_laws[0] & of_laws[1]


def test_the_seed_decides_what_is_random_only(data, tmp_path):
    asked = {"families": ["linear", "neural_ode"]}
    tasks, keys = planned(data, tmp_path, **asked)
    others = planned(data, tmp_path, **asked, seed=1)[1]
    same = [key == other for key, other in zip(keys, others, strict=True)]
    assert same == [not task.contender.stochastic for task in tasks]


def test_another_version_has_other_keys(data, tmp_path, monkeypatch):
    before = planned(data, tmp_path)[1]
    monkeypatch.setattr(kept, "source_fingerprint", lambda: "another text")
    assert not set(before) & set(planned(data, tmp_path)[1])


def test_margin_and_processes_decide_nothing(data, finished):
    keys = planned(data, finished[0])[1]
    assert planned(data, finished[0], margin=0.7)[1] == keys
    assert planned(data, finished[0], jobs=7)[1] == keys  # found as one process parted them
    assert len(planned(data, finished[0].parent / "empty", jobs=7)[1]) > len(keys)


def test_what_can_not_be_told_again_is_computed_anew(data, done, tmp_path):
    class Local(Linear):
        name = "local"

    said = []
    for _ in range(2):
        asked = {"protocols": ["in_sample"], "keep": tmp_path, "on_kept": said.append}
        compare(data, [Local("independent")], **asked)
    assert sum("local" in name for name in done) == 2
    assert any("Local, which can't be found again by its name" in sentence for sentence in said)
