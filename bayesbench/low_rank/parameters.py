"""Names and dims of the low-rank model's parameters, as samplers make and posteriors keep them."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DRAW_DIMS"]

DRAW_DIMS: Mapping[str, tuple[str, ...]] = {
    "benchmark_bias": ("benchmark",),
    "loading": ("benchmark",),
    "weights": ("benchmark", "factor"),
    "ability": ("model",),
    "factors": ("model", "factor"),
    "coefficients": ("covariate", "latent"),
    "group_latent": ("group", "latent"),
    "group_benchmark": ("group", "benchmark"),
    "family": ("model", "benchmark_family"),
    "noise_benchmark": ("benchmark",),
    "noise_model": ("model",),
    "nu": (),
    "scale_bias": (),
    "scale_loading": (),
    "mean_loading": (),
    "scale_factor": ("factor",),
    "scale_group_latent": ("kind",),
    "scale_group_benchmark": ("kind",),
    "scale_family": (),
    "noise_level": (),
}
"""Dims of every quantity after (chain, draw)."""
