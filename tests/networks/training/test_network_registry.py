import subprocess
import sys

import pytest

from ecodyn.networks import training
from ecodyn.networks.training import NETWORKS, NetworkSettings, network_settings


@pytest.mark.parametrize("name", NETWORKS)
def test_every_registered_network_is_settings_under_its_own_name(name):
    kind = network_settings(name)
    assert issubclass(kind, NetworkSettings)
    assert kind.name == name
    assert kind().described()["network"] == name


def test_an_unknown_network_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match="unknown network 'gru'; there are mlp, transformer, deep_linear"):
        network_settings("gru")


@pytest.mark.parametrize("name", ["mlp", "transformer"])
def test_networks_say_which_interventions_they_take(name):
    assert [i.factor for i in network_settings(name).read_interventions("scale_frequency:k=2,factor=0.5/2")] == [0.5, 2]


def test_networks_that_take_no_interventions_refuse_them():
    with pytest.raises(ValueError, match="deep_linear takes no interventions, got 'frozen_embedding'"):
        network_settings("deep_linear").read_interventions("frozen_embedding")


def test_every_public_name_is_there():
    for name in training.__all__:
        assert name in dir(training)
        assert getattr(training, name) is not None
    with pytest.raises(AttributeError, match="'nonsense'"):
        _ = training.nonsense


def test_importing_the_folder_does_not_load_torch():
    code = "import sys, ecodyn.networks.training as t; assert 'train' in dir(t) and t.NETWORKS"
    code += "; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
