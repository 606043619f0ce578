"""What is recorded while training is what checkpoints of the same steps give."""

import tracemalloc

import numpy as np
import pytest

import ecodyn
from ecodyn.errors import DataWarning, OutputExistsError, UnusableDataError
from ecodyn.extraction import Request, extract
from ecodyn.extraction.recording.journal import journal_of, read_journal
from ecodyn.extraction.recording.pending import MOST_ROWS
from ecodyn.logs import LogOptions
from ecodyn.observables import OBSERVABLES, Observable

torch = pytest.importorskip("torch")
save_file = pytest.importorskip("safetensors.numpy").save_file

EXACT = 1e-12  # relative: the same sums, of chunks of another size


def assert_same(a, b):
    assert list(a.observables) == list(b.observables)
    np.testing.assert_array_equal(a.times, b.times)
    np.testing.assert_array_equal(a.features, b.features)
    np.testing.assert_array_equal(a.clusters, b.clusters)
    for name in a.observables:
        np.testing.assert_allclose(a.observable(name), b.observable(name), rtol=EXACT, atol=1e-14)
    np.testing.assert_allclose(a.dc, b.dc, rtol=EXACT)
    assert {name: values.tolist() for name, values in a.settings.items()} == {
        name: values.tolist() for name, values in b.settings.items()
    }
    assert a.labels_shared == b.labels_shared
    assert a.provenance["p"] == b.provenance["p"]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
def test_it_is_what_checkpoints_give(tmp_path, training, dtype):
    """Two trainings, one checkpoint a kept step of each, and a recorder in the same loop."""
    names = ("signal", "circularity", "phase_spread", "share", "relative_gradient")
    for seed in (0, 1):
        run, folder = training(seed, dtype=dtype), tmp_path / "checkpoints" / f"seed_{seed}"
        folder.mkdir(parents=True)
        out = tmp_path / "runs" / f"seed_{seed}.nc"
        with ecodyn.Recorder("embedding", every=5, out=out, observables=names) as recorder:
            for step in range(31):
                if step % 5 == 0:
                    save_file({"embedding": run.weight}, folder / f"step_{step}.safetensors")
                run.run(recorder, 1)
    recorded = extract(tmp_path / "runs")
    assert_same(recorded, extract(tmp_path / "checkpoints", Request(observables=names, p=7)))
    assert recorded.runs.tolist() == ["seed_0", "seed_1"]
    assert recorded.n_clusters == 2


def test_gradients_are_of_the_parameters_of_their_step(tmp_path, training):
    """Frames and gradients kept side by side in the loop give the same, what needs both of them too."""
    names, run = ("signal", "gradient", "pull"), training()
    frames, gradients = [], []
    with ecodyn.Recorder("embedding", out=tmp_path / "run.nc", observables=names) as recorder:
        for _ in range(12):
            run.backward()
            frames.append(run.weight)
            gradients.append(run.gradient)
            recorder.step(run.model)
            run.optimizer.step()
    np.savez(tmp_path / "run.npz", frames=frames, gradients=gradients, steps=np.arange(12))
    request = Request(observables=names, p=7)
    kept = extract(tmp_path / "run.npz", request, options=LogOptions(key="frames"))
    assert_same(ecodyn.load(tmp_path / "run.nc"), kept)


def test_verdicts_are_those_of_checkpoints(tmp_path, training, quiet):
    for seed in range(5):
        run, frames = training(seed), []
        with ecodyn.Recorder("embedding", every=2, out=tmp_path / "runs" / f"{seed}.nc", observables=["signal"]) as r:
            for step in range(41):
                if step % 2 == 0:
                    frames.append(run.weight)
                run.run(r, 1)
        (tmp_path / "stacks").mkdir(exist_ok=True)
        np.savez(tmp_path / "stacks" / f"{seed}.npz", frames=frames, steps=2 * np.arange(21))
    options = {"protocols": ["unseen_runs"], "couplings": ["exchangeable"], "jobs": 1}
    a, b = (
        ecodyn.compare(extract(tmp_path / folder, Request(p=p)), ["linear"], **options)
        for folder, p in (("runs", None), ("stacks", 7))
    )
    assert str(a.verdict) == str(b.verdict)
    for one, other in zip(a.models, b.models, strict=True):
        np.testing.assert_allclose(one.skill_per_run, other.skill_per_run, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.AdamW], ids=lambda o: o.__name__)
