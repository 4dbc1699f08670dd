"""Random numbers as the page's JavaScript draws them, so that both fill in the same effects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["page_normals"]


def page_normals(seeds: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    """Standard normal numbers of `generator` in ``assets/engine.js``, (seeds, n).

    Chris Doty-Humphrey's sfc32 and the transform of Box and Muller (1958,
    doi:10.1214/aoms/1177706645).

    Parameters
    ----------
    seeds : (k,) int array
        The number that every generator starts from.
    n : int
        Numbers from each.
    """
    seeds = np.asarray(seeds, np.int64)
    a, b = (np.full(seeds.shape, word, np.uint32) for word in (0x9E3779B9, 0x243F6A88))
    c, d = (seeds & 0xFFFFFFFF).astype(np.uint32), np.ones(seeds.shape, np.uint32)
    skipped = 15
    out = np.empty((skipped + 2 * n, *seeds.shape), np.uint32)
    for i in range(len(out)):
        t = a + b + d
        d = d + np.uint32(1)
        a = b ^ (b >> np.uint32(9))
        b = c + (c << np.uint32(3))
        c = ((c << np.uint32(21)) | (c >> np.uint32(11))) + t
        out[i] = t
    uniform = (out[skipped:] + 0.5) / 4294967296.0
    radius = np.sqrt(-2.0 * np.log(uniform[0::2]))
    return np.moveaxis(radius * np.cos(2.0 * np.pi * uniform[1::2]), 0, -1)
