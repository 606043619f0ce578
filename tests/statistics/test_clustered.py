import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ecodyn.statistics.clustered import SHARE
from ecodyn.statistics.intervals import t_interval
from ecodyn.survival import clustered_mean


@given(
    values=arrays(float, (12,), elements=st.floats(-1e3, 1e3)),
    clusters=arrays(int, (12,), elements=st.integers(0, 3)),
)
def test_the_clustered_mean_is_over_clusters(values, clusters):
    means = np.array([values[clusters == c].mean() for c in np.unique(clusters)])
    found = clustered_mean(values, clusters)
    assert found.n == len(means)
    assert found.mean == pytest.approx(means.mean(), abs=1e-9)
    np.testing.assert_allclose([found.low, found.high], t_interval(means), atol=1e-9)


def test_repeating_a_run_does_not_narrow_an_interval():
    once = clustered_mean([1.0, 2.0, 4.0], [0, 1, 2])
    assert clustered_mean([1.0, 2.0, 4.0] * 50, [0, 1, 2] * 50) == once
    assert clustered_mean([1.0, np.nan, 2.0, 4.0, np.nan], [0, 0, 1, 2, 3]) == once


def test_an_interval_needs_two_clusters():
    assert math.isnan(clustered_mean([1.0, 2.0], [0, 0]).low)
    assert clustered_mean([np.nan], [0]).n == 0
    with pytest.raises(ValueError, match="a cluster for each of 2 values"):
        clustered_mean([1.0, 2.0], [0])
    with pytest.raises(ValueError, match="between 0 and 1"):
        clustered_mean([1.0, 2.0], [0, 1], level=95)


def test_an_interval_ends_where_values_do():
    free, share = clustered_mean([1.0, 0.2, 1.0], [0, 1, 2]), clustered_mean([1.0, 0.2, 1.0], [0, 1, 2], within=SHARE)
    assert free.high > 1 > share.mean
    assert (share.mean, share.low, share.high) == (free.mean, max(free.low, 0.0), 1.0)
    assert math.isnan(clustered_mean([1.0], [0], within=SHARE).low)
