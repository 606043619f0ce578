import subprocess
import sys

import pytest
import torch

from ecodyn.networks.modular_addition import MLP, Network, initialise


def test_logits_are_the_equation():
    network = initialise(5, 3, seed=1, width=4)
    a, b = torch.tensor([0, 4, 2]), torch.tensor([1, 1, 3])
    silu, layers = torch.nn.functional.silu, (network.first, network.second, network.output)
    hidden = torch.cat([network.embedding[a], network.embedding[b]], dim=1)
    for layer in layers[:2]:
        hidden = silu(layer(hidden))
    torch.testing.assert_close(network(a, b), layers[2](hidden), rtol=1e-13, atol=1e-13)


def test_draws_are_those_after_the_global_seed():
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(7)
        expected = Network(11, 4)
    for name, drawn in initialise(11, 4, seed=7).state_dict().items():
        assert torch.equal(drawn, expected.state_dict()[name]), name


def test_what_is_trained_starts_as_the_module():
    drawn, module = MLP(p=11, dim=4, width=6).draw_one(7), initialise(11, 4, 7, width=6).state_dict()
    assert drawn.keys() == module.keys()
    for name, parameter in module.items():
        assert torch.equal(drawn[name], parameter), name


def test_the_first_row_is_the_studys_initialisation(study):
    for seed, logged in study.items():
        assert logged["rows"][0] == 0
        # The row is a view that the first update wrote to, unless a dump moved the parameters before: it did at step 0.
        assert initialise(23, 8, seed).embedding.detach().numpy() == pytest.approx(logged["first_embeds"][0], rel=1e-12)


def test_global_random_state_is_untouched():
    before = torch.random.get_rng_state()
    initialise(7, 2, seed=0)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_importing_the_folder_does_not_load_torch():
    code = "import sys, ecodyn.networks.modular_addition as m; assert 'MLP' in dir(m) and 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
