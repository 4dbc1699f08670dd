"""Score matrices drawn from the low-rank model, together with their truth.

Plain numpy: the same joint density as `low_rank.low_rank_model`, drawn forwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..errors import UsageError
from ..scores.matrix import ScoreMatrix
from .eta import latent_mean, linear_predictor
from .families import BenchmarkFamilies, benchmark_families
from .features import ModelFeatures
from .link import Transform
from .spec import ModelSpec

__all__ = ["MODERATE", "Simulation", "draw_prior", "simulate"]

Floats = NDArray[np.float64]

MODERATE: Mapping[str, float] = MappingProxyType(
    {
        "scale_bias": 0.3,
        "scale_loading": 0.2,
        "mean_loading": 0.8,
        "scale_factor": 0.15,
        "scale_group_latent": 0.4,
        "scale_group_benchmark": 0.5,
        "scale_family": 0.2,
        "noise_level": 0.05,
        "nu": 5.0,
    }
)
"""Hyperparameters of an ordinary-looking matrix; what is not named is drawn from its prior."""

LINES = ("aurora", "borealis", "cirrus", "drift", "ember", "fjord", "glacier", "harbour")
TOPICS = ("algebra", "biology", "coding", "drama", "ethics", "finance", "geometry", "history")
"""First words of the ids, from which lineages of models and families of benchmarks are read."""

LOGIT_SPREAD = 1.2
"""Largest offset of a column's centre on the logit scale: mean scores of about 23 to 77."""
N_ITEMS = 1000
"""Items per simulated benchmark: the finest clip of the link, which then hardly ever acts."""


@dataclass(frozen=True, eq=False)
class Simulation:
    """A simulated matrix and everything that made it.

    Attributes
    ----------
    matrix : ScoreMatrix
        Observed cells, percent scale.
    truth : mapping of str to array
        Parameters by the names of a posterior's draws, and ``eta`` (M, B); latent scale.
    z_full, score_full : array (M, B)
        A reading of every cell, observed or not: latent scale and percent scale.
    error : array (M, B)
        Variance of the reading's own error, latent scale: that of its standard error or of items.
    transform : Transform
        The link that made the scores. One learned from the matrix standardises each column a
        little differently; for parameter recovery fit with this one.
    features : ModelFeatures
    families : BenchmarkFamilies
    spec : ModelSpec
    """

    matrix: ScoreMatrix
    truth: Mapping[str, Floats]
    z_full: Floats
    score_full: Floats
    error: Floats
    transform: Transform
    features: ModelFeatures
    families: BenchmarkFamilies
    spec: ModelSpec


def simulate(
    seed: int,
    n_models: int,
    n_benchmarks: int,
    spec: ModelSpec | None = None,
    *,
    fill: float = 0.3,
    n_providers: int = 6,
    missing_covariates: float = 0.0,
    n_items: int = N_ITEMS,
    easy: float = 0.0,
    lower_is_better: bool = False,
    largest_error: float = 0.0,
    given: Mapping[str, ArrayLike] | None = None,
) -> Simulation:
    """Draw a score matrix from the low-rank model, with its truth.

    Parameters
    ----------
    seed : int
    n_models, n_benchmarks : int
    spec : ModelSpec, optional
        Which parts the model has; the default spec if not given.
    fill : float
        Chance of a cell to be observed; every model and benchmark gets at least one score.
    n_providers : int
        Models are dealt to providers at random, and to lines of releases (`LINES`); benchmarks to
        topics (`TOPICS`) in turn.
    missing_covariates : float
        Chance of each covariate value to be unknown.
    n_items : int
        Items of every benchmark: scores within half an item of an end say "this or beyond".
    easy : float
        How far the middle of every benchmark lies towards its good end, logit scale; with few
        items many scores are then at that end.
    lower_is_better : bool
        Whether on every other benchmark a lower score is better.
    largest_error : float
        Half of the readings, by chance, have a standard error, on the latent scale uniform up to
        this. 0 gives none.
    given : mapping of str to array, optional
        Parameters held at a value instead of drawn; `MODERATE` if not given, ``{}`` to draw
        everything from the prior.

    Returns
    -------
    Simulation

    Raises
    ------
    UsageError
        For sizes below 1, a share outside (0, 1], an error below 0, or an unknown name in
        ``given``.
    """
    spec = ModelSpec() if spec is None else spec
    _check(n_models, n_benchmarks, fill, missing_covariates, largest_error)
    rng = np.random.default_rng(seed)
    models = _model_table(rng, n_models, n_providers, missing_covariates)
    benchmarks = _benchmark_table(n_benchmarks, n_items, lower_is_better)
    observed = _observed_cells(rng, n_models, n_benchmarks, fill)
    shell = _to_matrix(np.full(observed.shape, 50.0), observed, models, benchmarks)
    features = ModelFeatures.from_matrix(shell, spec)
    families = BenchmarkFamilies.none()
    if spec.families:
        families = benchmark_families(shell.benchmark_ids)
    known = dict(MODERATE if given is None else given)
    truth = draw_prior(rng, n_benchmarks, spec, features, families, known)
    truth["eta"] = linear_predictor(truth, features.groups, families.members)
    noise, link = _noise(rng, truth), Transform.from_matrix(shell)
    transform = replace(
        link,
        center=rng.uniform(-LOGIT_SPREAD, LOGIT_SPREAD, n_benchmarks) + easy * link.sign,
        spread=rng.uniform(0.7, 1.3, n_benchmarks),
    )
    own = _own_error(np.random.default_rng([seed, 1]), observed.shape, largest_error)
    by_items = spec.item_noise * transform.binomial_variance(truth["eta"])
    error = np.where(np.isnan(own), by_items, own)
    z_full = truth["eta"] + noise.scaled(error)
    score_full = transform.to_score(z_full)
    stderr = np.sqrt(own / transform.error_variance(score_full, 1.0))
    matrix = _to_matrix(score_full, observed, models, benchmarks, stderr if largest_error else None)
    return Simulation(matrix, truth, z_full, score_full, error, transform, features, families, spec)