def test_by_default_it_is_the_signal_and_the_gradient_if_there_is_one(tmp_path, training, of_numpy, optimizer):
    run, weights, gradients = training(optimizer=optimizer), [], []
    with ecodyn.Recorder("embedding", every=3, out=tmp_path / "run.nc") as recorder:
        for _ in range(7):
            run.backward()
            weights.append(run.weight)
            gradients.append(run.gradient)
            recorder.step(run.model)
            run.optimizer.step()
    data = ecodyn.load(tmp_path / "run.nc")
    assert list(data.observables) == ["signal", "gradient"]
    assert data.steps.tolist() == [0, 3, 6]
    np.testing.assert_allclose(data.values[0], of_numpy(np.array(weights))[::3, 1:], rtol=EXACT)
    np.testing.assert_allclose(data.dc[0], of_numpy(np.array(weights))[::3, 0], rtol=EXACT)
    np.testing.assert_allclose(data.observable("gradient")[0], of_numpy(np.array(gradients))[::3, 1:], rtol=EXACT)


def test_in_front_of_the_loop_only_parameters_are_recorded(tmp_path, training, of_numpy):
    run, weights = training(), []
    with ecodyn.Recorder("embedding", out=tmp_path / "run.nc") as recorder:
        for _ in range(4):
            recorder.step(run.model)
            weights.append(run.weight)
            run.backward()
            run.optimizer.step()
        weights.append(run.weight)
        recorder.close(run.model)
    data = ecodyn.load(tmp_path / "run.nc")
    assert list(data.observables) == ["signal"]
    assert data.steps.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(data.values[0], of_numpy(np.array(weights))[:, 1:], rtol=EXACT)


class Manual(torch.optim.Optimizer):
    """Updates through .data, which PyTorch doesn't count as changes."""

    def __init__(self, parameters, lr):
        super().__init__(parameters, {"lr": lr})

    def step(self):
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.data.add_(parameter.grad, alpha=-group["lr"])


def fused(parameters, lr):
    return torch.optim.AdamW(parameters, lr=lr, fused=True)


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.AdamW, fused, Manual])
@pytest.mark.parametrize("observables", [None, ["signal"]])
def test_behind_the_optimisers_step_it_is_refused(tmp_path, training, optimizer, observables):
    """There rows would be of other parameters than they say; nothing of it is left."""
    run = training(optimizer=optimizer)
    recorder = ecodyn.Recorder("embedding", out=tmp_path / "run.nc", observables=observables)
    run.backward()
    run.optimizer.step()
    recorder.step(run.model)
    run.backward()
    run.optimizer.step()
    with pytest.raises(ValueError, match=r"before optimizer\.step\(\)"):
        recorder.step(run.model)
    assert list(tmp_path.iterdir()) == []


def test_there_parameters_alone_are_recorded_at_steps_that_are_said(tmp_path, training, of_numpy):
    run, weights = training(), []
    with ecodyn.Recorder("embedding", out=tmp_path / "run.nc", observables=["signal"]) as recorder:
        for step in range(1, 4):
            run.backward()
            run.optimizer.step()
            weights.append(run.weight)
            recorder.step(run.model, step)
    data = ecodyn.load(tmp_path / "run.nc")
    assert data.steps.tolist() == [1, 2, 3]
    np.testing.assert_allclose(data.values[0], of_numpy(np.array(weights))[:, 1:], rtol=EXACT)


def test_an_optimiser_that_has_begun_tells_that_step_0_is_gone(tmp_path, training):
    run = training()
    run.backward()
    run.optimizer.step()
    run.backward()
    recorder = ecodyn.Recorder("embedding", out=tmp_path / "run.nc", optimizer=run.optimizer)
    for _ in range(2):
        with pytest.raises(ValueError, match="step=N"):
            recorder.step(run.model)
    recorder.step(run.model, 1)
    recorder.close()
    assert ecodyn.load(tmp_path / "run.nc").steps.tolist() == [1]


def test_the_last_state_has_a_gradient_only_if_one_was_computed(tmp_path, training):
    for name, again in (("with", True), ("without", False)):
        run = training()
        recorder = ecodyn.Recorder("embedding", out=tmp_path / f"{name}.nc")
        run.run(recorder, 3)
        if again:
            run.backward()
            recorder.close(run.model)
        else:
            with pytest.warns(DataWarning, match="no gradient at step 3"):
                recorder.close(run.model)
    steps = [ecodyn.load(tmp_path / f"{name}.nc").steps.tolist() for name in ("with", "without")]
    assert steps == [[0, 1, 2, 3], [0, 1, 2]]
    assert "1 steps that were due had no gradient" in str(ecodyn.load(tmp_path / "without.nc").provenance["remarks"])


