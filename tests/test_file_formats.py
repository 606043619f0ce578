"""Whatever file holds trajectories, the law fitted to them is the same, or a sentence says which flag is missing.

Values that a format keeps come back bit for bit. Those that it holds as an embedding's spectrum are sums, and
TensorBoard's have single precision: `Kind.rtol` says so, and laws are then as close as that, times what a fit makes of
it.
"""

import json
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner
from written_files import KINDS, TABLES, as_text, embeddings, put, state, wide

import ecodyn
from ecodyn import Trajectories
from ecodyn.cli import app
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.extraction import Request

SHIPPED = "data/circles_p59_d128.nc"
NAMES = ["hare", "lynx", "owl", "fox"]
LAW = 1e-12  # relative, where values are the same to the last digits
GROWN = 1000  # by which a law may differ more than values do: such are the condition numbers of these fits
FAMILY = ("--family", "linear", "--coupling", "exchangeable", "--json")
REFUSED = 3  # exit code


@pytest.fixture(scope="module")
def shipped():
    """A part of the shipped trajectories that is quick to fit: three runs, four frequencies, uneven times."""
    part = ecodyn.load(SHIPPED).select(runs=[0, 1, 2], features=[1, 2, 3, 4]).window(60, 400)
    rows = np.unique(np.round(np.linspace(0, np.sqrt(part.n_steps - 1), 16) ** 2).astype(int))
    return named(part.values[:, rows], part.steps[rows])


def named(values, steps):
    return Trajectories(values, steps, runs=list("abc"), features=NAMES, labels_shared=True)


@pytest.fixture
def written(shipped, tmp_path):
    """Factory: the trajectories in a kind of file, as (kind, trajectories, path)."""

    def write(name):
        kind = KINDS[name]
        for package in kind.needs:
            pytest.importorskip(package, exc_type=ImportError)
        runs = shipped if kind.steps is None else named(shipped.values, kind.steps(shipped.n_steps))
        return kind, runs, kind.write(runs, tmp_path)

    return write


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def law_of(data):
    return ecodyn.Linear().fit(data).model_.coefficients


def check(read, runs, kind):
    """The same values at the same times, and so the same law; features that have names are found by these."""
    labels = [str(label).removeprefix("signal/") for label in read.features]
    places = [labels.index(name) for name in NAMES] if NAMES[0] in labels else [0, 1, 2, 3]
    assert read.shape == runs.shape
    np.testing.assert_array_equal(read.steps, runs.steps)
    np.testing.assert_allclose(read.values[:, :, places], runs.values, rtol=kind.rtol)
    same = runs if read.labels_shared else Trajectories(runs.values, runs.steps)  # names count each in its own scale
    np.testing.assert_allclose(law_of(read), law_of(same), rtol=max(LAW, GROWN * kind.rtol))


LOGS = [name for name in KINDS if name != "trajectories"]


