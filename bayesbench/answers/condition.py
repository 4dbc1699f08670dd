"""Conditioning: a model's predictions given some of its scores, without a refit.

For every kept draw the benchmark side is held fixed, and the model's own unknowns are drawn by a
few Gibbs sweeps (`one_model`), all draws side by side, in two stages.

First what is learned beside the model's level: its noise variance, and which draws of the benchmark
side explain the scores better. Here the noise is the fit's own Student-t, and a score counts as far
as the prior prediction makes it plausible. Draws are reweighted by the evidence of the new scores,
with Pareto-smoothed weights, and resampled; weights too uneven to be relied on are tempered: raised
to the largest power that leaves enough draws.

Then the model's level, from the scores as they are, with hyperbolic noise. A fit may set a stray
reading aside among hundreds, as Student-t noise does; who gives three scores means them, so an
answer moves with each of them, never against it, and levels off where a score is far. (Were the
noise or the weights to learn from far scores too, those would be explained away again.) A
contradiction is a matter for a warning, not for silence.

The same seed gives answers that move smoothly with the scores: how many random numbers are drawn
never depends on their values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ScoreError, UsageError
from ..low_rank.eta import eta_of_models
from ..low_rank.facts import ModelFacts
from ..low_rank.features import NewRow
from ..posterior.stored import StoredPosterior
from .one_model import ModelState, ScoredModel, log_evidence, start, stratified, sweep
from .predictive import (
    LatentDraws,
    Target,
    degrees_of_freedom,
    fitted_draws,
    with_reading_noise,
)
from .psis import effective_share, smoothed_weights, systematic_resample, tempered

__all__ = ["NEW_MODEL", "condition"]

NEW_MODEL = "new"
"""Id of a model that has none."""
LEAST_SHARE = 0.6
"""Weights are tempered until their effective share is this. Less agrees better with refits of
models like the fitted ones, more predicts later models better."""
PLAUSIBLE = 2.5
"""Standard deviations of the prior prediction within which a score teaches noise and weights."""
PLAUSIBLE_FACTS = 2.0
"""Standard deviations of a prior prediction from which on a score puts the facts in doubt."""
CONTRADICTED = 5.0
"""Largest factor on the prior variance: about what all that facts explain would add to it."""
FARTHEST = 50.0
"""A score on an unbounded scale farther out than this, in spreads, is on another scale."""
EVIDENCE_STATES = 6
"""Sweeps whose Gaussians serve the importance estimate of the evidence."""

Floats = NDArray[Any]


def condition(
    posterior: StoredPosterior,
    scores: Mapping[str, float],
    *,
    stderr: Mapping[str, float] | None = None,
    facts: ModelFacts | None = None,
    model_id: str | None = None,
    sweeps: int = 16,
    seed: int | Sequence[int] = 0,
    reweight: bool = True,
    accept_far: bool = False,
    target: Target = "reading",
) -> LatentDraws:
    """Draws of one model over all benchmarks, given scores and what is known of the model.

    Parameters
    ----------
    posterior : StoredPosterior
    scores : mapping of str to float
        Benchmark id to score, on the benchmark's own scale. May be empty for a new model: the
        draws then come from what the covariates and the group say.
    stderr : mapping of str to float, optional
        Standard errors of given scores, on their scale; 0 says nothing (see
        `Transform.error_variance`). Training scores have those of their readings.
    facts : ModelFacts, optional
        What is not known is integrated out, not guessed. For a fitted model they replace what was
        fitted.
    model_id : str, optional
        A fitted model keeps its training scores and features; `scores` are added to them (one on
        an already scored benchmark takes the place of the training score), and only what they add
        counts in the weights. Any other id, or None, means a new model.
    sweeps : int
        Gibbs sweeps, at least 3; half of them for each stage.
    seed : int or sequence of int
        Two models that are compared need different ones, or their own doubts move together.
    reweight : bool
        Whether to weigh the draws by the evidence of the new scores.
    accept_far : bool
        Take a score on an unbounded scale however far it lies from the fitted ones, instead of
        refusing it as one on another scale. For scores that are known to be on their scale.
    target : {"reading", "mean"}
        Whose noise scale the draws have, see `cell_draws`; all else is the same.

    Returns
    -------
    LatentDraws
        As many draws as the posterior has. `observed` holds all scores used.

    Raises
    ------
    UnknownIdError
        A benchmark is not among the fitted ones.
    ScoreError
        A score is not a finite number on its benchmark's scale; a standard error is not one of at
        least 0, or of no given score.
    UsageError
        Too few sweeps.
    """
    if sweeps < 3:
        raise UsageError(f"conditioning needs at least 3 sweeps, got {sweeps}")
    at = posterior.model_ids.index(model_id) if model_id in posterior.model_ids else None
    facts = facts or ModelFacts()
    values = _checked(posterior, scores, math.inf if accept_far else FARTHEST)
    errors = _checked_errors(posterior, scores, stderr or {})
    if at is not None and not scores and not facts.given:
        return fitted_draws(posterior, str(model_id), target=target)
    known = np.full(values.size, np.nan)
    if at is not None:
        known = np.array(posterior.matrix.values[at])
    observed = np.where(np.isnan(values), known, values)
    seen = _Given.trained(posterior, at)
    given = _Given.of(posterior, values, errors).beside(seen)
    row = posterior.features.row(facts, model_id)
    side = _BenchmarkSide.of(posterior, row, at)
    if facts.given:
        side = replace(side, cov=side.cov * _contradiction(side, given))
    rng = np.random.default_rng(seed)
    reweight = reweight and not np.array_equal(observed, known, equal_nan=True)
    drawn = _draw(side, given, seen, sweeps=sweeps, rng=rng, reweight=reweight)
    eta = _spread_out(drawn, observed, rng)
    scale = drawn.side.noise * np.sqrt(drawn.state.variance)[:, None]
    if target == "reading":
        scale = with_reading_noise(posterior, scale, eta, np.arange(values.size))
    return LatentDraws(
        NEW_MODEL if model_id is None else model_id,
        posterior.benchmark_ids,
        eta,
        scale,
        drawn.side.nu,
        observed,
        None if math.isnan(drawn.k_hat) else drawn.k_hat,
        drawn.share,
        drawn.power > 0,
        drawn.rows,
        drawn.power,
        (1.0, 1.0, 1.0) if at is not None else row.told,
    )


def _contradiction(side: _BenchmarkSide, given: _Given) -> float:
    """Factor on the prior variance where scores lie far from what the facts say; else 1.

    Rises from `PLAUSIBLE_FACTS` standard deviations of the prior prediction to twice as many: facts
    may be wrong, or the model an exception, but a score that was given stands. The prior's mean and
    directions stay, so that answers still move with the scores and level off.
    """
    excess = side.scored(given, np.array([], dtype=np.int64)).strangeness - PLAUSIBLE_FACTS
    return 1.0 + (CONTRADICTED - 1.0) * float(np.clip(excess / PLAUSIBLE_FACTS, 0.0, 1.0))


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


def _checked_errors(
    posterior: StoredPosterior, scores: Mapping[str, float], stderr: Mapping[str, float]
) -> Floats:
    """Standard errors as a (B,) array, NaN where none is given."""
    errors = np.full(len(posterior.benchmark_ids), np.nan)
    for benchmark_id, error in stderr.items():
        if benchmark_id not in scores:
            raise ScoreError(
                f"standard error of {benchmark_id!r}, which has no given score; give both"
            )
        try:
            value = float(error)
        except (TypeError, ValueError):
            value = math.nan
        if not (math.isfinite(value) and value >= 0):
            raise ScoreError(
                f"standard error of {benchmark_id!r} is not a number of at least 0: {error!r}"
            )
        errors[posterior.transform.index(benchmark_id)] = value
    return errors


@dataclass(frozen=True, eq=False)
class _Given:
    """Known scores on the latent scale.

    Attributes
    ----------
    columns : (n,) int array
        Their benchmarks.
    z : (n,) array
    error_var : (n,) array
        Known error variance of each.
    beyond : (n,) int array
        +1 where only "this or higher" is known, -1 "this or lower", else 0.
    """

    columns: NDArray[np.int64]
    z: Floats
    error_var: Floats
    beyond: NDArray[np.int8]

    @classmethod
    def of(cls, posterior: StoredPosterior, scores: Floats, stderr: Floats) -> _Given:
        """From scores and standard errors (B,) on the score scale, NaN where there is none."""
        link, spec = posterior.transform, posterior.spec
        columns = np.flatnonzero(np.isfinite(scores))
        score, error = scores[columns], stderr[columns]
        z = link.to_latent(score, columns)
        by_items = spec.item_noise * link.binomial_variance(z, columns)
        stated = link.error_variance(score, error, columns)
        beyond = link.beyond(score, columns) if spec.censored else np.zeros(len(columns), np.int8)
        own = np.where(np.isfinite(error), stated, by_items)
        return cls(columns, z, own + posterior.reporting[columns], beyond)

    @classmethod
    def trained(cls, posterior: StoredPosterior, row: int | None) -> _Given:
        """What the fit was told of one of its models; nothing of a new one."""
        cells = posterior.cells
        own = cells.row == (-1 if row is None else row)
        return cls(cells.col[own], cells.z[own], cells.error[own], cells.beyond[own])

    def beside(self, other: _Given) -> _Given:
        """These, and those of `other` on other benchmarks, in the order of the benchmarks."""
        kept = ~np.isin(other.columns, self.columns)
        columns = np.concatenate([self.columns, other.columns[kept]])
        order = np.argsort(columns)
        return _Given(
            columns[order],
            np.concatenate([self.z, other.z[kept]])[order],
            np.concatenate([self.error_var, other.error_var[kept]])[order],
            np.concatenate([self.beyond, other.beyond[kept]])[order],
        )


@dataclass(frozen=True, eq=False)
class _BenchmarkSide:
    """The fixed side of every draw, seen from one model.

    Attributes
    ----------
    base : (S, B) array
        Benchmark bias with the effects of the model's known groups.
    loading, weights : (S, B), (S, B, K) array
    noise : (S, B) array
        Noise scales of the benchmarks; for a fitted model times its own, which its training
        scores have taught.
    nu, effect_ratio, noise_shape
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
    noise_shape: float | None
    mean: Floats
    cov: Floats
    family_scale: Floats
    members: Floats

    @classmethod
    def of(cls, posterior: StoredPosterior, row: NewRow, fitted: int | None) -> _BenchmarkSide:
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
        noise = posterior.stacked("noise_benchmark")
        noisy = "noise_model" in draws
        if noisy and fitted is not None:
            own = posterior.stacked("noise_model")[:, fitted]
            noise, ratio = noise * own[:, None], ratio / own.astype(np.float64) ** 2
        return cls(
            base,
            posterior.stacked("loading"),
            weights,
            noise,
            degrees_of_freedom(posterior),
            ratio,
            posterior.spec.priors.noise_model_shape if noisy and fitted is None else None,
            mean,
            cov,
            *_families(posterior),
        )

    @cached_property
    def precision(self) -> Floats:
        """Inverse of `cov`, (S, L, L)."""
        return np.asarray(np.linalg.inv(self.cov))

    def at_draws(self, index: NDArray[np.int64]) -> _BenchmarkSide:
        """Keep some draws, repeated where `index` repeats them."""
        shared = ("members", "noise_shape")
        names = [each.name for each in fields(self) if each.name not in shared]
        per_draw = {name: getattr(self, name)[index] for name in names}
        return replace(self, **per_draw)

    def families_of(self, columns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Indices of the families that some of these benchmarks belong to."""
        return np.flatnonzero(self.members[columns].any(axis=0))

    def scored(self, given: _Given, families: NDArray[np.int64]) -> ScoredModel:
        """The problem of one model with these scores.

        Effects on `families` are further latents, loaded by membership.
        """
        columns = given.columns
        s, size, extra = len(self.nu), self.mean.shape[1], len(families)
        member = np.broadcast_to(self.members[np.ix_(columns, families)], (s, len(columns), extra))
        first = self.loading[:, columns, None]
        loadings = np.concatenate([first, self.weights[:, columns], member], axis=2)
        cov = np.zeros((s, size + extra, size + extra))
        cov[:, :size, :size] = self.cov
        cov[:, size:, size:] = (self.family_scale**2)[:, None, None] * np.eye(extra)
        precision = np.zeros_like(cov)
        precision[:, :size, :size] = self.precision
        if extra:  # without families their scale is 0
            precision[:, size:, size:] = (self.family_scale**-2)[:, None, None] * np.eye(extra)
        return ScoredModel(
            given.z - self.base[:, columns].astype(np.float64),
            loadings.astype(np.float64),
            np.concatenate([self.mean, np.zeros((s, extra))], axis=1),
            cov,
            self.noise[:, columns].astype(np.float64) ** 2,
            self.effect_ratio,
            self.nu,
            self.noise_shape,
            np.broadcast_to(given.error_var, (s, len(columns))),
            tuple(given.beyond.tolist()),
            known_precision=precision,
        )


def _latent_prior(posterior: StoredPosterior, row: NewRow) -> tuple[Floats, Floats]:
    """Mean (S, L) and covariance (S, L, L) of a model's latents, what is missing integrated out.

    A missing covariate is standard normal and adds ``b b'`` for its coefficients b, one beyond the
    fitted models ``v b b'`` for its doubt v; an unknown group adds its variance on every latent.
    """
    s, size = posterior.n_draws, posterior.sizes["latent"]
    mean = np.zeros((s, size))
    cov = np.broadcast_to(np.eye(size), (s, size, size)).copy()
    if "coefficients" in posterior.draws:
        coefficients = posterior.stacked("coefficients").astype(np.float64)
        missing = np.isnan(row.x)
        mean += np.einsum("p,spl->sl", row.x[~missing], coefficients[:, ~missing])
        unknown = coefficients * np.where(missing, 1.0, row.doubt)[:, None]
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
    power: float = 0.0
    rows: NDArray[np.int64] | None = None


def _draw(
    side: _BenchmarkSide,
    given: _Given,
    seen: _Given,
    *,
    sweeps: int,
    rng: np.random.Generator,
    reweight: bool,
) -> _Drawn:
    """Draw the model's unknowns; `seen` are the scores the posterior has already learned from."""
    families = side.families_of(given.columns)
    problem = side.scored(given, families)
    if not given.columns.size:
        return _Drawn(side, start(problem, rng), families)
    half = sweeps // 2
    learned = problem.plausible(PLAUSIBLE)
    states = _settled(learned, sweeps - half, rng)
    drawn = _Drawn(side, states[-1], families)
    if reweight:
        # a stream of its own: the sweeps that follow do not depend on whether weights were asked
        apart = rng.spawn(1)[0]
        log_weights = log_evidence(learned, states, apart)
        if seen.columns.size:
            old = side.scored(seen, families).plausible(PLAUSIBLE)
            past = _settled(old, sweeps - half, apart)
            log_weights = log_weights - log_evidence(old, past, apart)
        weights, k_hat = smoothed_weights(log_weights)
        share = effective_share(weights)
        weights, power = tempered(weights, LEAST_SHARE)
        index = systematic_resample(weights, apart.random())
        problem = problem.at_draws(index)
        state = states[-1].at_draws(index)
        drawn = _Drawn(side.at_draws(index), state, families, k_hat, share, power, index)
    problem, state = replace(problem, noise_shape=None, hyperbolic=True), drawn.state
    for _ in range(half):
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
    latents = drawn.state.latents[:, :size]
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
