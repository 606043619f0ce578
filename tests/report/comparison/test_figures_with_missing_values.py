"""The largest at the end come first, whatever is missing there."""

import numpy as np
import pytest

from ecodyn import Trajectories
from ecodyn.comparison.window_result import Start, WindowResult
from ecodyn.families.model_name import ModelName
from ecodyn.report import plot_rollouts, plot_signals

pytestmark = pytest.mark.filterwarnings("ignore:.*are missing:ecodyn.DataWarning")
STEPS = np.arange(30.0)
SIGNAL = np.linspace(1, 2, 30)[:, None] * [3.0, 9.0, 5.0, 7.0]  # the second is the largest throughout
LINEAR = ModelName("linear", "exchangeable")


def holed(*features: int) -> np.ndarray:
    signal = SIGNAL.copy()
    signal[-2:, list(features)] = np.nan
    return signal


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize("features", [(), (1,), (1, 3), (0, 2, 3)])
def test_signals_are_ranked_by_their_last_values(features: tuple[int, ...]) -> None:
    signal = holed(*features)
    runs = Trajectories(signal[None], STEPS, missing=np.isnan(signal)[None])
    ax = plot_signals(runs, alive=np.ones(4, dtype=bool), labels=3)
    assert texts(ax)[:3] == ["feature 2", "feature 4", "feature 3"]


@pytest.mark.parametrize("features", [(), (1,), (1, 3)])
def test_rollouts_show_the_largest_last_values(features: tuple[int, ...]) -> None:
    path = (STEPS, holed(*features))
    window = WindowResult(
        window=(0, 29),
        headline="unseen_runs",
        verdicts={},
        models=[],
        pairs=[],
        start=Start(0.9, 0.9, 0.1, 2.0),
        noise_share=0.0,
        drawn={("unseen_runs", LINEAR): {0: (STEPS, SIGNAL)}},
        truth={0: path},
    )
    assert texts(plot_rollouts(window, 0, "unseen_runs", ["linear/exchangeable"]))[:2] == ["feature 1", "feature 3"]
