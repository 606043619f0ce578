"""An observable of one's own: by hand or from another distribution, of each kind."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from registries import keep_as_it_is

import ecodyn
from ecodyn.extraction import Request, extract
from ecodyn.logs import LogOptions
from ecodyn.networks.modular_addition import MLP
from ecodyn.networks.training import train
from ecodyn.observables import OBSERVABLES, Observable

P, D, T = 7, 4, 9
FRAMES, GRADIENTS = np.random.default_rng(0).standard_normal((2, T, P, D))
FRAME_KEY = LogOptions(key="frames")

# The largest coefficient's size, of the frame, of the gradient, their product, and the signal's logarithm.
MODULE = """
import numpy as np
from ecodyn.observables import Observable

def largest(components):
    return np.sqrt(components.real**2 + components.imaginary**2).max(axis=-1)

PEAK = Observable(of_frames=largest)
GRADIENT_PEAK = Observable(of_gradients=largest)
PEAKS = Observable(of_both=lambda frames, gradients: largest(frames) * largest(gradients))
LOG_SIGNAL = Observable(of_series=lambda series, steps: np.log(series["signal"]))
"""
NAMES = ("peak", "gradient_peak", "peaks", "log_signal")


@pytest.fixture
def distribution(tmp_path):
    """A folder that brings four observables."""
    facts = tmp_path / "site" / "peaks-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: peaks\nVersion: 1.0\n")
    lines = [f"{name} = peaks_of_mine:{name.upper()}\n" for name in NAMES]
    (facts / "entry_points.txt").write_text("[ecodyn.observables]\n" + "".join(lines))
    (tmp_path / "site" / "peaks_of_mine.py").write_text(MODULE)
    return tmp_path / "site"


@pytest.fixture
def registry(monkeypatch):
    """The registry, which is as it was before once a test is over."""
    before = list(OBSERVABLES)  # reads the entry points, which it remembers
    keep_as_it_is(OBSERVABLES, monkeypatch)
    monkeypatch.delitem(vars(OBSERVABLES), "_entry_points")
    yield OBSERVABLES
    monkeypatch.undo()
    assert list(OBSERVABLES) == before


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.npz"
    np.savez(path, frames=FRAMES, gradients=GRADIENTS, steps=np.arange(T), p=FRAMES.shape[1])
    return path


def peak(frames):
    return np.abs(np.fft.rfft(frames, axis=1))[:, 1:].max(axis=2)


def test_another_distributions_observables_are_extracted_and_trained_with(distribution, log, registry, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(distribution), *sys.path])
    monkeypatch.delitem(sys.modules, "peaks_of_mine", raising=False)
    runs = extract(log, Request(observables=NAMES), options=FRAME_KEY)
    assert set(runs.observables) == {"signal", *NAMES}
    np.testing.assert_allclose(runs.observable("peak")[0], peak(FRAMES), rtol=1e-12)
    np.testing.assert_allclose(runs.observable("gradient_peak")[0], peak(GRADIENTS), rtol=1e-12)
    np.testing.assert_allclose(runs.observable("peaks")[0], peak(FRAMES) * peak(GRADIENTS), rtol=1e-12)
    np.testing.assert_allclose(runs.observable("log_signal"), np.log(runs.values), rtol=1e-12)
    trained = train(MLP(p=7, dim=3, width=4, observables=("peak", "peaks", "gradient_peak")), [0], 2)
    products = trained.observable("peak") * trained.observable("gradient_peak")
    np.testing.assert_allclose(trained.observable("peaks"), products, rtol=1e-12)
    with pytest.raises(ValueError, match="peak, peaks, each once"):
        MLP(observables=("log_signal",))


def test_the_command_line_knows_them(distribution, log, tmp_path):
    paths = [str(distribution), str(Path(ecodyn.__file__).parents[1])]
    command = [sys.executable, "-m", "ecodyn.cli", "extract", str(log), "--key", "frames", "-o", "runs.nc"]
    done = subprocess.run(
        [*command, "--observable", "peak,log_signal", "--jobs", "1"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    runs = ecodyn.load(tmp_path / "runs.nc")
    np.testing.assert_allclose(runs.observable("peak")[0], peak(FRAMES), rtol=1e-12)
    np.testing.assert_allclose(runs.observable("log_signal"), np.log(runs.values), rtol=1e-12)


def test_one_registered_by_hand_goes_along_to_other_processes(registry, log, tmp_path):
    (tmp_path / "second.npz").write_bytes(log.read_bytes())
    registry.register("half", Observable(of_series=lambda series, steps: series["signal"] / 2))
    paths = [log, tmp_path / "second.npz"]
    runs = extract(paths, Request(observables=("half",)), options=FRAME_KEY, jobs=2)
    np.testing.assert_array_equal(runs.observable("half"), runs.values / 2)


@pytest.mark.parametrize(
    "wrong",
    [
        Observable(of_frames=lambda components: components.real),
        Observable(of_series=lambda series, steps: series["signal"][0]),
        Observable(of_both=lambda frames, gradients: np.array(1.0)),
    ],
)
def test_what_gives_another_shape_is_named(registry, log, wrong):
    registry.register("mine", wrong)
    with pytest.raises(ValueError, match=r"the observable mine gave an array of shape .* expected one number a frame"):
        extract(log, Request(observables=("mine",)), options=FRAME_KEY)


@pytest.mark.parametrize(
    ("name", "entry", "said"),
    [
        ("mine", np.abs, "expected an instance of ecodyn.observables.Observable"),
        ("my own", Observable(of_frames=np.abs), "can't be named 'my own'"),
        ("singular_values", Observable(of_frames=np.abs), "which says what features are"),
    ],
)
def test_what_is_no_observable_is_refused(name, entry, said):
    with pytest.raises(ValueError, match=said):
        OBSERVABLES.register(name, entry)


@pytest.mark.parametrize("functions", [{}, {"of_frames": np.abs, "of_series": np.abs}])
def test_an_observable_is_one_function(functions):
    with pytest.raises(ValueError, match=r"got (none|of_frames and of_series)$"):
        Observable(**functions)
