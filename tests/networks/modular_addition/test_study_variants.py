"""The study's own scripts under their flags, against the interventions that stand for these flags.

The file holds test losses and final embeddings that train_model.py, perturbation.py and manual_construction.py of
carlguo866/circle-survival (commit 40d73ed) wrote on a CPU with torch 2.13.0: with --init_seed 3 and d = 8, p = 23 and
40 steps (train_model.py with one of its four flags), or p = 59 and 5 steps (the others, --index 3 and --index 4).
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from ecodyn.networks.modular_addition import (
    MLP,
    FixedDataset,
    FixedEmbedding,
    FixedLayers,
    FrozenEmbedding,
    PlantCircles,
    ScaleFrequency,
)
from ecodyn.networks.training import descend

VARIANTS = Path(__file__).parents[2] / "data" / "study_variants.npz"
FACTOR = np.linspace(0.85, 1.15, 50)[3]  # --index 3 of the scaled signals
RATIO = np.exp(np.linspace(-4, 0, 16))[4]  # --index 4 of the planted waves


@pytest.mark.parametrize(
    ("variant", "p", "seed", "interventions"),
    [
        ("fixed_embedding", 23, 5, (FixedEmbedding(3),)),
        ("fixed_embedding", 23, 6, (FixedEmbedding(3),)),
        ("fixed_layers", 23, 5, (FixedLayers(3),)),
        ("fixed_layers", 23, 6, (FixedLayers(3),)),
        ("fixed_dataset", 23, 5, (FixedDataset(3),)),
        ("fixed_dataset", 23, 6, (FixedDataset(3),)),
        ("frozen_embedding", 23, 5, (FrozenEmbedding(),)),
        ("frozen_embedding", 23, 6, (FrozenEmbedding(),)),
        ("scale_frequency", 59, 5, (FixedEmbedding(3), ScaleFrequency(25, FACTOR))),
        ("plant_circles", 59, 5, (FixedLayers(0), PlantCircles(1, 2, RATIO))),
    ],
)
def test_an_intervention_is_the_studys_own(variant, p, seed, interventions):
    with np.load(VARIANTS, allow_pickle=False) as file:
        losses, embedding = (file[f"{variant}.{seed}.{name}"] for name in ("test_loss", "final_embed"))
    network = MLP(p=p, dim=8, interventions=interventions)
    found = []
    with torch.no_grad():
        batch = network.draw([seed], torch.float64, torch.device("cpu"))
        for _ in descend(batch, network, len(losses)):
            found.append(batch.curves()["test_loss"].item())
    np.testing.assert_allclose(found[:-1], losses, rtol=1e-12)
    np.testing.assert_allclose(batch.tensors["embedding"][0], embedding, rtol=0, atol=1e-12 * np.abs(embedding).max())
