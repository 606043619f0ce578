"""Embeddings that come with trajectories: padded where they have fewer dimensions, refused where they are broken."""

import numpy as np
import pytest
from trajectory_examples import waves

from ecodyn.errors import UnusableDataError


def test_embeddings_of_fewer_dimensions_are_padded():
    embeddings = [np.random.default_rng(0).random((7, width)) for width in (3, 5, 4)]
    listed = waves(embedding=embeddings)
    assert listed.embedding.shape == (3, 7, 5)
    for embedding, kept in zip(embeddings, listed.embedding, strict=True):
        assert np.array_equal(kept[:, : embedding.shape[1]], embedding)
        assert np.isnan(kept[:, embedding.shape[1] :]).all()
    assert waves(embedding=listed.embedding) == listed
    assert waves(embedding=np.pad(listed.embedding, [(0, 0), (0, 0), (0, 2)], constant_values=np.nan)) == listed


@pytest.mark.parametrize(("bad", "word"), [(np.nan, "NaN"), (np.inf, "inf"), (-np.inf, "-inf")])
@pytest.mark.parametrize(("token", "dimension"), [(0, 0), (2, 1), (6, 4)])
def test_embedding_not_finite_names_the_place(bad, word, token, dimension):
    embedding = np.random.default_rng(0).random((3, 7, 5))
    embedding[1, token, dimension] = bad
    place = rf"holds {word} at run 1, token index {token}, dimension index {dimension} \(1 such in all\), expected"
    with pytest.raises(UnusableDataError, match=f"embedding {place}.*leave that run or the embedding out"):
        waves(embedding=embedding)


def test_embedding_nan_throughout_a_run_is_refused():
    embedding = np.random.default_rng(0).random((3, 7, 5))
    embedding[2] = np.nan
    with pytest.raises(UnusableDataError, match=r"embedding holds NaN at run 2, token index 0.*\(35 such in all\)"):
        waves(embedding=embedding)


@pytest.mark.parametrize(
    ("embedding", "got"),
    [
        (np.ones((2, 7, 5)), r"2 of shape \(7, 5\)"),
        (np.ones((7, 5)), r"7 of shape \(5,\)"),
        (3.0, r"1 of shape \(\)"),
        ([], r"0 of shape \(\)"),
        ([np.ones((7, 5)), np.ones((6, 5)), np.ones((7, 5))], r"3 of shape \(7, 5\), \(6, 5\)"),
        (np.ones((3, 7, 0)), r"3 of shape \(7, 0\)"),
        (np.ones((3, 0, 5)), r"3 of shape \(0, 5\)"),
        (np.ones((3, 7, 5, 1)), r"3 of shape \(7, 5, 1\)"),
    ],
)
def test_embedding_of_the_wrong_shape(embedding, got):
    sentence = rf"expected an embedding \(token, dimension\) for each of 3 runs.*got {got}; give an array"
    with pytest.raises(UnusableDataError, match=sentence):
        waves(embedding=embedding)
