"""As a callback it records what it records in a loop; with the packages themselves, where they are installed."""

import sys
import warnings

import numpy as np
import pytest

import ecodyn
from ecodyn.extraction.recording.journal import journal_of, read_journal

torch = pytest.importorskip("torch")

STEPS = 12


@pytest.fixture
def in_a_loop(tmp_path, training):
    """What the same training gives in a loop."""
    run = training()
    with ecodyn.Recorder("embedding", every=3, out=tmp_path / "loop.nc") as recorder:
        run.run(recorder, STEPS)
    return ecodyn.load(tmp_path / "loop.nc")


def assert_same(found, expected):
    np.testing.assert_array_equal(found.steps, expected.steps)
    for name in expected.observables:
        np.testing.assert_allclose(found.observable(name), expected.observable(name), rtol=1e-10)


@pytest.mark.parametrize(("method", "package"), [("lightning", "lightning"), ("transformers", "transformers")])
def test_a_package_that_is_missing_is_named(tmp_path, monkeypatch, method, package):
    for name in (package, f"{package}.pytorch", "pytorch_lightning"):
        monkeypatch.setitem(sys.modules, name, None)
    recorder = ecodyn.Recorder("embedding", out=tmp_path / "run.nc")
    with pytest.raises(ModuleNotFoundError, match=f"needs the package {package}.*python -m pip install {package}"):
        getattr(recorder, method)()


# ------------------------------------------------------------------------------------------------------- Lightning


class FailureError(Exception):
    pass


def lightning_fit(training, recorder, *, steps=STEPS, checkpoint=None, fail_at=None):
    pl = pytest.importorskip("lightning.pytorch")
    run = training()

    class Module(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.inner = run.model

        def training_step(self, batch, batch_idx):
            if self.global_step == fail_at:
                raise FailureError
            return self.inner.loss()

        def configure_optimizers(self):
            return torch.optim.AdamW(self.parameters(), lr=0.02)

    trainer = pl.Trainer(
        max_steps=steps,
        accelerator="cpu",
        devices=1,
        precision="64-true",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[recorder.lightning()],
    )
    data = torch.utils.data.DataLoader([0] * steps, batch_size=1)
    trainer.fit(Module(), data, ckpt_path=checkpoint)
    return trainer


@pytest.fixture
def lightning_quiet():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning|torch|pytorch_lightning")
        warnings.filterwarnings(
            "ignore", message=".*(LeafSpec|isinstance|pkg_resources|num_workers|litlogger|resuming from a checkpoint).*"
        )
        yield


@pytest.mark.usefixtures("lightning_quiet")
def test_lightning(tmp_path, training, in_a_loop):
    lightning_fit(training, ecodyn.Recorder("embedding", every=3, out=tmp_path / "run.nc"))
    found = ecodyn.load(tmp_path / "run.nc")
    assert_same(found, in_a_loop)
    assert (found.provenance["optimiser"], found.provenance["learning_rate"]) == ("AdamW", 0.02)
    assert found.provenance["recording"]["parameter"] == "inner.embedding.weight"


@pytest.mark.usefixtures("lightning_quiet")
def test_lightning_records_the_last_state_where_no_gradient_is_needed(tmp_path, training):
    lightning_fit(training, ecodyn.Recorder("embedding", every=3, out=tmp_path / "run.nc", observables=["signal"]))
    assert ecodyn.load(tmp_path / "run.nc").steps.tolist() == [0, 3, 6, 9, 12]


@pytest.mark.usefixtures("lightning_quiet")
def test_a_lightning_that_fails_goes_on(tmp_path, training, in_a_loop):
    out = tmp_path / "run.nc"
    trainer = lightning_fit(training, ecodyn.Recorder("embedding", every=3, out=tmp_path / "other.nc"), steps=6)
    trainer.save_checkpoint(tmp_path / "at_6.ckpt")
    with pytest.raises(FailureError):
        lightning_fit(training, ecodyn.Recorder("embedding", every=3, out=out), fail_at=8)
    assert read_journal(journal_of(out)).rows["step"].tolist() == [0, 3, 6]
    with pytest.warns(ecodyn.DataWarning, match="goes on from step 6: 1 rows"):
        lightning_fit(training, ecodyn.Recorder("embedding", every=3, out=out), checkpoint=tmp_path / "at_6.ckpt")
    assert_same(ecodyn.load(out), in_a_loop)


# --------------------------------------------------------------------------------------------------- Hugging Face


def transformers_train(training, recorder, folder, *, steps=STEPS, resume=None, save=None):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    run = training()
    optimizer = run.optimizer

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = run.model

        def forward(self, x):
            return {"loss": self.inner.loss()}

    arguments = transformers.TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        max_grad_norm=0.0,
        save_strategy="no" if save is None else "steps",
        save_steps=save or 500,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        logging_strategy="no",
        per_device_train_batch_size=1,
    )
    trainer = transformers.Trainer(
        model=Model(),
        args=arguments,
        train_dataset=[{"x": torch.zeros(1)}] * (2 * STEPS),
        callbacks=[recorder.transformers()],
        optimizers=(optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)),
    )
    trainer.train(resume_from_checkpoint=resume)


@pytest.fixture
def transformers_quiet():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="transformers|torch|accelerate|huggingface_hub")
        yield


@pytest.mark.usefixtures("transformers_quiet")
def test_transformers(tmp_path, training, in_a_loop):
    recorder = ecodyn.Recorder("embedding", every=3, out=tmp_path / "run.nc")
    transformers_train(training, recorder, tmp_path / "hf")
    found = ecodyn.load(tmp_path / "run.nc")
    assert_same(found, in_a_loop)
    assert (found.provenance["optimiser"], found.provenance["learning_rate"]) == ("AdamW", 0.02)


@pytest.mark.usefixtures("transformers_quiet")
def test_a_trainer_of_transformers_goes_on(tmp_path, training, in_a_loop):
    out = tmp_path / "run.nc"
    transformers_train(training, ecodyn.Recorder("embedding", every=3, out=out), tmp_path / "hf", steps=6, save=6)
    transformers_train(
        training,
        ecodyn.Recorder("embedding", every=3, out=out),
        tmp_path / "hf",
        resume=str(tmp_path / "hf" / "checkpoint-6"),
    )
    assert_same(ecodyn.load(out), in_a_loop)
