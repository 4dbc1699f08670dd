"""Conditioning: a model's predictions given some of its scores, without a refit.

For every kept draw the benchmark side is held fixed, and the model's own unknowns are drawn by a
few Gibbs sweeps (`one_model`), all draws side by side. Draws of the benchmark side that explain
the new scores better count more: they are reweighted by the evidence of the new scores, with
Pareto-smoothed weights, and resampled. Where the weights are too uneven to be relied on, every
draw counts the same, as if the benchmark side had nothing to learn from the new scores.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ScoreError, UsageError
from ..low_rank.eta import eta_of_models
from ..low_rank.facts import ModelFacts
from ..low_rank.features import NewRow
from ..posterior.stored import StoredPosterior
from .one_model import ModelState, ScoredModel, log_evidence, start, stratified, sweep
from .predictive import LatentDraws, degrees_of_freedom, fitted_draws
from .psis import effective_share, smoothed_weights, systematic_resample

__all__ = ["NEW_MODEL", "condition"]

NEW_MODEL = "new"
"""Id of a model that has none."""
LEAST_SHARE = 0.1
"""Below this effective share of the draws the weights are left aside."""
LARGEST_K = 0.7
"""Above this Pareto shape the weights are left aside."""
FARTHEST = 50.0
"""A score on an unbounded scale farther out than this, in spreads, is on another scale."""
EVIDENCE_STATES = 6
"""Sweeps whose Gaussians serve the importance estimate of the evidence."""

Floats = NDArray[Any]


def condition(
    posterior: StoredPosterior,
    scores: Mapping[str, float],
    *,
    facts: ModelFacts | None = None,
    model_id: str | None = None,
    sweeps: int = 12,
    seed: int | Sequence[int] = 0,
    reweight: bool = True,
    accept_far: bool = False,
) -> LatentDraws:
    """Draws of one model over all benchmarks, given scores and what is known of the model.

    Parameters
    ----------
    posterior : StoredPosterior
    scores : mapping of str to float
        Benchmark id to score, on the benchmark's own scale. May be empty for a new model: the
        draws then come from what the covariates and the group say.
    facts : ModelFacts, optional
        What is not known is integrated out, not guessed. For a fitted model they replace what was
        fitted.
    model_id : str, optional
        A fitted model keeps its training scores and features; `scores` are added to them (one on
        an already scored benchmark takes the place of the training score), and only what they add
        counts in the weights. Any other id, or None, means a new model.
    sweeps : int
        Gibbs sweeps, at least 3.
    seed : int or sequence of int
        Two models that are compared need different ones, or their own doubts move together.
    reweight : bool
        Whether to weigh the draws by the evidence of the new scores.
    accept_far : bool
        Take a score on an unbounded scale however far it lies from the fitted ones, instead of
        refusing it as one on another scale. For scores that are known to be on their scale.

    Returns
    -------
    LatentDraws
        As many draws as the posterior has. `observed` holds all scores used.

    Raises
    ------
    UnknownIdError
        A benchmark is not among the fitted ones.
    ScoreError
        A score is not a finite number on its benchmark's scale.
    UsageError
        Too few sweeps.
    """
    if sweeps < 3:
        raise UsageError(f"conditioning needs at least 3 sweeps, got {sweeps}")
    fitted = model_id is not None and model_id in posterior.model_ids
    facts = facts or ModelFacts()
    given = _checked(posterior, scores, math.inf if accept_far else FARTHEST)
    if fitted and not scores and not facts.given:
        return fitted_draws(posterior, str(model_id))
    row = posterior.features.row(facts, model_id)
    known = np.full(len(posterior.benchmark_ids), np.nan)
    if fitted:
        known = np.array(posterior.matrix.values[posterior.matrix.model_index(str(model_id))])
    observed = np.where(np.isnan(given), known, given)
    side = _BenchmarkSide.of(posterior, row)
    rng = np.random.default_rng(seed)
    drawn = _draw(posterior, side, observed, known, sweeps=sweeps, rng=rng, reweight=reweight)
    eta = _spread_out(drawn, observed, rng)
    scale = drawn.side.noise * np.sqrt(drawn.state.variance)[:, None]
    return LatentDraws(
        NEW_MODEL if model_id is None else model_id,
        posterior.benchmark_ids,
        eta,
        scale,
        drawn.side.nu,
        observed,
        None if math.isnan(drawn.k_hat) else drawn.k_hat,
        drawn.share,
        drawn.reweighted,
        drawn.rows,
        (1.0, 1.0, 1.0) if fitted else row.told,
    )


def _checked(posterior: StoredPosterior, scores: Mapping[str, float], farthest: float) -> Floats:
    """Scores as a (B,) array, NaN where none is given."""
    transform = posterior.transform
    values = np.full(len(posterior.benchmark_ids), np.nan)
    for benchmark_id, score in scores.items():
        column = transform.index(benchmark_id)
        try:
            value = float(score)
        except (TypeError, ValueError):
            value = math.nan
        if not math.isfinite(value):
            raise ScoreError(f"score of {benchmark_id!r} is not a finite number: {score!r}")
        low, up = float(transform.lower[column]), float(transform.upper[column])
        if value < low or value > up:
            scale = f"{low:g} to {up:g}" if low == low and up == up else "its bound"
            raise ScoreError(
                f"score {value:g} of {benchmark_id!r} lies outside its scale ({scale}); give it on "
                "the benchmark's own scale"
            )
        z = float(transform.to_latent(value, column))
        if abs(z) > farthest and not (math.isfinite(low) and math.isfinite(up)):
            raise ScoreError(
                f"score {value:g} of {benchmark_id!r} is {abs(z):.2g} times its spread away from "
                "the fitted scores; give it on the benchmark's own scale"
            )
        values[column] = value
    return values


@dataclass(frozen=True, eq=False)
class _BenchmarkSide:
    """The fixed side of every draw, seen from one model.

    Attributes
    ----------
    base : (S, B) array
        Benchmark bias with the effects of the model's known groups.
    loading, weights : (S, B), (S, B, K) array
    noise : (S, B) array
        Noise scales of the benchmarks.
    nu, effect_ratio : (S,) array
        As in `ScoredModel`.
    mean, cov : (S, L), (S, L, L) array
        Prior of the model's latents.
    family_scale : (S,) array
        Scale of the model's effects on benchmark families.
    members : (B, Q) array
        Memberships of the benchmarks in the families; the same for all draws.
    """

    base: Floats
    loading: Floats
    weights: Floats
    noise: Floats
    nu: Floats
    effect_ratio: Floats
    mean: Floats
    cov: Floats
    family_scale: Floats
    members: Floats

    @classmethod
    def of(cls, posterior: StoredPosterior, row: NewRow) -> _BenchmarkSide:
        draws = posterior.draws
        s, b = posterior.n_draws, len(posterior.benchmark_ids)
        base = posterior.stacked("benchmark_bias")
        if "group_benchmark" in draws:
            effects = posterior.stacked("group_benchmark")
            for g in np.flatnonzero(row.groups):
                base = base + np.float32(row.groups[g]) * effects[:, g]
        mean, cov = _latent_prior(posterior, row)
        ratio = np.zeros(s)
        if "scale_group_benchmark" in draws:
            scale = posterior.stacked("scale_group_benchmark").astype(np.float64)
            ratio = (scale**2)[:, row.unknown_kinds].sum(axis=1)
        weights = posterior.stacked("weights") if "weights" in draws else np.empty((s, b, 0))
        return cls(
            base,
            posterior.stacked("loading"),
            weights,
            posterior.stacked("noise_benchmark"),
            degrees_of_freedom(posterior),
            ratio,
            mean,
            cov,
            *_families(posterior),
        )

    def at_draws(self, index: NDArray[np.int64]) -> _BenchmarkSide:
        per_draw = {name: v[index] for name, v in vars(self).items() if name != "members"}
        return replace(self, **per_draw)

    def families_of(self, columns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Indices of the families that some of these benchmarks belong to."""
        return np.flatnonzero(self.members[columns].any(axis=0))

    def scored(
        self,
        columns: NDArray[np.int64],
        z: Floats,
        shape: float | None,
        families: NDArray[np.int64],
    ) -> ScoredModel:
        """The problem of one model with latent scores `z` (n,) on `columns`.

        Effects on `families` are further latents, loaded by membership.
        """
        s, size, extra = len(self.nu), self.mean.shape[1], len(families)
        member = np.broadcast_to(self.members[np.ix_(columns, families)], (s, len(columns), extra))
        first = self.loading[:, columns, None]
        loadings = np.concatenate([first, self.weights[:, columns], member], axis=2)
        cov = np.zeros((s, size + extra, size + extra))
        cov[:, :size, :size] = self.cov
        cov[:, size:, size:] = (self.family_scale**2)[:, None, None] * np.eye(extra)
        return ScoredModel(
            z - self.base[:, columns].astype(np.float64),
            loadings.astype(np.float64),
            np.concatenate([self.mean, np.zeros((s, extra))], axis=1),
            cov,
            self.noise[:, columns].astype(np.float64) ** 2,
            self.effect_ratio,
            self.nu,
            shape,
        )