def test_a_gradient_that_was_skipped_is_no_old_one(tmp_path, training):
    run = training()
    recorder = ecodyn.Recorder("embedding", out=tmp_path / "run.nc")
    run.run(recorder, 2)
    with pytest.warns(DataWarning, match="such steps are left out"):
        recorder.step(run.model)  # the loss was not computed
    run.run(recorder, 1)
    recorder.close()
    assert ecodyn.load(tmp_path / "run.nc").steps.tolist() == [0, 1, 3]


def test_accumulated_gradients_are_summed(tmp_path, training):
    run = training()
    with ecodyn.Recorder("embedding", out=tmp_path / "run.nc") as recorder:
        for _ in range(2):
            run.optimizer.zero_grad()
            for _ in range(3):
                (run.model.loss() / 3).backward()
            recorder.step(run.model)
            run.optimizer.step()
    plain = training()
    with ecodyn.Recorder("embedding", out=tmp_path / "plain.nc") as recorder:
        plain.run(recorder, 2)
    a, b = (ecodyn.load(tmp_path / f"{name}.nc").observable("gradient") for name in ("run", "plain"))
    np.testing.assert_allclose(a, b, rtol=1e-10)


def test_gradients_put_there_by_hand_count_once(tmp_path):
    weight = torch.nn.Parameter(torch.randn(7, 4, generator=torch.Generator().manual_seed(0)))
    recorder = ecodyn.Recorder("w", out=tmp_path / "run.nc", p=7)
    for step in range(4):
        if step != 2:
            weight.grad = torch.full((7, 4), float(step + 1))
        if step == 2:
            with pytest.warns(DataWarning, match="no gradient at step 2"):
                recorder.step({"w": weight})
        else:
            recorder.step({"w": weight})
    recorder.close()
    with pytest.warns(DataWarning, match="constant"):  # the weight is never changed
        assert ecodyn.load(tmp_path / "run.nc").steps.tolist() == [0, 1, 3]


@pytest.mark.parametrize("name", ["embedding", "embedding.weight", "inner.embedding", "inner.embedding.weight"])
def test_a_parameter_is_found_by_what_its_name_ends_in(tmp_path, training, name):
    model = torch.nn.ModuleDict({"inner": training().model})
    with ecodyn.Recorder(name, out=tmp_path / "run.nc") as recorder:
        recorder.step(model)
    facts = ecodyn.load(tmp_path / "run.nc").provenance["recording"]
    assert facts["parameter"] == "inner.embedding.weight"


@pytest.mark.parametrize(
    ("name", "said"), [("embeding", r"embedding\.weight \(7, 4\)"), ("weight", "several parameters")]
)
def test_another_name_lists_what_there_is(tmp_path, training, name, said):
    recorder = ecodyn.Recorder(name, out=tmp_path / "run.nc")
    with pytest.raises(ValueError, match=said):
        recorder.step(training().model)


def test_tied_parameters_are_one(tmp_path, training):
    first, second = training().model, training(1).model
    second.embedding.weight = first.embedding.weight
    with ecodyn.Recorder("embedding", out=tmp_path / "run.nc") as recorder:
        recorder.step(torch.nn.ModuleList([first, second]))
    assert (tmp_path / "run.nc").exists()


def test_a_vector_is_refused(tmp_path, training):
    recorder = ecodyn.Recorder("out.bias", out=tmp_path / "run.nc")
    with pytest.raises(UnusableDataError, match="expected a matrix"):
        recorder.step(training().model)


def test_a_gradient_that_is_asked_for_must_be_there(tmp_path, training):
    recorder = ecodyn.Recorder("embedding", out=tmp_path / "run.nc", observables=["pull"])
    with pytest.raises(ValueError, match=r"no gradient, expected one for pull; call recorder\.step\(model\) after"):
        recorder.step(training().model)
    assert list(tmp_path.iterdir()) == []


def test_tokens_are_chosen_as_in_an_extraction(tmp_path, training, of_numpy):
    """The first five tokens of an embedding, and a weight whose tokens are its second axis."""
    run = training()
    weight = run.model.out.weight.detach().numpy()
    for name, arguments, frame in (
        ("embedding", {"tokens": (0, 5)}, run.weight[:5]),
        ("out", {"token_axis": 0, "p": 7}, weight),
        ("out", {"tokens": (1, 4), "token_axis": 1}, weight.T[1:4]),
    ):
        with ecodyn.Recorder(name, out=tmp_path / "run.nc", force=True, **arguments) as recorder:
            recorder.step(run.model)
        np.testing.assert_allclose(ecodyn.load(tmp_path / "run.nc").values[0, 0], of_numpy(frame)[1:], rtol=EXACT)


