"""The public names of trainings: all there, from one level, and loaded only when they are asked for."""

import subprocess
import sys

import pytest

import ecodyn.training
from ecodyn.networks import deep_linear, modular_addition
from ecodyn.networks import training as of_networks


@pytest.mark.parametrize("name", ecodyn.training.__all__)
def test_every_public_name_is_what_its_room_has_under_it(name):
    (room,) = [room for room in (of_networks, modular_addition, deep_linear) if name in room.__all__]
    assert getattr(ecodyn.training, name) is getattr(room, name)
    assert name in dir(ecodyn.training)


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match=r"'ecodyn\.training' has no attribute 'nonsense'"):
        _ = ecodyn.training.nonsense


def test_importing_them_does_not_load_torch():
    code = "import sys, ecodyn.training as t; assert 'train' in dir(t) and list(t.NETWORKS)[0] == 'mlp'"
    subprocess.run([sys.executable, "-c", f"{code}; assert 'torch' not in sys.modules"], check=True, timeout=60)
