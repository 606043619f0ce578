"""Which files of a folder are steps of the run, by their names alone."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.logs.checkpoints.folders import holds_checkpoints, members_of

ASIDE = [
    "best.pt",
    "last.ckpt",
    "final.pth",
    "latest.pt",
    "model_ema.pt",
    "best_model_9_val_acc=0.7694.pt",
    "best-epoch=3.ckpt",
]
STATES = ["optimizer.pt", "optimizer_5.pt", "scheduler.pt", "rng_state_0.pth", "training_args.pt", "scaler.pt"]
OTHERS = ["README.md", "config.json", "log.txt", "latest", ".step_3.pt", "step_7.pt.tmp"]
NAMES = ["step_{}.pt", "epoch={}-val_loss=0.50.ckpt", "ckpt-{}.pth", "{}.pt", "checkpoint_{}.pth.tar", "iter{:07d}.pt"]


@settings(max_examples=50)
@given(
    steps=st.lists(st.integers(0, 10**6), min_size=1, max_size=4, unique=True),
    name=st.sampled_from(NAMES),
    aside=st.sets(st.sampled_from([*ASIDE, *STATES]), max_size=12),
    others=st.sets(st.sampled_from(OTHERS)),
    folders=st.booleans(),
)
def test_steps_are_members_and_the_rest_is_listed_or_no_checkpoint(steps, name, aside, others, folders):
    with tempfile.TemporaryDirectory() as temporary:
        run = Path(temporary) / "run"
        run.mkdir()
        for step in steps:
            path = run / name.format(step)
            if folders:  # a folder a step, of the same names
                path.mkdir()
                path /= "model.pt"
            path.touch()
        for other in aside | others:
            (run / other).touch()
        assert holds_checkpoints(run)
        members = members_of(run)
    assert {own.name for own in members.checkpoints} == {name.format(step) for step in steps}
    said = "; ".join(members.remarks)
    assert all(other in said for other in aside)
    assert bool(said) == bool(aside)


@given(names=st.sets(st.sampled_from([*STATES, *OTHERS])))
@settings(max_examples=20)
def test_without_a_model_there_are_no_checkpoints(names):
    with tempfile.TemporaryDirectory() as temporary:
        for name in names:
            (Path(temporary) / name).touch()
        assert not holds_checkpoints(Path(temporary))
