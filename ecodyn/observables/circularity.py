"""How round the circles are."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array
from ecodyn.observables.components import Components
from ecodyn.observables.observable import Observable
from ecodyn.observables.ratio import ratio

__all__ = ["CIRCULARITY", "circularity"]


def circularity(components: Components) -> Array:
    """How round a circle is in its plane: σ₂/σ₁, the ratio of its axes, from 0 (a line) to 1 (round).

    The tokens' component of a frequency, a ↦ (2/p)(u cos(2πak/p) + v sin(2πak/p)), is an ellipse in the plane of u and
    v, whose half axes are in the ratio of the singular values σ₁ ≥ σ₂ of the matrix [u v]. Where there is no
    signal it is 0; with d = 1 it is 0 always. (The study's own measure of this name is another: how much of the
    embedding, projected on u and on v, lies in the frequency.)

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn.observables import Components
    >>> from ecodyn.observables.circularity import circularity
    >>> circularity(Components(np.array([[[2.0, 0.0]]]), np.array([[[0.0, 1.0]]])))
    array([[0.5]])
    """
    u, v = components.circles("circularity")
    uu, vv, uv = np.vecdot(u, u), np.vecdot(v, v), np.vecdot(u, v)
    # σ₁² and σ₂² are (power ± spread)/2, but that difference cancels for a line: their product is a determinant.
    larger = (uu + vv + np.hypot(uu - vv, 2 * uv)) / 2
    u_longer, longest = (uu >= vv)[..., None], np.maximum(uu, vv)
    longer, shorter = np.where(u_longer, u, v), np.where(u_longer, v, u)
    rest = shorter - ratio(uv, longest)[..., None] * longer  # without its part along the longer
    product = np.sqrt(longest) * np.sqrt(np.vecdot(rest, rest))  # σ₁σ₂, whose square is |u|²|v|² − (u·v)²
    return np.minimum(ratio(product, larger), 1.0)


CIRCULARITY = Observable(of_frames=circularity)
