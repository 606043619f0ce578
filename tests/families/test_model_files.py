"""Model files that are none, or damaged: refused with a sentence, and never executed."""

import json

import numpy as np
import pytest
import sympy
from safetensors.numpy import load, save
from small_fits import COUPLINGS, decay, network, quietly

from ecodyn.errors import UnusableDataError
from ecodyn.families import Linear, load_model


@pytest.fixture(scope="module")
def models():
    return {"law": Linear().fit(decay()).model_, "network": quietly(lambda: network().fit(decay())).model_}


def changed(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize("kind", ["law", "network"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_model_file_is_refused(tmp_path, models, kind, share):
    path = tmp_path / "model.json"
    models[kind].save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UnusableDataError, match=r"expected a model file of schema 1 written by ecodyn in .*model.json"):
        load_model(path)


@pytest.mark.parametrize("kind", ["law", "network"])
@pytest.mark.parametrize("schema", [99, 0, -1, "1", None, [1]])
def test_another_schema_is_refused(tmp_path, models, kind, schema):
    path = tmp_path / "model.json"
    models[kind].save(path)
    changed(path, lambda d: d.update(schema=schema))
    with pytest.raises(UnusableDataError, match=r"expected a model file of schema 1 .* got ValueError: schema"):
        load_model(path)


@pytest.mark.parametrize("content", [b"[1]", b"null", b"{}", b'"text"', b"\xff\x00", b"[" * 100_000])
def test_what_is_no_model_file_is_refused(tmp_path, content):
    path = tmp_path / "model.json"
    path.write_bytes(content)
    with pytest.raises(UnusableDataError, match="expected a model file"):
        load_model(path)


def test_a_missing_model_file_is_refused(tmp_path):
    with pytest.raises(UnusableDataError, match="nowhere"):
        load_model(tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    "change",
    {
        "coefficients that are ragged": lambda d: d.update(coefficients=[[1.0], [1.0, 2.0]]),
        "too few coefficients": lambda d: d.update(coefficients=[[1.0]]),
        "too many rows": lambda d: d.update(coefficients=[[1.0, 2.0, 3.0]] * 2),
        "text for a coefficient": lambda d: d.update(coefficients=[["__import__('os')", 0, 0]]),
        "NaN": lambda d: d.update(coefficients=[[float("nan"), 0, 0]]),
        "infinity": lambda d: d.update(amplitude=float("inf")),
        "a coupling that is none": lambda d: d.update(coupling="other"),
        "a kind that is none": lambda d: d.update(kind="other"),
        "a state that is no text": lambda d: d.update(state=3),
        "features that are no list": lambda d: d.update(features=3),
        "terms that are not there": lambda d: d["library"].update(terms=[[7, 0], [0, 0], [1, 1]]),
        "negative terms": lambda d: d["library"].update(terms=[[-1, 0], [0, 0], [1, 1]]),
        "exponents for other channels": lambda d: d["library"].update(own=[[0, 0], [1, 0]]),
        "negative exponents": lambda d: d["library"].update(own=[[0], [-1]]),
        "exponents that would fill the memory": lambda d: d["library"].update(own=[[0], [10**9]]),
        "no library": lambda d: d.pop("library"),
        "no provenance": lambda d: d.pop("provenance"),
    }.items(),
    ids=lambda item: item[0],
)
def test_a_model_file_whose_parts_do_not_fit_is_refused(tmp_path, models, change):
    path = tmp_path / "model.json"
    models["law"].save(path)
    changed(path, change[1])
    with pytest.raises(UnusableDataError, match="expected a model file"):
        load_model(path)


def test_missing_weights_are_refused(tmp_path, models):
    path = tmp_path / "model.json"
    models["network"].save(path)
    path.with_suffix(".safetensors").unlink()
    with pytest.raises(UnusableDataError, match=r"expected the network's weights in .*model.safetensors.* together"):
        load_model(path)


def test_truncated_weights_are_refused(tmp_path, models):
    path = tmp_path / "model.json"
    models["network"].save(path)
    weights = path.with_suffix(".safetensors")
    content = weights.read_bytes()
    for length in (0, 5, len(content) // 2, len(content) - 1):
        weights.write_bytes(content[:length])
        with pytest.raises(UnusableDataError, match="expected the network's weights"):
            load_model(path)


@pytest.mark.parametrize("older", [False, True], ids=["by their checksum", "of a file that states none"])
@pytest.mark.parametrize("change", ["a layer less", "another width"])
def test_weights_of_another_network_are_refused(tmp_path, models, change, older):
    path = tmp_path / "model.json"
    models["network"].save(path)
    if older:
        document = json.loads(path.read_text())
        del document["weights_sha256"]
        path.write_text(json.dumps(document))
    file = path.with_suffix(".safetensors")
    weights = load(file.read_bytes())
    if change == "a layer less":
        del weights["g2.bias"]
    else:
        weights["g2.weight"] = weights["g2.weight"][:2]
    file.write_bytes(save(weights))
    with pytest.raises(UnusableDataError, match="got other weights"):
        load_model(path)


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_text_in_a_model_file_is_never_executed(tmp_path, coupling):
    """Names of terms, features and channels are labels, whatever they say."""
    struck = tmp_path / "struck"
    hostile = f"__import__('pathlib').Path({str(struck)!r}).touch()"
    path = tmp_path / "model.json"
    quietly(lambda: Linear(coupling).fit(decay())).model_.save(path)

    def poison(document):
        document["terms"] = [hostile] * len(document["terms"])
        document["features"] = [f"{hostile} or {i}" for i in range(3)]
        document["family"] = hostile
        document["state"] = "signal"

    changed(path, poison)
    model = load_model(path)
    equations = model.equations()
    assert model.to_latex()
    assert repr(model)
    assert model.library.names()
    assert model.simulate(decay()[0], np.arange(3.0)).status == ("ok",)
    for equation in equations:
        symbols = sorted(equation.rhs.free_symbols, key=str)
        sympy.lambdify(symbols, equation.rhs)(*np.ones(len(symbols)))
    model.save(tmp_path / "again.json")
    assert not struck.exists()
