"""An atlas.json that was damaged is refused in a sentence, and names no files outside its folder."""

import json
import warnings

import numpy as np
import pytest

from ecodyn import Atlas, Comparison, Trajectories, UnusableDataError, compare_by


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    steps, starts = np.arange(0.0, 40.0, 4.0), np.linspace(1.0, 3.0, 8).reshape(4, 1, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        runs = Trajectories(starts * np.exp(-0.1 * steps)[:, None], steps, settings={"dim": [8] * 4})
        atlas = compare_by(runs, ["dim"], ["linear"], ["independent"], protocols=["unseen_runs"])
    folder = tmp_path_factory.mktemp("atlas")
    with pytest.MonkeyPatch.context() as patched:  # pages take seconds
        for kind in (Atlas, Comparison):
            patched.setattr(kind, "to_html", lambda self, path, **_: path.write_text("page"))
        atlas.save(folder)
    return folder, atlas


@pytest.mark.parametrize(
    "change", [{"by": 3}, {"values": {}}, {"cells": [{}]}, {"cells": []}, {"control": "bonferroni"}]
)
def test_a_damaged_atlas_is_refused(kept, change):
    folder, _ = kept
    text = (folder / "atlas.json").read_text()
    try:
        (folder / "atlas.json").write_text(json.dumps(json.loads(text) | change))
        with pytest.raises(UnusableDataError, match=r"atlas\.json is damaged"):
            Atlas.load(folder)
    finally:
        (folder / "atlas.json").write_text(text)


def test_reports_are_those_of_the_folder(kept, tmp_path):
    folder, atlas = kept
    text = (folder / "atlas.json").read_text()
    document = json.loads(text)
    document["cells"][0]["report"] = str(tmp_path / "of_another.json")
    try:
        (folder / "atlas.json").write_text(json.dumps(document))
        assert Atlas.load(folder).to_json() == atlas.to_json()
    finally:
        (folder / "atlas.json").write_text(text)


def test_a_setting_without_limit_is_read_back(tmp_path, monkeypatch):
    steps, starts = np.arange(0.0, 40.0, 4.0), np.linspace(1.0, 3.0, 12).reshape(6, 1, 2)
    for kind in (Atlas, Comparison):
        monkeypatch.setattr(kind, "to_html", lambda self, path, **_: path.write_text("page"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        runs = Trajectories(starts * np.exp(-0.1 * steps)[:, None], steps, settings={"limit": [0.5] * 3 + [np.inf] * 3})
        atlas = compare_by(runs, ["limit"], ["linear"], ["independent"], protocols=["unseen_runs"], folder=tmp_path)
    again = Atlas.load(tmp_path)
    assert again.values == ((0.5, np.inf),)
    assert list(again.cells) == [(0.5,), (np.inf,)]
    assert again.to_json() == atlas.to_json()
