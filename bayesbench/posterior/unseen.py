"""Effects that no score depends on: a packed file leaves them out, and they are drawn again.

Given their scales the effect of a group on a benchmark none of its members was scored on, and that
of a model on a family of benchmarks it has no score in, are independent of everything else and
normal: fresh draws serve as well as those of the fit, and three quarters of a large posterior are
such effects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEFT_OUT", "UNSEEN_SEED", "drawn_again", "left_out", "seen_effects"]

LEFT_OUT = ("group_benchmark", "family")
"""Parameters with such effects."""

UNSEEN_SEED = 20_261_125
"""Of the draws that take the place of those left out: a file gives the same answers every time."""

Array = NDArray[Any]


def seen_effects(
    observed: NDArray[np.bool_], groups: Array, families: Array
) -> dict[str, NDArray[np.bool_]]:
    """Which effects some score depends on, by parameter: (G, B) and (M, Q).

    Parameters
    ----------
    observed : (M, B) bool array
        Cells with a score.
    groups : (M, G) array
        Membership of the models in the groups.
    families : (B, Q) array
        Membership of the benchmarks in the families.
    """
    seen, members = observed.astype(np.float32), families.reshape(observed.shape[1], -1)
    return {
        "group_benchmark": np.asarray((groups != 0).T.astype(np.float32) @ seen > 0),
        "family": np.asarray(seen @ (members != 0).astype(np.float32) > 0),
    }


def left_out(draws: Mapping[str, Array], seen: Mapping[str, NDArray[np.bool_]]) -> dict[str, Array]:
    """The draws (chain, draw, ...) with NaN for effects that no score depends on."""
    out = dict(draws)
    for name, mask in seen.items():
        if name in out:
            out[name] = np.where(mask, out[name], np.float32(np.nan)).astype(np.float32)
    return out


def drawn_again(
    draws: Mapping[str, Array], seen: Mapping[str, NDArray[np.bool_]], group_kind: Array
) -> dict[str, Array]:
    """The inverse of `left_out`: NaN replaced by draws from the prior given the scales.

    A group's effect on a benchmark is normal with the scale of its kind times the noise of the
    benchmark, a model's effect on a family with the scale of families.

    Parameters
    ----------
    draws : mapping of str to array
        With ``scale_group_benchmark`` (chain, draw, kind), ``noise_benchmark`` (chain, draw,
        benchmark) and ``scale_family`` (chain, draw) where effects were left out.
    seen : mapping of str to array
        From `seen_effects`.
    group_kind : (G,) int array
        Kind of each group.
    """
    out = dict(draws)
    for number, (name, mask) in enumerate(seen.items()):
        if name not in out or not np.isnan(out[name][0, 0]).any():
            continue
        rng = np.random.default_rng([UNSEEN_SEED, number])
        row, column = np.nonzero(~mask)
        lead = out[name].shape[:2]
        normal = rng.standard_normal((*lead, row.size), dtype=np.float32)
        if name == "family":
            scale = out["scale_family"][..., None]
        else:
            kind = np.asarray(group_kind)[row]
            scale = out["scale_group_benchmark"][..., kind] * out["noise_benchmark"][..., column]
        filled = np.array(out[name])
        filled[..., row, column] = normal * scale
        out[name] = filled
    return out