@pytest.mark.parametrize("name", LOGS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:google")
def test_extract_gives_the_same_law(written, tmp_path, name):
    kind, runs, path = written(name)
    result = run("extract", path, "-o", tmp_path / "read.nc", "--jobs", 1, *kind.flags)
    assert result.exit_code == 0, result.stderr
    check(ecodyn.load(tmp_path / "read.nc"), runs, kind)
    assert kind.said in " ".join(result.stderr.split())
    assert bool(kind.said) == ("warning" in result.stderr.lower()), result.stderr


@pytest.mark.parametrize("name", [name for name in LOGS if KINDS[name].flags and KINDS[name].refused])
@pytest.mark.filterwarnings("ignore::DeprecationWarning:google")
def test_what_is_not_evident_is_refused_with_the_flag(written, tmp_path, name):
    kind, _, path = written(name)
    result = run("extract", path, "-o", tmp_path / "read.nc")
    assert result.exit_code == REFUSED, result.stdout + result.stderr
    assert kind.flags[0] in " ".join(result.stderr.split())
    assert not (tmp_path / "read.nc").exists()


def test_a_trajectories_file_is_no_log_which_is_said_with_what_reads_it(written, tmp_path):
    _, _, path = written("trajectories")
    result = run("extract", path, "-o", tmp_path / "read.nc")
    assert result.exit_code == REFUSED
    assert "ecodyn compare" in " ".join(result.stderr.split())


@pytest.mark.parametrize("name", TABLES)
def test_load_and_fit_give_the_same_law(written, name):
    kind, runs, path = written(name)
    flags = dict(zip(kind.flags[::2], kind.flags[1::2], strict=True))
    arguments = {"--time-column": "time", "--run-column": "run", "--columns": "columns"}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        check(ecodyn.load(path, **{arguments[flag]: value for flag, value in flags.items()}), runs, kind)
    assert bool(said) == bool(kind.said)
    assert kind.said in "; ".join(str(one.message) for one in said)
    result = run("fit", path, *kind.flags, *FAMILY)
    assert result.exit_code == 0, result.stderr
    np.testing.assert_allclose(json.loads(result.stdout)["coefficients"], law_of(runs), rtol=LAW)


# ------------------------------------------------------------------------------------------- names of any kind

RESERVED = ["step", "Step", "run", "RUN", "time", "t", "epoch", "seed", "id", "value", "feature", "name", "index"]
RESERVED += ["lr", "_step", "loss__MIN", "Unnamed: 0", "level_0", "key", "subject", "day", "nan", "3", "007", "1e3"]
LETTERS = st.characters(codec="utf-8", categories=("L", "M", "N", "P", "S", "Zs"))
PLAIN_NAMES = st.text(LETTERS, min_size=1, max_size=12)
WORDS = st.tuples(
    st.sampled_from([*RESERVED, '"', "'", ";", ",", "#"]), st.sampled_from(["", " ", "_", "/"]), PLAIN_NAMES
)
ANY_NAME = st.sampled_from(RESERVED) | PLAIN_NAMES | WORDS.map("".join)
VALUES = np.array([[[1.0, 20.0], [1.5, 18.0], [2.25, 17.0]], [[3.0, 10.0], [2.5, 11.5], [2.0, 12.75]]])
STEPS = np.array([0.0, 10.0, 25.0])
MANY = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read_if_it_can_be(path, **options):
    """Trajectories and what was said of them; None where they were refused."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            read = ecodyn.load(path, **options)
        except UnusableDataError as error:
            return None, str(error)
    assert all(issubclass(one.category, DataWarning) for one in said)
    return read, "; ".join(str(one.message) for one in said)


@MANY
@given(names=st.lists(ANY_NAME, min_size=2, max_size=2, unique=True))
def test_a_feature_of_any_name_is_itself_or_refused_or_left_out_which_is_said(tmp_path, names):
    """Beside a step and a run, whatever two columns are called: never another column's numbers under a name."""
    assume(not {"step", "run"} & set(names))
    frame = wide(Trajectories(VALUES, STEPS, runs=["a", "b"]))
    path = as_text(frame.set_axis(["step", "run", *names], axis=1), tmp_path / "table.csv")
    read, said = read_if_it_can_be(path)
    if read is None or read.runs.tolist() != ["a", "b"]:
        assert read is None or "is taken to tell the runs" in said
        return
    written = {name.strip(): VALUES[:, :, i] for i, name in enumerate(names)}
    for i, label in enumerate(read.features):
        np.testing.assert_array_equal(read.values[:, :, i], written.pop(str(label)))
    np.testing.assert_array_equal(read.steps, STEPS)
    assert all(name in said for name in written), (said, written)


@MANY
@given(names=st.lists(ANY_NAME, min_size=4, max_size=4, unique=True))
def test_columns_that_are_named_by_flags_may_be_called_anything(tmp_path, names):
    frame = wide(Trajectories(VALUES, STEPS, runs=["a", "b"]))
    path = as_text(frame.set_axis(names, axis=1), tmp_path / "table.csv")
    time, run_name, *features = names
    assume(not any("*" in name for name in features))  # which is a pattern
    read, said = read_if_it_can_be(path, time=time, run=run_name, columns=features)
    if read is None:
        same = len({name.strip() for name in names} - {""}) < len(names)  # or a name of blanks, which is none
        assert same or time.startswith("#") or "can be split at" in said or "without a name" in said, said
        return
    assert read.runs.tolist() == ["a", "b"]
    np.testing.assert_array_equal(read.steps, STEPS)
    np.testing.assert_array_equal(read.values, VALUES)


FILE_NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=40)