def _check(
    n_models: int, n_benchmarks: int, fill: float, missing: float, largest_error: float
) -> None:
    for name, size in (("n_models", n_models), ("n_benchmarks", n_benchmarks)):
        if size < 1:
            raise UsageError(f"{name} must be at least 1, got {size}")
    if not 0 < fill <= 1:
        raise UsageError(f"fill must lie in (0, 1], got {fill}")
    if not 0 <= missing < 1:
        raise UsageError(f"missing_covariates must lie in [0, 1), got {missing}")
    if not largest_error >= 0:
        raise UsageError(f"largest_error must be 0 or more, got {largest_error}")


def _model_table(
    rng: np.random.Generator, n: int, n_providers: int, missing: float
) -> pd.DataFrame:
    month = rng.integers(0, 36, n)
    line = rng.integers(0, len(LINES), n)
    table = pd.DataFrame(
        {
            "model_id": [f"{LINES[line[i]]}-{i:03d}" for i in range(n)],
            "provider": [f"provider-{k}" for k in rng.integers(0, n_providers, n)],
            "release_date": [f"{2023 + m // 12}-{1 + m % 12:02d}" for m in month],
            "params_b": np.round(10 ** rng.uniform(0, 2.5, n), 1),
            "open_weights": rng.random(n) < 0.5,
            "reasoning": rng.random(n) < 0.4,
        }
    ).astype({"open_weights": "boolean", "reasoning": "boolean"})
    for column in ("release_date", "params_b", "open_weights", "reasoning"):
        unknown = rng.random(n) < missing
        table[column] = table[column].mask(unknown)
    return table


def _benchmark_table(n: int, n_items: int, lower_is_better: bool) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "benchmark_id": [f"{TOPICS[j % len(TOPICS)]}_{j:03d}" for j in range(n)],
            "scale": "percent",
            "lower": 0.0,
            "upper": 100.0,
            "higher_is_better": [not lower_is_better or j % 2 == 0 for j in range(n)],
            "n_items": n_items,
        }
    )


def _observed_cells(rng: np.random.Generator, m: int, b: int, fill: float) -> NDArray[np.bool_]:
    observed = rng.random((m, b)) < fill
    for i in np.flatnonzero(~observed.any(axis=1)):
        observed[i, rng.integers(b)] = True
    for j in np.flatnonzero(~observed.any(axis=0)):
        observed[rng.integers(m), j] = True
    return observed


def _to_matrix(
    scores: Floats,
    observed: NDArray[np.bool_],
    models: pd.DataFrame,
    benchmarks: pd.DataFrame,
    stderr: Floats | None = None,
) -> ScoreMatrix:
    row, col = np.nonzero(observed)
    long = pd.DataFrame(
        {
            "model_id": models["model_id"].to_numpy()[row],
            "benchmark_id": benchmarks["benchmark_id"].to_numpy()[col],
            "score": scores[row, col],
        }
    )
    if stderr is not None:
        long["stderr"] = stderr[row, col]
    return ScoreMatrix.from_frame(long, models=models, benchmarks=benchmarks)


class _Prior:
    """Forward draws by name; a given value takes the place of its draw."""

    def __init__(self, rng: np.random.Generator, given: Mapping[str, ArrayLike]) -> None:
        self.rng = rng
        self.given = dict(given)
        self.out: dict[str, Floats] = {}

    def put(self, name: str, drawn: ArrayLike) -> Floats:
        shape = np.shape(drawn)
        value = np.broadcast_to(np.asarray(self.given.pop(name, drawn), dtype=np.float64), shape)
        self.out[name] = value
        return value

    def scale(self, name: str, b: float, size: int | None = None) -> Floats:
        """A scale whose square is InvGamma(1, b)."""
        return self.put(name, np.sqrt(b / self.rng.gamma(1.0, size=size)))


