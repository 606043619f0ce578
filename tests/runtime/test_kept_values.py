"""Results in a folder: read back to the last bit, named by all that decides them, and never trusted when damaged."""

import importlib
import json
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from ecodyn.comparison.folds import Fold
from ecodyn.equations.forms import polynomial_library
from ecodyn.runtime import fingerprints
from ecodyn.runtime.exact_values import UnwritableError, from_exact, to_exact
from ecodyn.runtime.fingerprints import NoFingerprintError, fingerprint
from ecodyn.runtime.kept_values import KeptValues, kept_files

ARRAYS = stn.arrays(
    st.sampled_from([np.dtype(t) for t in ("f8", "f4", "i8", "?", "U3", "c16", "u1")]), stn.array_shapes(min_side=0)
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
NUMBERS = st.floats().map(np.float64) | st.floats(width=32).map(np.float32) | st.integers(0, 9).map(np.int64)
VALUES = st.recursive(
    PLAIN | NUMBERS | ARRAYS | st.frozensets(st.text()),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(PLAIN | st.tuples(PLAIN), inner),
    max_leaves=8,
)


def same(a, b):
    """Of the same types and bits, NaN and -0.0 too, and arrays in the same order in memory."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        flags = all(getattr(a.flags, f) == getattr(b.flags, f) for f in ("c_contiguous", "f_contiguous"))
        return a.dtype == b.dtype and a.shape == b.shape and flags and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a.items(), b.items(), strict=True))
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float | np.generic):
        return np.asarray(a).tobytes() == np.asarray(b).tobytes() or (a != a and b != b)
    return a == b


@given(value=VALUES)
@settings(max_examples=15, deadline=None)
def test_what_is_written_is_read_back(value):
    tree, arrays = to_exact(value)
    assert same(from_exact(json.loads(json.dumps(tree)), arrays), value)


@given(value=VALUES)
@settings(max_examples=6, deadline=None)
def test_a_file_gives_back_what_was_kept(value, tmp_path_factory):
    kept = KeptValues(tmp_path_factory.mktemp("kept"))
    key = kept.key("some")
    given_back = kept.put(key, value)
    found, read = KeptValues(kept.folder).get(key)
    assert found
    assert same(read, value)
    assert same(given_back, value)


def test_arrays_keep_their_order_in_memory(tmp_path):
    kept = KeptValues(tmp_path)
    columns = np.asfortranarray(np.random.default_rng(0).random((4, 3)))
    holed = np.random.default_rng(0).random((4, 6))[:, ::2]
    first = kept.put(kept.key(1), {"columns": columns, "holed": holed})
    read = KeptValues(tmp_path).get(kept.key(1))[1]
    assert same(first, read)  # whoever computes it goes on with what others will read
    assert read["columns"].flags.f_contiguous
    assert np.array_equal(read["holed"], holed)


def test_dataclasses_are_made_again_and_shared_ones_once():
    library = polynomial_library("exchangeable", ("signal",), ("a", "b"), degree=2)
    fold = Fold((0, 1), (2,), 3.5)
    read = from_exact(*to_exact([library, library, fold]))
    assert read == [library, library, fold]
    assert read[0] is read[1]


@dataclass
class Foreign:
    number: int


@pytest.mark.parametrize("value", [np.sin, lambda x: x, object(), Foreign(1), np.array([None]), np.longdouble(1)])
def test_what_can_not_be_read_back_is_not_written(value, tmp_path):
    with pytest.raises(UnwritableError):
        to_exact([value])
    said = []
    kept = KeptValues(tmp_path, tell=said.append)
    assert kept.put(kept.key("it"), value) is value
    assert not kept_files(tmp_path)
    assert len(said) == 1
    assert "not kept" in said[0]


def test_another_distributions_class_only_if_it_is_named():
    tree, arrays = to_exact(Foreign(1), [Foreign])
    assert from_exact(tree, arrays, [Foreign]) == Foreign(1)
    with pytest.raises(ValueError, match="not this package's"):
        from_exact(tree, arrays)


COMMANDS = ["ecodyn.__main__:main", "ecodyn.cli.__main__:main"]  # run the command when they are imported


@pytest.mark.parametrize(
    "name", ["os:system", "ecodyn.runtime.files:sha256", "ecodyn:nothing", "ecodyn.arrays:Array", *COMMANDS]
)
def test_a_file_chooses_no_code(name):
    with pytest.raises((ValueError, AttributeError)):
        from_exact({"class": name, "fields": {}}, [])


@pytest.mark.parametrize("seed", range(12))
def test_damage_is_found_and_said(seed, tmp_path):
    rng = np.random.default_rng(seed)
    kept = KeptValues(tmp_path)
    value = {"x": rng.random(50), "names": tuple("abc"), "y": np.arange(9)}
    key = kept.key("some")
    kept.put(key, value)
    (file,) = kept_files(tmp_path)
    whole = bytearray(file.read_bytes())
    if seed % 3 == 0:
        damaged = whole[: rng.integers(len(whole))]
    else:
        damaged = whole.copy()
        damaged[rng.integers(len(whole))] ^= 1 << int(rng.integers(8))
    file.write_bytes(damaged)
    said = []
    found, read = KeptValues(tmp_path, tell=said.append).get(key)
    if found:  # some bits of an archive mean nothing, such as a date
        assert same(read, value)
    else:
        assert "damaged" in said[0]
    assert same(KeptValues(tmp_path).of(key, lambda: value), value)
    assert same(KeptValues(tmp_path).get(key)[1], value)


def test_a_file_under_another_name_is_none(tmp_path):
    kept = KeptValues(tmp_path)
    kept.put(kept.key(1), "one")
    (file,) = kept_files(tmp_path)
    file.rename(tmp_path / f"{kept.key(2)}.npz")
    said = []
    assert KeptValues(tmp_path, tell=said.append).get(kept.key(2)) == (False, None)
    assert "damaged" in said[0]


def test_another_basis_has_other_keys(tmp_path):
    assert KeptValues(tmp_path, "1.0").key("task") != KeptValues(tmp_path, "1.1").key("task")


def test_a_full_disk_costs_nothing_but_what_is_kept(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    said = []
    kept = KeptValues(tmp_path, tell=said.append)
    monkeypatch.setattr(np, "savez", full)
    assert kept.of(kept.key(1), lambda: "one") == "one"
    assert kept.of(kept.key(2), lambda: "two") == "two"
    assert len(said) == 1
    assert "No space left" in said[0]
    assert not list(tmp_path.iterdir())


# --------------------------------------------------------------------------------------------------- fingerprints


@given(value=VALUES)
@settings(max_examples=15, deadline=None)
def test_equal_values_have_equal_fingerprints(value):
    assert fingerprint(value) == fingerprint(from_exact(*to_exact(value)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1, 2], [12]),
        (["a", "bc"], ["ab", "c"]),
        ([[1], 2], [[1, 2]]),
        (1, 1.0),
        (1, True),
        ("1", 1),
        (np.zeros((2, 3)), np.zeros((3, 2))),
        (np.zeros(2), np.zeros(2, dtype="f4")),
        (0.0, -0.0),
        ({"a": 1}, {"a": 2}),
        (Fold((0,), (1,)), Fold((0,), (1,), 2.0)),
        (np.sin, np.cos),
        (dict, list),
    ],
)
def test_what_differs_is_told_apart(one, other):
    assert fingerprint(one) != fingerprint(other)


def test_order_counts_only_where_there_is_one():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint(frozenset("abc")) == fingerprint(frozenset("cba"))
    assert fingerprint([1, 2]) != fingerprint([2, 1])


@pytest.mark.parametrize("value", [lambda x: x, object(), np.array([None])])
def test_what_nothing_is_known_of_has_none(value, tmp_path):
    with pytest.raises(NoFingerprintError):
        fingerprint(value)
    said = []
    assert KeptValues(tmp_path, tell=said.append).key(value) is None
    assert "computed anew" in said[0]


def test_estimators_count_with_their_parameters_and_their_text():
    from ecodyn import Linear, Shooting

    assert fingerprint(Linear()) == fingerprint(Linear())
    assert fingerprint(Linear()) != fingerprint(Linear("independent"))
    assert fingerprint(Linear(shooting=Shooting())) != fingerprint(Linear(shooting=Shooting(max_iterations=3)))


def test_a_class_of_somebody_elses_counts_with_its_text(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    found = []
    for more in ("", "    fixed = 1\n"):
        (tmp_path / "of_my_own.py").write_text(
            "from ecodyn import Linear\nclass Mine(Linear):\n    name = 'mine'\n" + more
        )
        importlib.invalidate_caches()
        monkeypatch.delitem(sys.modules, "of_my_own", raising=False)
        fingerprints._texts.cache_clear()  # another process has read nothing yet
        found.append(fingerprint(importlib.import_module("of_my_own").Mine()))
    assert found[0] != found[1]


def test_changed_results_have_changed_fingerprints():
    fold = Fold((0, 1), (2,))
    assert fingerprint(fold) == fingerprint(replace(fold))