@MANY
@given(name=FILE_NAMES.map(lambda name: name.replace("/", "-")).filter(lambda name: name[0] != "." and name.strip()))
def test_files_may_be_called_anything(tmp_path, name):
    folder = tmp_path / "any"
    folder.mkdir(exist_ok=True)
    frame = wide(Trajectories(VALUES[:1], STEPS)).drop(columns="run")
    path = as_text(frame, folder / f"{name}.csv")
    try:
        np.testing.assert_array_equal(ecodyn.load(path).values, VALUES[:1])
        whole = ecodyn.extract(folder)
        assert str(whole.runs[0]) == (str(int(name)) if name.isdecimal() else name.strip())
        np.testing.assert_array_equal(whole.values, VALUES[:1])
    finally:
        path.unlink()


@pytest.mark.parametrize("name", ["model.{}.npz", "{}.npz", "w{}.npz"])
def test_archives_that_may_be_steps_or_stacks_are_refused_with_either(tmp_path, name):
    """An interval makes values over time of each; a pattern makes each a step."""
    home = tmp_path / "run"
    for step, frame in zip(STEPS.astype(int), embeddings(VALUES[0]), strict=True):
        put(home / name.format(step), {"embedding": frame})
    result = run("extract", home, "-o", tmp_path / "read.nc")
    assert result.exit_code == REFUSED
    text = " ".join(result.stderr.split())
    pattern = name.format("{step}")
    assert "--interval" in text
    assert f"--step-pattern '{pattern}'" in text
    result = run("extract", home, "-o", tmp_path / "read.nc", "--step-pattern", pattern, "--p", 5)
    assert result.exit_code == 0, result.stderr
    read = ecodyn.load(tmp_path / "read.nc")
    np.testing.assert_array_equal(read.steps, STEPS)
    np.testing.assert_allclose(read.values, VALUES[:1], rtol=1e-13)


WITHOUT_DIGITS = st.text(st.characters(codec="utf-8", categories=("L", "P", "S", "Zs")), max_size=20)
BEFORE = st.sampled_from(["ckpt_", "step", "epoch=", "run", "seed", "lr", "val_acc=", "best", "model.", ""])
AFTER = st.sampled_from(["", "k", "M", "e", "_best", "-ema", ".0", "step", "_epoch", "_seed"])
UNITS = {"k": 1e3, "K": 1e3, "m": 1e6, "M": 1e6}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=BEFORE | WITHOUT_DIGITS, after=AFTER | WITHOUT_DIGITS)
def test_checkpoints_of_any_name_are_at_their_steps_or_refused(tmp_path_factory, before, after):
    """One number in a name is the step, whatever stands around it, or the file is refused; units are as written."""
    pytest.importorskip("safetensors")
    folder = tmp_path_factory.mktemp("run")
    before, after = before.replace("/", "-").lstrip("."), after.replace("/", "-")
    for step, frame in zip(STEPS.astype(int), embeddings(VALUES[0]), strict=True):
        put(folder / f"{before}{step}{after}.safetensors", state(frame))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            read = ecodyn.extract(folder, Request(p=5))
        except UnusableDataError as error:
            refusal = str(error)
        else:
            refusal = None
    if refusal is not None:
        assert "step" in refusal or "digit" in refusal
        return
    unit = UNITS.get(after[:1], 1.0) if not after[1:2].isascii() or not after[1:2].isalpha() else 1.0
    epochs = "epochs" in "; ".join(str(one.message) for one in said)
    assert not said or epochs
    np.testing.assert_array_equal(read.steps, STEPS * unit)
    np.testing.assert_allclose(read.values, VALUES[:1], rtol=1e-13)
