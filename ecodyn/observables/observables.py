"""Frames -> what is measured of the features: signal, gradient, circularity, ...

A frame is a matrix: an embedding E (p tokens × d dimensions), or any weight matrix. `Features` says what the
features of a frame are and computes their components, one vector (or two, real and imaginary) a feature; an observable
is a function of the components, or of the finished series. A further observable is one function and one line in
`OBSERVABLES`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecodyn.errors import UnusableDataError

__all__ = [
    "OBSERVABLES",
    "Components",
    "Features",
    "Fourier",
    "Observable",
    "Projection",
    "SingularValues",
    "circle_plane",
]


@dataclass(frozen=True)
class Components:
    """The components u + iv of each feature in each frame.

    Attributes
    ----------
    real
        u, (frame, feature, component).
    imaginary
        v, of the same shape; None where features are real directions.
    """

    real: np.ndarray
    imaginary: np.ndarray | None = None

    def copy(self) -> Components:
        """In memory of its own."""
        return Components(self.real.copy(), None if self.imaginary is None else self.imaginary.copy())

    def power(self) -> np.ndarray:
        """‖u‖² + ‖v‖², (frame, feature)."""
        power: np.ndarray = np.vecdot(self.real, self.real)
        if self.imaginary is not None:
            power += np.vecdot(self.imaginary, self.imaginary)
        return power


# ------------------------------------------------------------------------------------- observables of components


def signal(components: Components) -> np.ndarray:
    """x = √(‖u‖² + ‖v‖²), the norm of a feature's components, in the units of the frame."""
    return np.sqrt(components.power())


def circularity(components: Components) -> np.ndarray:
    """How round a circle is in its plane: σ₂/σ₁, the ratio of its axes, from 0 (a line) to 1 (round).

    The tokens' component of a frequency, a ↦ (2/p)(u cos(2πak/p) + v sin(2πak/p)), is an ellipse in the plane of u and
    v, whose half axes are in the ratio of the singular values σ₁ ≥ σ₂ of the matrix [u v]. Where there is no
    signal it is 0; with d = 1 it is 0 always. (The study's own measure of this name is another: how much of the
    embedding, projected on u and on v, lies in the frequency.)
    """
    u, v = _both(components, "circularity")
    uu, vv, uv = np.vecdot(u, u), np.vecdot(v, v), np.vecdot(u, v)
    # σ₁² and σ₂² are (power ± spread)/2, but that difference cancels for a line: their product is a determinant.
    larger = (uu + vv + np.hypot(uu - vv, 2 * uv)) / 2
    u_longer, longest = (uu >= vv)[..., None], np.maximum(uu, vv)
    longer, shorter = np.where(u_longer, u, v), np.where(u_longer, v, u)
    rest = shorter - _ratio(uv, longest)[..., None] * longer  # without its part along the longer
    product = np.sqrt(longest) * np.sqrt(np.vecdot(rest, rest))  # σ₁σ₂, whose square is |u|²|v|² − (u·v)²
    return np.minimum(_ratio(product, larger), 1.0)


def phase_spread(components: Components) -> np.ndarray:
    """How far the embedding dimensions differ in phase: 1 − |Σⱼ Fⱼ| / Σⱼ |Fⱼ|, from 0 (all equal) to 1.

    F = u − iv is the Fourier coefficient of each embedding dimension j; this is the circular variance of its phases,
    weighted by its size. It depends on the basis of the embedding, unlike the circularity. Where there is no signal it
    is 0.
    """
    u, v = _both(components, "phase_spread")
    total = np.hypot(u, v).sum(axis=-1)
    resultant = np.hypot(u.sum(axis=-1), v.sum(axis=-1))
    return np.where(total > 0, np.maximum(1 - _ratio(resultant, total), 0.0), 0.0)


# -------------------------------------------------------------------- observables of a frame and its loss gradient


def pull(components: Components, gradient: Components) -> np.ndarray:
    """How fast descent lengthens a feature: −Re⟨F, G⟩/‖F‖, F its components and G those of the loss gradient.

    Under gradient flow, Ė = −∂L/∂E, it is d‖F‖/dt: the part of the gradient along the feature, with a sign, where the
    observable ``gradient`` is ‖G‖ ≥ |pull|. Positive where the loss falls as the signal grows. In units of the loss
    over those of the signal; 0 where there is no signal.
    """
    along = np.vecdot(components.real, gradient.real)
    if components.imaginary is not None and gradient.imaginary is not None:
        along += np.vecdot(components.imaginary, gradient.imaginary)
    return _ratio(-along, signal(components))


# ------------------------------------------------------------------------------------------ observables of series


def share(series: Mapping[str, np.ndarray], steps: np.ndarray) -> np.ndarray:
    """xₖ² / Σⱼ xⱼ², a feature's share of the features' summed squares, from 0 to 1; 0 where all are zero."""
    power = series["signal"] ** 2
    return _ratio(power, power.sum(axis=1, keepdims=True))


def relative_gradient(series: Mapping[str, np.ndarray], steps: np.ndarray) -> np.ndarray:
    """Δx/x: (x(t') − x(t)) / (x(t) (t' − t)) with t' the next row's step, per step; 0 where x(t) is.

    The last row repeats the one before it, having no next; a single row has none, and is 0.
    """
    x = series["signal"]
    if len(x) < 2:
        return np.zeros_like(x)
    change = _ratio(np.diff(x, axis=0), x[:-1] * np.diff(steps)[:, None])
    return np.concatenate([change, change[-1:]])


