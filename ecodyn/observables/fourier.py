"""The circles of an embedding: its Fourier components over the tokens."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.observables.components import Components
from ecodyn.observables.features import Features

__all__ = ["Fourier", "circle_plane"]


class Fourier(Features):
    """The circles of an embedding: features are the frequencies k = 1..⌊p/2⌋ over its p tokens.

    u − iv = Σ_a e^(-2πi·a·k/p) E_a, with E_a the embedding of token a; no 1/p. Frequency 0 (``dc``) comes first and is
    split off. For even p the last frequency, p/2, is no circle but an alternation: its v is zero.

    Tokens a and p − a are folded first, u = Σ cos(..)(E_a + E_{p−a}) and v = Σ sin(..)(E_a − E_{p−a}), which halves the
    operations; the sums are real matrix products.

    Parameters
    ----------
    p
        Number of tokens, at least 2.

    Raises
    ------
    UnusableDataError
        There are fewer.

    Examples
    --------
    A circle of radius 3 and frequency 2 over seven tokens; u and v have the norm 3 · 7/2 each:

    >>> import numpy as np
    >>> from ecodyn.observables import Fourier
    >>> angle = 2 * np.pi * 2 * np.arange(7) / 7
    >>> frame = 3 * np.column_stack([np.cos(angle), np.sin(angle)])
    >>> circles = Fourier(7)
    >>> power, dc = circles.split(circles.components(frame[None]).power())
    >>> circles.labels, power.round(6)
    ((1, 2, 3), array([[  0. , 220.5,   0. ]]))
    """

    def __init__(self, p: int) -> None:
        if p < 2:
            raise UnusableDataError(f"circles need p of at least 2 tokens, got {p}")
        self.p = p
        self.labels = tuple(range(1, p // 2 + 1))
        self._pairs = (p - 1) // 2  # tokens 1..pairs are folded with p−1..p−pairs
        self._single = [0] if p % 2 else [0, p // 2]
        k = np.arange(p // 2 + 1)[:, None]
        tokens = np.array([*self._single, *range(1, self._pairs + 1)])
        angle = 2 * np.pi * (k * tokens % p) / p
        self._cosines = np.cos(angle)
        self._sines = np.sin(angle[:, len(self._single) :])
        if p % 2 == 0:
            self._sines[-1] = 0  # of multiples of π, but for rounding
        self._allocate(0, 0)

    def components(self, frames: Array) -> Components:
        """Components (frame, 1 + ⌊p/2⌋, d), frequency 0 first."""
        (n, _, d), single = frames.shape, len(self._single)
        if n > len(self._sums) or d != self._sums.shape[2]:
            self._allocate(n, d)
        left = frames[:, 1 : self._pairs + 1]
        right = frames[:, : self.p - self._pairs - 1 : -1]
        sums, differences = self._sums[:n], self._differences[:n]
        sums[:, :single] = frames[:, self._single]
        np.add(left, right, out=sums[:, single:])
        np.subtract(left, right, out=differences)
        np.matmul(self._cosines, sums, out=self._real[:n])
        np.matmul(self._sines, differences, out=self._imaginary[:n])
        return Components(self._real[:n], self._imaginary[:n])

    def split(self, values: Array) -> tuple[Array, Array | None]:
        """Frequencies 1.. and frequency 0."""
        return values[..., 1:], values[..., 0]

    def _allocate(self, n: int, d: int) -> None:
        """Memory for n frames of d dimensions; of fewer, the first part is used."""
        self._sums = np.empty((n, self._cosines.shape[1], d))
        self._differences = np.empty((n, self._pairs, d))
        self._real = np.empty((n, len(self._cosines), d))
        self._imaginary = np.empty_like(self._real)


def circle_plane(embedding: Array, k: int) -> Array:
    """An orthonormal basis (dimension, 2) of the plane of an embedding's circle of frequency k.

    It is spanned by the u_k and v_k of `Fourier`: its columns are their principal axes.

    Parameters
    ----------
    embedding
        E, (token, dimension), of at least 2 dimensions.
    k
        1..⌊p/2⌋.

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn.observables import circle_plane
    >>> angle = 2 * np.pi * 2 * np.arange(7) / 7
    >>> embedding = np.column_stack([2 * np.cos(angle), np.zeros(7), np.sin(angle)])
    >>> np.abs(circle_plane(embedding, 2)).round(6)
    array([[1., 0.],
           [0., 0.],
           [0., 1.]])
    """
    circles = Fourier(len(embedding)).components(embedding[None])
    u, v = circles.circles("a circle's plane")
    span = np.stack([u[0, k], v[0, k]])
    return np.asarray(np.linalg.svd(span, full_matrices=False)[2].T)