def draw_prior(
    rng: np.random.Generator,
    n_benchmarks: int,
    spec: ModelSpec,
    features: ModelFeatures,
    families: BenchmarkFamilies,
    given: Mapping[str, ArrayLike],
) -> dict[str, Floats]:
    """One draw of every parameter from the prior.

    Parameters
    ----------
    rng : numpy.random.Generator
    n_benchmarks : int
    spec : ModelSpec
    features : ModelFeatures
        Of the models; a missing covariate is drawn.
    families : BenchmarkFamilies
    given : mapping of str to array
        Parameters held at a value.

    Returns
    -------
    dict of str to array
        Names and dims as in `DRAW_DIMS`.

    Raises
    ------
    UsageError
        For a name in ``given`` that this model does not have.
    """
    prior = _Prior(rng, given)
    _draw_benchmarks(prior, n_benchmarks, spec)
    _draw_groups(prior, n_benchmarks, spec, features)
    _draw_models(prior, spec, features)
    if families.names:
        scale = prior.scale("scale_family", spec.priors.family_b)
        prior.put("family", scale * rng.normal(size=(len(features.x), len(families.names))))
    unused = set(prior.given) - set(MODERATE)
    if unused:
        raise UsageError(
            f"given names {sorted(unused)[0]!r}, which this model does not have; "
            f"known: {', '.join(sorted(prior.out))}"
        )
    return prior.out


def _draw_benchmarks(prior: _Prior, n: int, spec: ModelSpec) -> None:
    rng, p = prior.rng, spec.priors
    scale_bias = prior.scale("scale_bias", p.bias_b)
    scale_loading = prior.scale("scale_loading", p.loading_b)
    mean_loading = prior.put("mean_loading", rng.normal(p.mean_loading, p.mean_loading_sd))
    drawn = 0.0
    while drawn < p.noise_level_least:
        drawn = rng.gamma(p.noise_level_shape, 1 / p.noise_level_rate)
    level = prior.put("noise_level", drawn)
    prior.put("benchmark_bias", rng.normal(0.0, scale_bias, n))
    prior.put("loading", rng.normal(mean_loading, scale_loading, n))
    variance = p.noise_shape * level / rng.gamma(p.noise_shape, size=n)
    prior.put("noise_benchmark", np.sqrt(variance))
    if spec.student_t:
        prior.put("nu", rng.choice(np.asarray(p.nu_grid)))
    if spec.rank:
        scale_factor = prior.scale("scale_factor", p.factor_b, spec.rank)
        shape = (n, spec.rank)
        unit = rng.standard_t(4.0, shape) if spec.heavy_loadings else rng.normal(size=shape)
        prior.put("weights", scale_factor * unit)


def _draw_groups(prior: _Prior, n: int, spec: ModelSpec, features: ModelFeatures) -> None:
    rng, p, kind = prior.rng, spec.priors, features.group_kind
    n_groups, n_kinds = len(features.group_names), len(features.kinds)
    if not n_groups:
        return
    if spec.group_latents:
        scale = prior.scale("scale_group_latent", p.group_latent_b, n_kinds)[kind]
        effects = rng.normal(size=(n_groups, 1 + spec.rank))
        prior.put("group_latent", scale[:, None] * effects)
    if spec.group_benchmarks:
        scale = prior.scale("scale_group_benchmark", p.group_benchmark_b, n_kinds)[kind]
        spread = scale[:, None] * prior.out["noise_benchmark"]
        prior.put("group_benchmark", spread * rng.normal(size=(n_groups, n)))


def _draw_models(prior: _Prior, spec: ModelSpec, features: ModelFeatures) -> None:
    rng, p = prior.rng, spec.priors
    n, n_latents = features.x.shape[0], 1 + spec.rank
    missing = np.isnan(features.x)
    x = np.where(missing, rng.normal(size=missing.shape), features.x)
    if x.shape[1]:
        coefficients = rng.normal(0.0, p.coefficient_sd, (x.shape[1], n_latents))
        prior.put("coefficients", coefficients)
    latents = latent_mean(prior.out, x, features.groups) + rng.normal(size=(n, n_latents))
    prior.put("ability", latents[:, 0])
    if spec.rank:
        prior.put("factors", latents[:, 1:])
    if spec.model_noise:
        a = p.noise_model_shape
        prior.put("noise_model", np.sqrt(a / rng.gamma(a, size=n)))


@dataclass(frozen=True, eq=False)
class _Noise:
    """Standard noise of every cell and its scale, (M, B)."""

    unit: Floats
    scale: Floats

    def scaled(self, error: Floats) -> Floats:
        """The noise, with an error of this variance in its scale."""
        if not error.any():
            return self.scale * self.unit
        return np.asarray(np.sqrt(self.scale**2 + error) * self.unit)


def _noise(rng: np.random.Generator, truth: Mapping[str, Floats]) -> _Noise:
    shape = truth["eta"].shape
    scale = np.broadcast_to(truth["noise_benchmark"], shape)
    if "noise_model" in truth:
        scale = scale * truth["noise_model"][:, None]
    unit = rng.standard_t(float(truth["nu"]), shape) if "nu" in truth else rng.normal(size=shape)
    return _Noise(unit, scale)


def _own_error(rng: np.random.Generator, shape: tuple[int, ...], largest: float) -> Floats:
    """Variance of the error of readings that have a standard error, NaN for the others."""
    sd = largest * rng.random(shape)
    known = rng.random(shape) < 0.5
    return np.where(known & (largest > 0), sd**2, np.nan)
