"""Which finished cells of an atlas are taken by a later call, and which are asked anew."""

import importlib
import sys
import warnings

import numpy as np
import pytest

import ecodyn
from ecodyn import Comparison, Linear, Trajectories, compare_by
from ecodyn.runtime import fingerprints

STEPS = np.arange(15) * 0.2
TEXT = 'from ecodyn import Linear\n\n\nclass Own(Linear):\n    name = "own"\n'


@pytest.fixture
def data():
    starts = np.random.default_rng(0).uniform(1, 3, (6, 1, 2))
    return Trajectories(starts * np.exp(-STEPS)[:, None], STEPS, settings={"dim": [8] * 3 + [16] * 3})


@pytest.fixture
def done(monkeypatch):
    """The dim of each cell that is compared, rather than found; without pages, which take seconds."""
    found = []

    def counted(runs, **options):
        found.append(int(runs.settings["dim"][0]))
        return ecodyn.compare(runs, **options)

    monkeypatch.setattr(sys.modules[compare_by.__module__], "compare", counted)
    for cls in (Comparison, ecodyn.Atlas):
        monkeypatch.setattr(cls, "to_html", lambda self, path, **_: path.write_text("page"))
    return found


def atlas(data, families, folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ecodyn.DataWarning)
        return compare_by(
            data, ["dim"], families, ["independent"], protocols=["in_sample"], folder=folder, keep=folder, resume=True
        )


def test_a_family_with_another_text_is_asked_anew(data, done, tmp_path, monkeypatch):
    own = tmp_path / "own_law_of_a_test.py"
    own.write_text(TEXT)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module = importlib.import_module(own.stem)
    for _ in range(2):
        atlas(data, [module.Own], tmp_path / "atlas")
    assert done == [8, 16]
    own.write_text(TEXT + "    cost = 2.0\n")
    fingerprints._texts.cache_clear()  # of this process; another one reads the text anew
    atlas(data, [importlib.reload(module).Own], tmp_path / "atlas")
    assert done == [8, 16, 8, 16]


def test_a_cell_with_a_fit_that_failed_is_asked_anew_and_fits_that_did_not_are_taken(data, done, tmp_path, monkeypatch):
    fit, memory = Linear.fit_models, [False]

    def fit_models(self, training, **options):
        if self.coupling == "exchangeable" and training[0].n_runs == 3 and not memory[0]:
            raise MemoryError("none left")
        return fit(self, training, **options)

    monkeypatch.setattr(Linear, "fit_models", fit_models)
    asked = [Linear("independent"), Linear("exchangeable")]
    assert len(atlas(data, asked, tmp_path).failures) == 2
    memory[0] = True
    assert atlas(data, asked, tmp_path).failures == ()
    assert done == [8, 16, 8, 16]
    assert atlas(data, asked, tmp_path).failures == ()
    assert done == [8, 16, 8, 16]
