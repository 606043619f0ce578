"""Trajectories in a sentence and as a table."""

from trajectory_examples import rich, waves


def test_representation():
    text = repr(waves(observables={"gradient": waves().values}))
    assert text == (
        "Trajectories: 3 runs × 21 steps (0 to 100) × 4 features; observables signal, gradient; labels not shared"
    )
    assert "; curves train_loss, test_accuracy; embedding 5 tokens × 4 dimensions; " in repr(rich())
    assert "<script>" not in waves(features=["<script>", "b", "c", "d"])._repr_html_()
