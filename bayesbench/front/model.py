"""``Model``: a model of which some scores are known, and everything that can be asked about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Literal

import numpy as np

from ..answers.calibrated import recalibrated
from ..answers.condition import NEW_MODEL, condition
from ..answers.contradictions import Contradictions, contradictions
from ..answers.decide import Decision, decide
from ..answers.explain import Explanation, Surprises, explain, surprises
from ..answers.joint import Kind, ScoreDraws, id_number
from ..answers.predictive import LatentDraws, Predictive, Target, check_target, predictive
from ..answers.ranking import Comparison, Gap, gap_between
from ..design import Costs, Recommendation, Recommendations, alone, recommend
from ..errors import ScoreError, UsageError
from ..low_rank.facts import ModelFacts
from ..posterior.stored import StoredPosterior
from ..scores.ids import Names, nearest_ids
from .prediction import Prediction

__all__ = ["Model"]


UNUSUAL = 0.1
"""Effective share of the draws below which the scores are noted as unusual."""


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A model of a posterior: fitted, or new, with the scores and facts that are known of it.

    Made by `Posterior.condition` and `Posterior.model`; `observe` gives the next one. Everything it
    answers comes from the same calibrated draws.

    Attributes
    ----------
    posterior : StoredPosterior
    scores : mapping of benchmark id to score
        What was given, on the benchmarks' own scales; a fitted model has its training scores
        besides.
    facts : ModelFacts
    id : str
        ``"new"`` for a model without one.
    seed : int
        Of the draws.
    stderr : mapping of benchmark id to standard error
        Of given scores that have one.

    Examples
    --------
    >>> import bayesbench as bb
    >>> model = bb.open_posterior().condition({"GPQA Diamond": 70, "mmlu_pro": 75.5})
    >>> model.scores["gpqa_diamond"]
    70.0
    >>> low, high = model.predict()["ifeval"].interval(0.9)
    >>> bool(low < model.predict()["ifeval"].median < high)
    True
    """

    posterior: StoredPosterior
    scores: Mapping[str, float] = field(default_factory=dict)
    facts: ModelFacts = field(default_factory=ModelFacts)
    id: str = NEW_MODEL
    seed: int = 0
    stderr: Mapping[str, float] = field(default_factory=dict)
    _spelled: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        posterior: StoredPosterior,
        scores: Mapping[str, float],
        *,
        stderr: Mapping[str, float] | None = None,
        facts: ModelFacts | None = None,
        id: str | None = None,
        seed: int = 0,
        notes: Sequence[str] = (),
    ) -> Model:
        """A model known by scores and facts, names resolved and values checked.

        `notes` are lines that its own begin with; the rest is as in `Posterior.condition`.

        Raises
        ------
        UnknownIdError, AmbiguousIdError
            A benchmark that is not fitted, or not told from another; a provider likewise.
        ScoreError
            A score that does not fit its scale, or a benchmark that is given twice; a standard
            error that is not a number of at least 0, or of no given score.
        """
        spelled = list(notes)
        found = _by_id(posterior, "score", scores, spelled)
        errors = _by_id(posterior, "standard error", stderr or {}, spelled)
        for name in errors:
            if name not in found:
                raise ScoreError(f"standard error of {name!r}, which has no given score; give both")
        if id is not None:
            given, id = id, posterior.matrix.model_names.known(id) or id
            if id != given:
                spelled.append(f"{given!r} is taken for {id}")
        known, told = _known_provider(posterior, facts or ModelFacts())
        spelled += told
        made = cls(
            posterior,
            MappingProxyType(found),
            known,
            NEW_MODEL if id is None else id,
            seed,
            MappingProxyType(errors),
            tuple(dict.fromkeys(spelled)),
        )
        _ = made.latent  # a score that does not fit its scale is refused here, not when asked
        return made

    @property
    def fitted(self) -> bool:
        """Whether the model is one of those the posterior was fitted to."""
        return self.id in self.posterior.model_ids

    @cached_property
    def latent(self) -> LatentDraws:
        """Draws of the linear predictor given all that is known, latent scale, not calibrated."""
        return self._latent_given(self.scores)

    @cached_property
    def _mean_latent(self) -> LatentDraws:
        return self._latent_given(self.scores, "mean")

    def _latent_given(self, scores: Mapping[str, float], target: Target = "reading") -> LatentDraws:
        unnamed = self.id == NEW_MODEL
        return condition(
            self.posterior,
            scores,
            stderr={name: error for name, error in self.stderr.items() if name in scores},
            facts=self.facts,
            model_id=None if unnamed else self.id,
            # two models must not share the random numbers of what each is alone in not knowing
            seed=self.seed if unnamed else (self.seed, id_number(self.id)),
            target=target,
        )

    @cached_property
    def _raw(self) -> Predictive:
        return predictive(self.latent, self.posterior.transform)

    @cached_property
    def _calibrated(self) -> Predictive:
        return recalibrated(self.posterior, self._raw, new=not self.fitted)

    def _asked(
        self, benchmarks: Sequence[str] | None, target: Target = "reading"
    ) -> tuple[LatentDraws, Predictive, Predictive]:
        """Draws and predictions before and after recalibration, of the benchmarks asked for."""
        if benchmarks is None and target == "reading":
            return self.latent, self._raw, self._calibrated
        find = self.posterior.matrix.benchmark_names.find
        names = self.posterior.benchmark_ids if benchmarks is None else map(find, benchmarks)
        at = [self.posterior.transform.index(name) for name in names]
        if target == "mean":
            made = predictive(self._mean_latent, self.posterior.transform, at)
            return self._mean_latent.take(at), made, made
        raw = predictive(self.latent, self.posterior.transform, at)
        known = {self.id: len(self.observed)}
        calibrated = recalibrated(self.posterior, raw, new=not self.fitted, known=known)
        return self.latent.take(at), raw, calibrated

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What was resolved, left unused or doubtful in what was given, one line each."""
        features, notes = self.posterior.features, list(self._spelled)
        used = {*features.covariate_names, *features.kinds}
        for name in self.facts.given:
            if name not in used:
                notes.append(f"{name} plays no part: this posterior was fitted without it")
        provider, providers = self.facts.provider, features.providers()
        if provider is not None and "provider" in features.kinds and provider not in providers:
            near = nearest_ids(provider, providers)
            hint = f"; nearest: {', '.join(near)}" if near else ""
            notes.append(f"provider {provider!r} was not fitted, its effect is unknown{hint}")
        notes.extend(features.beyond(self.facts))
        draws = self.latent
        if draws.k_hat is not None and draws.effective_share < UNUSUAL:
            notes.append(
                f"unusual scores: only {draws.effective_share:.0%} of the draws fit them well, so "
                f"their weights are held down (to the power {draws.power:.2f})"
            )
        if self.warnings.sentence:
            notes.append(self.warnings.sentence)
        return tuple(notes)

    @cached_property
    def warnings(self) -> Contradictions:
        """Given scores that look wrong, each with the likeliest reason; see `contradictions`."""
        return contradictions(
            self.posterior,
            self.scores,
            facts=self.facts,
            model_id=None if self.id == NEW_MODEL else self.id,
            seed=self.seed,
        )

    @property
    def observed(self) -> Mapping[str, float]:
        """Every score that is known, given or from the training scores, by benchmark id."""
        values = self.latent.observed
        pairs = zip(self.posterior.benchmark_ids, values, strict=True)
        return {name: float(value) for name, value in pairs if np.isfinite(value)}

    def predict(
        self,
        benchmarks: Sequence[str] | None = None,
        *,
        raw: bool = False,
        target: Target = "reading",
    ) -> Prediction:
        """What the model would score, calibrated.

        Parameters
        ----------
        benchmarks : sequence of str, optional
            By default every benchmark of the posterior.
        raw : bool
            The model's own intervals, without the recalibration.
        target : {"reading", "mean"}
            A new reading, which has the noise of every reading; or the mean over readings, the
            level about which those of a cell scatter: linear predictor and interaction of model and
            benchmark, without reporting and item noise. It is a mean on the latent scale, so on the
            score's their median. Both draw the interaction anew where a score is known. Levels were
            learned on readings and say nothing of means: a mean is never recalibrated.

        Returns
        -------
        Prediction

        Raises
        ------
        UnknownIdError, AmbiguousIdError
            For a benchmark that is not fitted.
        UsageError
            The mean, of a posterior that cannot tell it from a reading; see `check_target`.
        """
        check_target(self.posterior, target)
        latent, before, after = self._asked(benchmarks, target)
        if raw:
            after = before
        return Prediction(
            after,
            before,
            after is not before,
            Names("model", (self.id,)),
            self.posterior.matrix.benchmark_names,
            lambda: [latent],
            self.seed,
            target,
        )

    def score_draws(
        self, kind: Kind = "score", benchmarks: Sequence[str] | None = None
    ) -> ScoreDraws:
        """Joint calibrated draws, paired with those of other models of the posterior.

        Parameters
        ----------
        kind : {"score", "known", "mu"}
        benchmarks : sequence of str, optional
            By default all; a benchmark's draws do not depend on which others are asked for.
        """
        latent, before, after = self._asked(benchmarks)
        return ScoreDraws.of(latent, before, after, kind=kind, seed=self.seed)

    def recommend(
        self,
        k: int | None = None,
        *,
        targets: Sequence[str] | None = None,
        weights: Mapping[str, float] | None = None,
        candidates: Sequence[str] | None = None,
        costs: Costs | Mapping[str, float] | None = None,
        budget: float | None = None,
        exclude: Sequence[str] = (),
        prob: float = 0.9,
    ) -> Recommendations:
        """Which benchmarks to run next, best first, each given the ones before it.

        Parameters
        ----------
        k : int, optional
            At most so many; 5 without a budget, as many as it affords with one.
        targets, weights, candidates, costs, budget, exclude, prob
            As in `design.recommend`; names may be spelled freely.

        Raises
        ------
        UnknownIdError, UsageError
            As `design.recommend`.
        """
        return recommend(
            self.latent,
            self._calibrated,
            targets=self._ids(targets),
            weights=self._numbers(weights),
            candidates=self._ids(candidates),
            costs=costs if isinstance(costs, Costs) else self._numbers(costs),
            k=k,
            budget=budget,
            exclude=self._ids(exclude) or (),
            prob=prob,
        )

    def information(
        self,
        *,
        targets: Sequence[str] | None = None,
        weights: Mapping[str, float] | None = None,
        candidates: Sequence[str] | None = None,
        costs: Costs | Mapping[str, float] | None = None,
        exclude: Sequence[str] = (),
        prob: float = 0.9,
    ) -> tuple[Recommendation, ...]:
        """What one score of each benchmark would tell on its own, the most telling first.

        Unlike those of `recommend` the gains overlap: each is what is told if nothing else is run.

        Parameters
        ----------
        targets, weights, candidates, costs, exclude, prob
            As in `design.recommend`; names may be spelled freely.

        Raises
        ------
        UnknownIdError, UsageError
            As `design.recommend`.

        Examples
        --------
        Of a model of which nothing is known:

        >>> import bayesbench as bb
        >>> found = bb.open_posterior().condition().information(targets=["MMLU-Pro"])
        >>> found[0].benchmark_id, found[0].gain_nats > found[1].gain_nats
        ('mmlu_pro', True)
        """
        return alone(
            self.latent,
            self._calibrated,
            targets=self._ids(targets),
            weights=self._numbers(weights),
            candidates=self._ids(candidates),
            costs=costs if isinstance(costs, Costs) else self._numbers(costs),
            exclude=self._ids(exclude) or (),
            prob=prob,
        )

    def _ids(self, names: Sequence[str] | None) -> list[str] | None:
        find = self.posterior.matrix.benchmark_names.find
        return None if names is None else [find(name) for name in names]

    def _numbers(self, numbers: Mapping[str, float] | None) -> dict[str, float] | None:
        find = self.posterior.matrix.benchmark_names.find
        return None if numbers is None else {find(name): one for name, one in numbers.items()}

    def decide(
        self,
        benchmark: str,
        *,
        tolerance: float,
        cost: float,
        loss_per_point: float = 0.0,
        price_wrong: float = 0.0,
        prob: float = 0.9,
    ) -> Decision:
        """Whether to run a benchmark or to trust its prediction.

        Parameters
        ----------
        benchmark : str
        tolerance, cost, loss_per_point, price_wrong, prob
            As in `answers.decide.decide`.

        Raises
        ------
        UsageError
            The benchmark has a score already, or a bad amount.
        """
        name = self.posterior.matrix.benchmark_names.find(benchmark)
        column = self.posterior.transform.index(name)
        known = self.latent.observed[column]
        if np.isfinite(known):
            raise UsageError(f"{name!r} has a score already: {known:g}; nothing to decide")
        return decide(
            name,
            self._calibrated.levels,
            self._calibrated.score_quantiles[column],
            tolerance=tolerance,
            cost=cost,
            loss_per_point=loss_per_point,
            price_wrong=price_wrong,
            prob=prob,
        )

    def compare(
        self,
        other: str | Model,
        *,
        on: Sequence[str],
        weights: Mapping[str, float] | None = None,
        kind: Kind = "score",
        scale: Literal["score", "latent"] = "score",
        prob: float = 0.9,
    ) -> Gap:
        """How far this model lies above another on a benchmark or a weighted set.

        Parameters
        ----------
        other : str or Model
            A fitted model by its id, or any model of the same posterior.
        on : sequence of str
            Benchmarks.
        weights, kind, scale
            See `ranking.Comparison`.
        prob : float
            Of the interval of the gap.

        Returns
        -------
        Gap
            Printable: gap with interval, P(better), a sentence.

        Raises
        ------
        UnknownIdError, AmbiguousIdError
            For a name.
        UsageError
            Both have the same id, or are of different posteriors; a bad weight or probability.
        """
        if isinstance(other, str):
            other = Model.fitted_one(self.posterior, other, seed=self.seed)
        other.check_is_of(self.posterior)
        if other.id == self.id:
            raise UsageError(f"both models are {self.id!r}; give each an id of its own")
        comparison = comparison_of(self.posterior, on, weights, kind, scale, self.seed)
        mine, others = (one.score_draws(kind, comparison.benchmarks) for one in (self, other))
        return gap_between(mine, others, self.posterior.transform, comparison, prob)

    @classmethod
    def fitted_one(cls, posterior: StoredPosterior, model: str, *, seed: int = 0) -> Model:
        """A fitted model, by any unique spelling of its id.

        Raises
        ------
        UnknownIdError, AmbiguousIdError
            It is not fitted, or not told from another.
        """
        model_id = posterior.matrix.model_names.find(model)
        spelled = () if model_id == model else (f"{model!r} is taken for {model_id}",)
        return cls(posterior, id=model_id, seed=seed, _spelled=spelled)

    def check_is_of(self, posterior: StoredPosterior) -> None:
        """Draws of different posteriors have nothing to do with each other.

        Raises
        ------
        UsageError
            The model is of another posterior.
        """
        # a posterior that only got a recalibration, or was opened for asking, keeps its arrays
        if posterior.draws["ability"] is not self.posterior.draws["ability"]:
            raise UsageError(f"model {self.id!r} was conditioned on another posterior")

    def explain(self, benchmark: str) -> Explanation:
        """Which given scores drive a prediction, by leaving each out in turn.

        Raises
        ------
        UsageError
            No score was given.
        """
        name = self.posterior.matrix.benchmark_names.find(benchmark)
        scores = {n: s for n, s in self.scores.items() if n != name}
        return explain(self._answer, scores, name)

    def surprises(self) -> Surprises:
        """Each given score predicted from the others: which do not fit, and the likely reason.

        Raises
        ------
        UsageError
            Fewer than two scores were given.
        """
        return surprises(self._answer, self.posterior.transform, self.scores)

    def _answer(self, scores: Mapping[str, float]) -> tuple[LatentDraws, Predictive]:
        draws = self._latent_given(scores)
        made = predictive(draws, self.posterior.transform)
        return draws, recalibrated(self.posterior, made, new=not self.fitted)

    def observe(self, benchmark: str, score: float, stderr: float | None = None) -> Model:
        """The same model with one more score; a score given before is corrected.

        Parameters
        ----------
        benchmark : str
        score : float
        stderr : float, optional
            Standard error of the score, on its scale.

        Raises
        ------
        UnknownIdError, AmbiguousIdError
            For the benchmark.
        ScoreError
            The score does not fit its scale, or its standard error is not a number of at least 0.
        """
        name = self.posterior.matrix.benchmark_names.find(benchmark)
        errors = {each: error for each, error in self.stderr.items() if each != name}
        if stderr is not None:
            errors[name] = stderr
        id = None if self.id == NEW_MODEL else self.id
        value, notes = _number(name, score), list(self._spelled)
        if name != benchmark:
            notes.append(f"{benchmark!r} is taken for {name}")
        if name in self.observed:
            notes.append(f"{name}: {self.observed[name]:g} is replaced by {value:g}")
        return Model.of(
            self.posterior,
            {**self.scores, name: value},
            stderr=errors,
            facts=self.facts,
            id=id,
            seed=self.seed,
            notes=notes,
        )

    def __repr__(self) -> str:
        whose = "fitted model" if self.fitted else "new model"
        given = ", ".join(f"{name}={score:g}" for name, score in list(self.scores.items())[:6])
        more = ", ..." if len(self.scores) > 6 else ""
        facts = ", ".join(f"{name}={value}" for name, value in self.facts.given.items())
        known = f"{len(self.observed)} scores known"
        return f"Model {self.id} ({whose}, {known}): {given}{more}" + (
            f"; {facts}" if facts else ""
        )


def _known_provider(posterior: StoredPosterior, facts: ModelFacts) -> tuple[ModelFacts, list[str]]:
    """The facts with the provider as it was fitted, where the spelling is that of one."""
    if facts.provider is None:
        return facts, []
    found = Names("provider", posterior.features.providers()).known(facts.provider)
    if found is None or found == facts.provider:
        return facts, []
    told = f"provider {facts.provider!r} is taken for {found}"
    return replace(facts, provider=found), [told]


def _number(name: str, value: object, what: str = "score") -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ScoreError(f"{what} of {name!r} is not a finite number: {value!r}") from None


def _by_id(
    posterior: StoredPosterior, what: str, values: Mapping[str, float], notes: list[str]
) -> dict[str, float]:
    """Numbers by benchmark id from numbers by spelling; a note for each spelling."""
    found: dict[str, float] = {}
    for name, value in values.items():
        benchmark_id = posterior.matrix.benchmark_names.find(name)
        if benchmark_id in found:
            raise ScoreError(f"{what} of {benchmark_id!r} is given twice; give it once")
        if benchmark_id != name:
            notes.append(f"{name!r} is taken for {benchmark_id}")
        found[benchmark_id] = _number(benchmark_id, value, what)
    return found


def comparison_of(
    posterior: StoredPosterior,
    on: Sequence[str],
    weights: Mapping[str, float] | None,
    kind: Kind,
    scale: Literal["score", "latent"],
    seed: int,
) -> Comparison:
    """A comparison with the names of its benchmarks resolved."""
    if isinstance(on, str):
        raise UsageError(f"give a list of benchmarks to compare on, not the text {on!r}")
    find = posterior.matrix.benchmark_names.find
    named = None if weights is None else {find(name): value for name, value in weights.items()}
    return Comparison(tuple(find(name) for name in on), named, kind, scale, seed)