def test_a_wrong_p_is_said_with_arguments(tmp_path, training):
    recorder = ecodyn.Recorder("embedding", out=tmp_path / "run.nc", p=5)
    with pytest.raises(UnusableDataError, match=r"the parameter embedding\.weight") as caught:
        recorder.step(training().model)
    assert "--" not in str(caught.value)


def test_features_need_not_be_circles(tmp_path, training):
    run = training()
    with ecodyn.Recorder("embedding", out=tmp_path / "a.nc", observables=["singular_values"]) as recorder:
        recorder.step(run.model)
    with ecodyn.Recorder("embedding", out=tmp_path / "b.nc", directions=np.eye(4), over="dimensions") as recorder:
        recorder.step(run.model)
    values = ecodyn.load(tmp_path / "a.nc").values[0, 0]
    np.testing.assert_allclose(values, np.linalg.svd(run.weight, compute_uv=False), rtol=EXACT)
    np.testing.assert_allclose(
        ecodyn.load(tmp_path / "b.nc").values[0, 0], np.linalg.norm(run.weight, axis=0), rtol=EXACT
    )


def test_an_observable_of_ones_own(tmp_path, training, monkeypatch):
    largest = Observable(of_frames=lambda components: np.abs(components.real).max(axis=-1))
    monkeypatch.setitem(OBSERVABLES._loaded, "largest", largest)
    monkeypatch.setattr(OBSERVABLES, "_registered", [*OBSERVABLES._registered, "largest"])
    run = training()
    with ecodyn.Recorder("embedding", out=tmp_path / "run.nc", observables=["largest"]) as recorder:
        recorder.step(run.model)
    expected = np.abs(np.fft.rfft(run.weight, axis=0).real).max(axis=1)[1:]
    np.testing.assert_allclose(ecodyn.load(tmp_path / "run.nc").observable("largest")[0, 0], expected, rtol=1e-10)


def test_what_is_no_longer_finite_ends_the_recording_and_not_the_training(tmp_path, training):
    run = training()
    recorder = ecodyn.Recorder("embedding", every=2, out=tmp_path / "run.nc")
    run.run(recorder, 5)
    with torch.no_grad():
        run.model.embedding.weight[3, 1] = np.inf
    with pytest.warns(DataWarning, match=r"not finite at step 6.*3 rows up to step 4 are kept"):
        run.run(recorder, 2 * MOST_ROWS)
    recorder.close()
    data = ecodyn.load(tmp_path / "run.nc")
    assert data.steps.tolist() == [0, 2, 4]
    assert any("not finite at step 6" in remark for remark in data.provenance["remarks"])


def test_a_gradient_that_is_not_finite_leaves_its_step_out(tmp_path, training):
    """As of a step that a gradient scaler skips."""
    run = training()
    recorder = ecodyn.Recorder("embedding", out=tmp_path / "run.nc")
    run.run(recorder, 2)
    run.backward()
    gradient = run.model.embedding.weight.grad.clone()
    run.model.embedding.weight.grad[0, 0] = np.inf
    recorder.step(run.model)
    run.model.embedding.weight.grad = gradient
    run.optimizer.step()
    run.run(recorder, 1)
    with pytest.warns(DataWarning, match=r"the gradient of embedding\.weight is not finite at step 2"):
        recorder.close()
    assert ecodyn.load(tmp_path / "run.nc").steps.tolist() == [0, 1, 3]


def test_a_model_that_loses_the_parameter_ends_the_recording(tmp_path, training):
    run = training()
    with ecodyn.Recorder("embedding", out=tmp_path / "run.nc") as recorder:
        run.run(recorder, 2)
        run.model.embedding.weight = torch.nn.Parameter(torch.ones(9, 4))
        with pytest.warns(DataWarning, match="has shape"):
            recorder.step(run.model)
    assert ecodyn.load(tmp_path / "run.nc").n_steps == 2


def test_the_provenance_has_what_the_training_was(tmp_path, training):
    run = training()
    with ecodyn.Recorder(
        "embedding",
        every=3,
        out=tmp_path / "seed_5.nc",
        optimizer=run.optimizer,
        settings={"seed": 5},
        notes={"task": "addition"},
        labels_shared=True,
    ) as recorder:
        run.run(recorder, 4)
    data = ecodyn.load(tmp_path / "seed_5.nc")
    facts = data.provenance
    assert (facts["optimiser"], facts["learning_rate"], facts["weight_decay"]) == ("AdamW", 0.02, 0.01)
    assert facts["optimiser_settings"]["betas"] == [0.9, 0.999]
    assert (facts["p"], facts["task"], facts["versions"]["torch"]) == (7, "addition", str(torch.__version__))
    assert (facts["recording"]["every"], facts["recording"]["shape"]) == (3, [7, 4])
    assert (data.settings["dim"].tolist(), data.settings["seed"].tolist()) == ([4], [5])
    assert data.labels_shared
    assert data.runs.tolist() == ["seed_5"]