def _latent_prior(posterior: StoredPosterior, row: NewRow) -> tuple[Floats, Floats]:
    """Mean (S, L) and covariance (S, L, L) of a model's latents, what is missing integrated out.

    A missing covariate is standard normal and adds ``b b'`` for its coefficients b; an unknown
    group adds its variance on every latent.
    """
    s, size = posterior.n_draws, posterior.sizes["latent"]
    mean = np.zeros((s, size))
    cov = np.broadcast_to(np.eye(size), (s, size, size)).copy()
    if "coefficients" in posterior.draws:
        coefficients = posterior.stacked("coefficients").astype(np.float64)
        missing = np.isnan(row.x)
        mean += np.einsum("p,spl->sl", row.x[~missing], coefficients[:, ~missing])
        unknown = coefficients[:, missing]
        cov += unknown.transpose(0, 2, 1) @ unknown
    if "group_latent" in posterior.draws:
        effects = posterior.stacked("group_latent").astype(np.float64)
        mean += np.einsum("g,sgl->sl", row.groups, effects)
        scale = posterior.stacked("scale_group_latent").astype(np.float64)
        extra = (scale**2)[:, row.unknown_kinds].sum(axis=1)
        cov += extra[:, None, None] * np.eye(size)
    return mean, cov


def _families(posterior: StoredPosterior) -> tuple[Floats, Floats]:
    """Scale of family effects (S,) and memberships (B, Q), empty where the model has none."""
    if "family" not in posterior.draws:
        return np.zeros(posterior.n_draws), np.zeros((len(posterior.benchmark_ids), 0))
    # a scale that underflows would leave a covariance without an inverse
    scale = np.maximum(posterior.stacked("scale_family").astype(np.float64), 1e-6)
    return scale, posterior.families.members


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Side and state of equally weighted draws, and what became of the weights.

    The state's latents end with the effects on `families`; `rows` are the posterior's draws behind
    these, None for 0, 1, ... in order.
    """

    side: _BenchmarkSide
    state: ModelState
    families: NDArray[np.int64]
    k_hat: float = math.nan
    share: float = 1.0
    reweighted: bool = False
    rows: NDArray[np.int64] | None = None


def _draw(
    posterior: StoredPosterior,
    side: _BenchmarkSide,
    observed: Floats,
    known: Floats,
    *,
    sweeps: int,
    rng: np.random.Generator,
    reweight: bool,
) -> _Drawn:
    """Draw the model's unknowns; `known` are the scores the posterior has already seen."""
    noisy = "noise_model" in posterior.draws
    shape = posterior.spec.priors.noise_model_shape if noisy else None
    z = posterior.transform.to_latent(observed)
    columns = np.flatnonzero(np.isfinite(z))
    families = side.families_of(columns)
    problem = side.scored(columns, z[columns], shape, families)
    if not columns.size:
        return _Drawn(side, start(problem, rng), families)
    # two thirds of the sweeps settle the state, the rest renew draws that resampling repeated
    before = max(2, sweeps - sweeps // 3)
    states = _settled(problem, before, rng)
    drawn = _Drawn(side, states[-1], families)
    if reweight and not np.array_equal(observed, known, equal_nan=True):
        # a stream of its own: the sweeps that follow do not depend on whether weights were asked
        apart = rng.spawn(1)[0]
        log_weights = log_evidence(problem, states, apart)
        seen = np.flatnonzero(np.isfinite(known))
        if seen.size:
            old = side.scored(seen, posterior.transform.to_latent(known)[seen], shape, families)
            log_weights = log_weights - log_evidence(old, _settled(old, before, apart), apart)
        weights, k_hat = smoothed_weights(log_weights)
        share = effective_share(weights)
        usable = share >= LEAST_SHARE and not k_hat > LARGEST_K
        drawn = replace(drawn, k_hat=k_hat, share=share, reweighted=usable)
        if usable:
            index = systematic_resample(weights, rng.random())
            problem = problem.at_draws(index)
            state = states[-1].at_draws(index)
            drawn = replace(drawn, side=side.at_draws(index), state=state, rows=index)
    state = drawn.state
    for _ in range(sweeps - before):
        state = sweep(problem, state, rng)
    return replace(drawn, state=state)


def _settled(problem: ScoredModel, sweeps: int, rng: np.random.Generator) -> list[ModelState]:
    """The last states of a run of sweeps, at most `EVIDENCE_STATES` of them."""
    states = [start(problem, rng)]
    for _ in range(sweeps):
        states = [*states[-EVIDENCE_STATES + 1 :], sweep(problem, states[-1], rng)]
    return states


def _spread_out(drawn: _Drawn, observed: Floats, rng: np.random.Generator) -> Floats:
    """Linear predictor on every benchmark, (S, B).

    Effects that no score speaks about (of an unknown group on benchmarks without a score, of the
    model on families without one) come from their prior.
    """
    side, size = drawn.side, drawn.side.mean.shape[1]
    latents = drawn.state.latents[:, :size].astype(np.float32)
    eta = eta_of_models(side.base, side.loading, side.weights, latents)
    if side.members.shape[1]:
        effects = stratified(len(eta), side.members.shape[1], rng) * side.family_scale[:, None]
        effects[:, drawn.families] = drawn.state.latents[:, size:]
        eta = eta + effects @ side.members.T
    if side.effect_ratio.any():
        effects = stratified(eta.shape[0], eta.shape[1], rng)
        effects *= np.sqrt(side.effect_ratio)[:, None] * side.noise
        effects[:, np.isfinite(observed)] = drawn.state.effects
        eta = eta + effects
    return np.asarray(eta)
