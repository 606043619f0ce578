import json

import pytest
from accessible import check_page

from ecodyn.reproduction import EXPERIMENTS, Finding, InterruptedReproduction, reproduce
from ecodyn.reproduction import registry as registry_module
from ecodyn.reproduction.finding import AGREES, DISAGREES, NO_CLAIM, UNDECIDED
from ecodyn.reproduction.page import claim_lines, write_pages
from ecodyn.reproduction.registry import chosen

SOON = "linear-by-dimension"


def test_the_checklist_is_whole():
    assert [e.row for e in EXPERIMENTS.values()] == list(range(15))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_has_a_finding_tables_and_a_figure(tiny_set, name):
    folder, result = tiny_set
    if name in result.failures:  # tiny trainings have no survivors to tell from dead
        assert "survivors" in result.failures[name]
        return
    finding, experiment = result.findings[name], EXPERIMENTS[name]
    assert finding.checks
    assert {c.agreement for c in finding.checks} <= {AGREES, DISAGREES, UNDECIDED, NO_CLAIM}
    assert all(bool(c.claim) == (c.agreement != NO_CLAIM) for c in finding.checks)
    for table, columns in finding.tables.items():
        assert len({len(column) for column in columns.values()}) == 1
        assert (folder / f"{experiment.file}_{table}.csv").is_file()
    assert (folder / f"{experiment.file}.png").read_bytes().startswith(b"\x89PNG")


def test_only_experiments_that_need_survivors_may_fail_without_any(tiny_set):
    assert set(tiny_set[1].failures) <= {"relative-gradient"}


def test_what_is_there_is_used_again(tiny_set, tiny, monkeypatch):
    folder, result = tiny_set

    def examine(cache):
        raise AssertionError("examined again")

    _replace(monkeypatch, SOON, examine)
    again = reproduce(folder, tiny, [SOON])
    assert again.findings[SOON].checks == result.findings[SOON].checks
    assert SOON not in again.seconds


def test_force_and_damage_examine_again(tiny_set, tiny):
    folder, _ = tiny_set
    assert SOON in reproduce(folder, tiny, [SOON], force=True).seconds
    (folder / f"{EXPERIMENTS[SOON].file}.json").write_text("{")
    assert SOON in reproduce(folder, tiny, [SOON]).seconds


def test_an_interrupted_set_keeps_what_it_has(tmp_path, tiny, monkeypatch):
    def examine(cache):
        raise KeyboardInterrupt

    _replace(monkeypatch, "kept", examine)
    with pytest.raises(InterruptedReproduction) as stop:
        reproduce(tmp_path, tiny, [SOON, "kept"])
    finished = stop.value.finished
    monkeypatch.undo()
    assert "kept" not in finished.findings
    whole = reproduce(tmp_path, tiny, [SOON, "kept"])
    assert {SOON, "kept"} <= set(whole.findings)


def test_one_that_fails_does_not_hold_up_the_others(tmp_path, tiny, monkeypatch):
    def examine(cache):
        raise RuntimeError("no law could be fitted\nat all")

    _replace(monkeypatch, "kept", examine)
    result = reproduce(tmp_path, tiny, [SOON, "kept"])
    assert result.failures == {"kept": "no law could be fitted"}
    assert SOON in result.findings


def test_what_is_in_part_deleted_is_examined_again(tmp_path, tiny):
    reproduce(tmp_path, tiny, [SOON])
    for name in (f"14_{SOON}.png", f"14_{SOON}_fits.csv"):
        (tmp_path / name).unlink()
        assert SOON in reproduce(tmp_path, tiny, [SOON]).seconds
        assert (tmp_path / name).is_file()
    (tmp_path / f"14_{SOON}.json").write_text("null")
    assert SOON in reproduce(tmp_path, tiny, [SOON]).seconds
    assert not reproduce(tmp_path, tiny, [SOON]).seconds


@pytest.mark.parametrize("names", [["nonsense"], ["15"], ["dimension", "x"]])
def test_unknown_experiments_are_named(names):
    with pytest.raises(ValueError, match="unknown experiment"):
        chosen(names)


def test_rows_and_names_mean_the_same():
    assert chosen(["3"]) == chosen(["dimension"])
    assert chosen([]) == list(EXPERIMENTS.values())
    assert [e.row for e in chosen(["14", "3"])] == [3, 14]


def test_unknown_scales_are_named(tmp_path):
    with pytest.raises(ValueError, match="expected a scale, small or full"):
        reproduce(tmp_path, "medium")


def test_pages_say_every_claim(tiny_set):
    folder, result = tiny_set
    write_pages(result, folder)
    stated = json.loads((folder / "reproduction.json").read_text())
    page = (folder / "index.html").read_text()
    lines = claim_lines(result)
    assert len(lines) == sum(len(e["checks"]) for e in stated["experiments"])
    assert (folder / "claims.csv").read_text().count("\n") == len(lines) + 1
    assert all(EXPERIMENTS[e["name"]].title in page for e in stated["experiments"])
    check_page(page)
    assert "http" not in page.replace("http://www.w3.org", "")  # nothing is loaded from elsewhere


def _replace(monkeypatch, name, examine):
    import dataclasses

    monkeypatch.setitem(registry_module.EXPERIMENTS, name, dataclasses.replace(EXPERIMENTS[name], examine=examine))


def test_findings_are_read_back_whole(tiny_set, tiny):
    folder, result = tiny_set
    again = reproduce(folder, tiny, [SOON])
    for name, finding in result.findings.items():
        assert isinstance(again.findings[name], Finding)
        assert again.findings[name].to_json() == finding.to_json()