def test_hooks_are_gone_once_it_is_closed(tmp_path, training):
    from torch.optim import optimizer

    run = training()
    before = len(optimizer._global_optimizer_post_hooks)
    with ecodyn.Recorder("embedding", out=tmp_path / "run.nc") as recorder:
        run.run(recorder, 2)
        assert len(optimizer._global_optimizer_post_hooks) == before + 1
    assert len(optimizer._global_optimizer_post_hooks) == before
    assert not run.model.embedding.weight._post_accumulate_grad_hooks
    with pytest.raises(ValueError, match="is closed"):
        recorder.step(run.model)


def test_tensors_of_ones_own_need_no_module(tmp_path, of_numpy):
    """Networks side by side in one tensor, a recorder each: views of it, which have no gradients."""
    weights = torch.randn(3, 7, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    optimizer = torch.optim.SGD([weights], lr=0.1)
    recorders = [ecodyn.Recorder("w", out=tmp_path / f"{run}.nc", p=7, token_axis=0) for run in range(3)]
    kept = []
    for _ in range(4):
        optimizer.zero_grad()
        weights.pow(4).sum().backward()
        kept.append(weights.detach().numpy().copy())
        for recorder, own in zip(recorders, weights, strict=True):
            recorder.step({"w": own})
        optimizer.step()
    for run, recorder in enumerate(recorders):
        recorder.close()
        data = ecodyn.load(tmp_path / f"{run}.nc")
        assert list(data.observables) == ["signal"]
        np.testing.assert_allclose(data.values[0], of_numpy(np.array(kept)[:, run])[:, 1:], rtol=1e-6)


def test_a_large_parameter_waits_for_nothing(tmp_path):
    """Waiting takes memory: no more than a chunk of an extraction."""
    weight = torch.nn.Parameter(torch.randn(513, 512, generator=torch.Generator().manual_seed(0)))
    recorder = ecodyn.Recorder("w", out=tmp_path / "run.nc", observables=["signal"], p=513)
    recorder.step({"w": weight})
    recorder.step({"w": weight})
    assert len(read_journal(journal_of(tmp_path / "run.nc")).rows) == 2
    recorder.let_go()


def test_memory_does_not_grow(tmp_path):
    """2000 rows of 29 features, signal and gradient, are 900 kB; and they are all there."""
    weight = torch.nn.Parameter(torch.randn(59, 4, generator=torch.Generator().manual_seed(0)))
    weight.grad = torch.ones_like(weight)
    recorder = ecodyn.Recorder("w", out=tmp_path / "run.nc", p=59, token_axis=0, observables=["signal", "gradient"])

    def record(steps):
        for _ in range(steps):
            weight.grad.add_(1.0)
            recorder.step({"w": weight})

    record(100)
    tracemalloc.start()
    try:
        record(2000)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    recorder.let_go()
    assert grown < 100_000
    assert len(read_journal(journal_of(tmp_path / "run.nc")).rows) == 2100


def test_other_files_are_not_touched(tmp_path):
    (tmp_path / "run.nc").write_text("mine")
    with pytest.raises(OutputExistsError):
        ecodyn.Recorder("embedding", out=tmp_path / "run.nc")
    with pytest.raises(ValueError, match=r"ending in \.nc"):
        ecodyn.Recorder("embedding", out=tmp_path / "run.csv")


@pytest.mark.parametrize(
    "arguments", [{"every": 0}, {"observables": ["beauty"]}, {"token_axis": 2}, {"notes": {"a": object()}}]
)
def test_wrong_arguments_are_refused_before_the_training(tmp_path, arguments):
    with pytest.raises(ValueError, match=r"expected|unknown|token axis|JSON"):
        ecodyn.Recorder("embedding", out=tmp_path / "run.nc", **arguments)


def test_nothing_recorded_is_said(tmp_path):
    with pytest.warns(DataWarning, match="nothing was recorded"), ecodyn.Recorder("w", out=tmp_path / "run.nc"):
        pass
    assert list(tmp_path.iterdir()) == []