@dataclass(frozen=True)
class Observable:
    """What is measured of a feature.

    Attributes
    ----------
    of_components
        Components of a chunk of frames -> (frame, feature).
    of_both
        Components of a chunk of frames, and of the loss gradients at them -> (frame, feature).
    of_series
        Series (step, feature) by name, and their steps -> (step, feature).
    gradient
        Whether loss gradients are needed; `of_components` is then of their frames.
    """

    of_components: Callable[[Components], np.ndarray] | None = None
    of_both: Callable[[Components, Components], np.ndarray] | None = None
    of_series: Callable[[Mapping[str, np.ndarray], np.ndarray], np.ndarray] | None = None
    gradient: bool = False


OBSERVABLES: dict[str, Observable] = {
    "signal": Observable(of_components=signal),
    "gradient": Observable(of_components=signal, gradient=True),
    "circularity": Observable(of_components=circularity),
    "phase_spread": Observable(of_components=phase_spread),
    "pull": Observable(of_both=pull, gradient=True),
    "share": Observable(of_series=share),
    "relative_gradient": Observable(of_series=relative_gradient),
}


# ------------------------------------------------------------------------------------------------------- features


class Features(ABC):
    """What the features of a frame are.

    Attributes
    ----------
    labels
        One for each feature.
    """

    labels: tuple[Any, ...]

    @abstractmethod
    def components(self, frames: np.ndarray) -> Components:
        """Components of frames (frame, rows, columns) in float64. The next call may write into the same memory."""

    def split(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Values (..., feature) without, and those of, frequency 0; None where there is no such thing."""
        return values, None


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

    def components(self, frames: np.ndarray) -> Components:
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

    def split(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Frequencies 1.. and frequency 0."""
        return values[..., 1:], values[..., 0]

    def _allocate(self, n: int, d: int) -> None:
        """Memory for n frames of d dimensions; of fewer, the first part is used."""
        self._sums = np.empty((n, self._cosines.shape[1], d))
        self._differences = np.empty((n, self._pairs, d))
        self._real = np.empty((n, len(self._cosines), d))
        self._imaginary = np.empty_like(self._real)


def circle_plane(embedding: np.ndarray, k: int) -> np.ndarray:
    """An orthonormal basis (dimension, 2) of the plane of an embedding's circle of frequency k.

    It is spanned by the u_k and v_k of `Fourier`: its columns are their principal axes.

    Parameters
    ----------
    embedding
        E, (token, dimension), of at least 2 dimensions.
    k
        1..⌊p/2⌋.
    """
    circles = Fourier(len(embedding)).components(embedding[None])
    assert circles.imaginary is not None
    span = np.stack([circles.real[0, k], circles.imaginary[0, k]])
    return np.asarray(np.linalg.svd(span, full_matrices=False)[2].T)


class Projection(Features):
    """Given directions, one a feature: u + iv = W E over tokens, or E Wᵀ over embedding dimensions.

    Parameters
    ----------
    directions
        W, (feature, tokens) or (feature, dimensions); complex directions have an imaginary part v.
    over
        "tokens" or "dimensions": which axis of a frame the directions span.
    labels
        Default 1..K.
    """

    def __init__(self, directions: np.ndarray, over: str = "tokens", labels: tuple[Any, ...] | None = None) -> None:
        if over not in ("tokens", "dimensions"):
            raise ValueError(f"directions go over tokens or dimensions, got {over!r}")
        self.directions = np.asarray(directions)
        if self.directions.ndim != 2 or not self.directions.size or not np.isfinite(self.directions).all():
            raise UnusableDataError(
                f"expected feature directions as a matrix of finite numbers (feature, {over}), got shape "
                f"{self.directions.shape}; one row is one feature"
            )
        self.over = over
        self.labels = labels if labels is not None else tuple(range(1, len(self.directions) + 1))
        self._real = np.ascontiguousarray(self.directions.real, dtype=np.float64)
        self._imaginary = self.directions.imag.astype(np.float64) if np.iscomplexobj(directions) else None

    def components(self, frames: np.ndarray) -> Components:
        """Components (frame, feature, dimensions), or (frame, feature, tokens)."""
        across = frames if self.over == "tokens" else frames.swapaxes(1, 2)
        if across.shape[1] != self._real.shape[1]:
            raise UnusableDataError(
                f"the directions have {self._real.shape[1]} entries and a frame has {across.shape[1]} {self.over}, "
                "expected as many; check the file and over which axis it goes"
            )
        return Components(self._real @ across, None if self._imaginary is None else self._imaginary @ across)


class SingularValues(Features):
    """The singular values of a matrix, largest first; feature k is the k-th largest at every step.

    Sorted values swap modes where they cross: for modes with names, project on their directions.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.labels = tuple(range(1, min(shape) + 1))

    def components(self, frames: np.ndarray) -> Components:
        """Components (frame, feature, 1)."""
        finite = np.isfinite(frames).all(axis=(1, 2))
        values = np.full((len(frames), len(self.labels)), np.nan)  # LAPACK refuses what is not finite
        values[finite] = np.linalg.svd(frames[finite], compute_uv=False)
        return Components(values[..., None])


def _both(components: Components, name: str) -> tuple[np.ndarray, np.ndarray]:
    if components.imaginary is None:
        raise UnusableDataError(
            f"{name} is that of circles: it needs Fourier features or complex directions, these features are real"
        )
    return components.real, components.imaginary


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """numerator / denominator, 0 where the denominator is."""
    quotient: np.ndarray = np.divide(
        numerator,
        denominator,
        out=np.zeros(np.broadcast_shapes(np.shape(numerator), np.shape(denominator))),
        where=denominator != 0,
    )
    return quotient
