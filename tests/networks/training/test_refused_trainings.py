"""Settings that no training can have are refused before any work."""

import numpy as np
import pytest
from network_grids import cells

from ecodyn.networks.deep_linear import DeepLinear
from ecodyn.networks.modular_addition import (
    MLP,
    FixedEmbedding,
    ScaleFrequency,
)
from ecodyn.networks.training import (
    Schedule,
    train,
)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"seeds": []}, "at least one run, got none"),
        ({"seeds": [1, 2, 1]}, "given more than once: 1"),
        ({"seeds": [0, -1]}, "seed must be a whole number of at least 0, got -1"),
        ({"seeds": [0.5]}, "seed must be a whole number"),
        ({"seeds": [2**32]}, "seed must be at most 4294967295, got 4294967296"),
        ({"jobs": 0}, "jobs .*at least 1, got 0"),
        ({"jobs": -2}, "jobs .*at least 1, got -2"),
        ({"batch": -1}, "batch must be a whole number of at least 1, got -1"),
        ({"batch": 0}, "batch must be a whole number of at least 1, got 0"),
        ({"steps": 0}, "steps must be a whole number of at least 1, got 0"),
        ({"steps": 1.5}, "steps must be"),
        ({"dtype": "float16"}, "dtype must be one of float64, float32, got 'float16'"),
        ({"device": "gpu"}, "device must be cpu, cuda or cuda:0, got 'gpu'"),
        ({"device": "meta"}, "device must be cpu or cuda, got 'meta'"),
        ({"device": "cuda:99"}, "'cuda:99' asked for, but torch sees .* device='cpu'"),
        ({"networks": []}, "at least one, got none"),
        ({"networks": cells(p=[5, 7])}, "got 2 and 3 of them in one grid .*one population for each"),
        ({"networks": cells(dim=[3, 3])}, "networks must differ from each other, got twice: MLP.*dim=3"),
        ({"checkpoints": "ck", "checkpoint_every": 0}, "checkpoint_every must be"),
        ({"seeds": 3}, r"seeds must be several, such as range\(16\)"),
        ({"steps": 10**13}, "this machine has .*keep fewer with Schedule"),
        ({"networks": cells(test=[True, False])}, "the same observables and curves .* and .*test_loss"),
        (
            {"networks": [MLP(p=5, dim=2, width=4), DeepLinear(modes=2)]},
            "same observables .*singular_values",
        ),
    ],
)
def test_bad_settings_are_refused_before_any_work(tmp_path, bad, said):
    begun = []
    with pytest.raises(ValueError, match=said):
        train(
            **{
                "networks": MLP(p=5, dim=2, width=4),
                "seeds": [0, 1],
                "steps": 2,
                "folder": tmp_path / "partial",
                "progress": lambda *at: begun.append(at),
            }
            | bad
        )
    assert not begun
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"p": 6}, "odd prime, got 6 = 2 × 3"),
        ({"p": 2}, "p must be a whole number of at least 3"),
        ({"dim": 0}, "dim must be"),
        ({"width": 1.5}, "width must be"),
        ({"train_fraction": 1}, "train_fraction must leave"),
        ({"learning_rate": 0}, "learning_rate must be finite and positive"),
        ({"learning_rate": float("nan")}, "learning_rate must be finite"),
        ({"weight_decay": -0.1}, "weight_decay must be finite and not negative"),
        ({"optimiser": "lion"}, "optimiser must be one of adamw, adam, sgd"),
        ({"momentum": 0.5}, "momentum belongs to the optimiser sgd, got 0.5 with adamw"),
        ({"optimiser": "sgd", "momentum": 1.0}, "momentum must be below 1"),
        ({"beta2": 1.0}, "beta2 must be"),
        ({"interventions": (FixedEmbedding(1), FixedEmbedding(2))}, "fixed_embedding is given 2 times"),
        ({"interventions": (ScaleFrequency(k=3),)}, "p = 5 has the frequencies 1 to 2, got 3"),
        ({"beta2": "x"}, "beta2 must be"),
        ({"train_fraction": "0.8"}, "train_fraction"),
    ],
)
def test_bad_networks_are_refused(bad, said):
    with pytest.raises(ValueError, match=said):
        MLP(**{"p": 5, "dim": 2, "width": 4} | bad)


def test_numpys_numbers_are_numbers_too():
    three = np.int64(3)
    runs = train(MLP(p=5, dim=three, width=4), np.arange(2), three, keep=Schedule(every=three))
    assert runs == train(MLP(p=5, dim=3, width=4), [0, 1], 3, keep=Schedule(every=3))
