"""``Campaign``: the one stateful class of the package."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from ..answers.condition import condition
from ..answers.prediction import LatentDraws, Predictive, predictive
from ..design import Costs, Recommendation, Recommendations, Targets, recommend, target
from ..errors import DataError, UsageError
from ..low_rank.facts import ModelFacts as LatentFacts
from ..posterior.stored import StoredPosterior
from .results import Proposal, Status, fingerprint
from .state import CampaignState, ModelFacts, Step, StopRules, read_state, write_state

__all__ = ["Campaign"]

Recalibrate = Callable[[Predictive], Predictive]


class Campaign:
    """Choose, run and learn from benchmarks one after another, for one model.

    Built by :meth:`new` or :meth:`load`. With a path, the state is on disk after every step and
    a campaign killed at any moment goes on from there: proposals are computed from the observed
    scores alone (same seed), so nothing else needs keeping.

    Parameters
    ----------
    posterior : StoredPosterior
    state : CampaignState
    path : path, optional
        The file the state lives in; None keeps it in memory.
    recalibrate : callable, optional
        Maps raw predictions to honest ones.
    """

    def __init__(
        self,
        posterior: StoredPosterior,
        state: CampaignState,
        path: str | Path | None = None,
        recalibrate: Recalibrate | None = None,
    ) -> None:
        self.posterior = posterior
        self.state = state
        self.path = None if path is None else Path(path)
        self._recalibrate = recalibrate
        self._now: tuple[LatentDraws, Predictive] | None = None

    @classmethod
    def new(
        cls,
        path: str | Path | None,
        posterior: StoredPosterior,
        *,
        posterior_path: str | None = None,
        model: ModelFacts | None = None,
        scores: Mapping[str, float] | None = None,
        targets: Sequence[str] | None = None,
        weights: Mapping[str, float] | None = None,
        candidates: Sequence[str] | None = None,
        exclude: Sequence[str] = (),
        costs: Costs | None = None,
        stop: StopRules | None = None,
        prob: float = 0.9,
        seed: int = 0,
        recalibrate: Recalibrate | None = None,
    ) -> Campaign:
        """Start a campaign and save its first state.

        Parameters
        ----------
        path : path or None
            A file that does not exist yet; None for a campaign in memory.
        posterior : StoredPosterior
        posterior_path : str, optional
            Where it was read from, to find it again in :meth:`load`.
        model : ModelFacts, optional
        scores : mapping of benchmark id to score, optional
            What is known already.
        targets, weights, candidates, exclude, costs
            As in :func:`bayesbench.design.recommend`.
        stop : StopRules, optional
        prob, seed
            Of the intervals; of the conditioning.
        recalibrate : callable, optional

        Raises
        ------
        UsageError
            If the file exists, or as :func:`bayesbench.design.recommend`: nothing to run, an
            unknown id, a bad cost, a budget below the cheapest probe.
        ScoreError
            If a known score does not fit its scale.
        """
        if path is not None and Path(path).exists():
            raise UsageError(f"{path} exists: go on with that campaign, or choose another file")
        state = CampaignState(
            posterior_path=posterior_path,
            fingerprint=fingerprint(posterior),
            model=model or ModelFacts(),
            known={name: float(value) for name, value in (scores or {}).items()},
            targets=None if targets is None else tuple(targets),
            candidates=None if candidates is None else tuple(candidates),
            weights=None if weights is None else dict(weights),
            exclude=tuple(exclude),
            costs=None if costs is None else dict(costs.values),
            cost_unit="" if costs is None else costs.unit,
            stop=stop or StopRules(),
            prob=prob,
            seed=seed,
        )
        campaign = cls(posterior, state, path, recalibrate)
        campaign._recommend(1, state.candidates, state.stop.budget)
        campaign._save(state)
        return campaign

    @classmethod
    def load(
        cls,
        path: str | Path,
        posterior: StoredPosterior | None = None,
        recalibrate: Recalibrate | None = None,
    ) -> Campaign:
        """Go on with a saved campaign.

        Parameters
        ----------
        path : path
        posterior : StoredPosterior, optional
            By default read from where the campaign says.
        recalibrate : callable, optional

        Raises
        ------
        UsageError
            If there is no such file, or no posterior is given and none is named.
        DataError
            If the file is damaged, or the posterior is not the one the campaign began with.
        """
        state = read_state(path)
        if posterior is None:
            if state.posterior_path is None:
                raise UsageError(f"{path} names no posterior file: give the posterior")
            posterior = StoredPosterior.load(state.posterior_path)
        if fingerprint(posterior) != state.fingerprint:
            raise DataError(
                f"the posterior is not the one the campaign {path} began with: give that one, or "
                "start a new campaign"
            )
        return cls(posterior, state, path, recalibrate)

    def draws(self) -> LatentDraws:
        """Draws of the model given every score known now."""
        return self._current()[0]

    def predictions(self) -> Predictive:
        """Predictions of every benchmark given every score known now."""
        return self._current()[1]

    def propose(self, k: int = 1, candidates: Sequence[str] | None = None) -> Proposal:
        """What to run next, and whether to stop; remembered in the state.

        Parameters
        ----------
        k : int
            How many benchmarks, chosen as a batch.
        candidates : sequence of str, optional
            Choose only among these (and the campaign's own candidates).

        Raises
        ------
        UsageError, UnknownIdError
            As :func:`bayesbench.design.recommend`.
        """
        proposal = self._propose(k, candidates)
        proposed = {each.benchmark_id: each.gain_nats for each in proposal.recommendations}
        if proposed != dict(self.state.proposed):
            self._save(replace(self.state, proposed=proposed))
        return proposal

    def observe(self, benchmark_id: str, score: float, cost: float | None = None) -> Step:
        """Take in the score of a benchmark that was run; saved before this returns.

        Parameters
        ----------
        benchmark_id : str
            Need not be the one proposed.
        score : float
            On the benchmark's own scale.
        cost : float, optional
            What it did cost, if not what the campaign's costs say.

        Raises
        ------
        UnknownIdError
            For an unknown benchmark.
        UsageError
            If the benchmark has a score already, or its cost is unknown.
        ScoreError
            If the score does not fit the scale. The campaign is then unchanged.
        """
        column = self.posterior.transform.index(benchmark_id)
        draws, predicted = self._current()
        if np.isfinite(draws.observed[column]):
            raise UsageError(
                f"{benchmark_id!r} has a score already: {draws.observed[column]:g}; a campaign "
                "takes one reading of each benchmark"
            )
        lower, upper = predicted.interval(self.state.prob)
        step = Step(
            benchmark_id=benchmark_id,
            score=float(score),
            cost=self._cost(benchmark_id, cost),
            gain_nats=self.state.proposed.get(benchmark_id),
            median=float(predicted.median[column]),
            lower=float(lower[column]),
            upper=float(upper[column]),
        )
        state = replace(self.state, steps=(*self.state.steps, step), proposed={})
        after = self._conditioned(state)
        self._save(state)
        self._now = after
        return step

    def replay(self, scores: Mapping[str, float], max_steps: int | None = None) -> tuple[Step, ...]:
        """Let the campaign run itself on scores that are known but held out.

        Proposes only among ``scores`` and observes what they say, until a stop rule applies,
        ``max_steps`` are done or they are used up.

        Parameters
        ----------
        scores : mapping of benchmark id to score
        max_steps : int, optional

        Returns
        -------
        tuple of Step
            The steps of this replay.
        """
        taken: list[Step] = []
        while max_steps is None or len(taken) < max_steps:
            observed = self.draws().observed
            left = [n for n in scores if not np.isfinite(observed[self._column(n)])]
            if not left:
                break
            proposal = self.propose(1, left)
            if proposal.stop is not None or not proposal.recommendations:
                break
            chosen = proposal.recommendations[0].benchmark_id
            taken.append(self.observe(chosen, scores[chosen]))
        return tuple(taken)

    def status(self) -> Status:
        """Where the campaign stands; changes nothing."""
        state = self.state
        return Status(
            n_known=len(state.known),
            n_steps=len(state.steps),
            spent=state.spent,
            budget_left=self._budget_left(),
            mean_width=self._mean_width(),
            n_targets_left=int(np.count_nonzero(self._open_targets().weights)),
            within=sum(step.lower <= step.score <= step.upper for step in state.steps),
            stop=self._propose(1, None).stop,
        )

    def _save(self, state: CampaignState) -> None:
        """Replace the state, on disk first; refuse if another process has moved it on."""
        state = replace(state, revision=self.state.revision + 1)
        if self.path is not None:
            if self.state.revision and read_state(self.path).revision != self.state.revision:
                raise UsageError(f"{self.path} was changed by another process: load it again")
            write_state(self.path, state)
        self.state = state

    def _column(self, benchmark_id: str) -> int:
        return self.posterior.transform.index(benchmark_id)

    def _current(self) -> tuple[LatentDraws, Predictive]:
        if self._now is None:
            self._now = self._conditioned(self.state)
        return self._now

    def _conditioned(self, state: CampaignState) -> tuple[LatentDraws, Predictive]:
        known = asdict(state.model)
        model_id = known.pop("model_id")
        facts = LatentFacts(**known)
        draws = condition(
            self.posterior, state.scores, seed=state.seed, model_id=model_id, facts=facts
        )
        raw = predictive(draws, self.posterior.transform)
        return draws, raw if self._recalibrate is None else self._recalibrate(raw)

    def _cost(self, benchmark_id: str, cost: float | None) -> float | None:
        if cost is not None:
            return Costs({benchmark_id: float(cost)}).values[benchmark_id]
        if self.state.costs is None:
            return None
        if benchmark_id not in self.state.costs:
            raise UsageError(f"no cost known for {benchmark_id!r}: say what it did cost")
        return self.state.costs[benchmark_id]

    def _recommend(
        self, k: int, candidates: Sequence[str] | None, budget: float | None
    ) -> Recommendations:
        state = self.state
        draws, predictions = self._current()
        return recommend(
            draws,
            predictions,
            targets=state.targets,
            weights=state.weights,
            candidates=candidates,
            costs=None if state.costs is None else Costs(state.costs),
            k=k,
            budget=budget,
            exclude=state.exclude,
            prob=state.prob,
        )

    def _propose(self, k: int, candidates: Sequence[str] | None) -> Proposal:
        if not self._open_targets().weights.any():
            return Proposal((), "every target has been run")
        open_ = self._open_candidates(candidates)
        if not open_:
            return Proposal((), "no candidate benchmark is left to run")
        left = self._budget_left()
        affordable = open_ if left is None else tuple(n for n in open_ if self._price(n) <= left)
        if not affordable:
            reason = f"the rest of the budget, {left:g}, pays for no candidate"
            return Proposal((), reason)
        # one at a time the budget only bars; a batch is fitted into it as a whole
        found = self._recommend(k, affordable, left if k > 1 else None)
        if not found:
            return Proposal((), found.note)
        return Proposal(tuple(found), self._stop(found[0]))

    def _open_candidates(self, candidates: Sequence[str] | None) -> tuple[str, ...]:
        state = self.state
        names = self.posterior.benchmark_ids if candidates is None else tuple(candidates)
        observed = self.draws().observed
        allowed = set(names if state.candidates is None else state.candidates)
        if state.costs is not None:
            allowed &= set(state.costs)
        allowed -= set(state.exclude)
        return tuple(
            n for n in names if not np.isfinite(observed[self._column(n)]) and n in allowed
        )

    def _price(self, benchmark_id: str) -> float:
        return 1.0 if self.state.costs is None else self.state.costs[benchmark_id]

    def _budget_left(self) -> float | None:
        budget = self.state.stop.budget
        return None if budget is None else max(budget - self.state.spent, 0.0)

    def _open_targets(self) -> Targets:
        state = self.state
        ids = self.posterior.benchmark_ids
        about = target(ids, state.targets or tuple(state.weights or ids), state.weights)
        left = ~np.isfinite(self.draws().observed)[about.indices]
        return Targets(about.indices[left], about.weights[left], about.own)

    def _mean_width(self) -> float:
        about = self._open_targets()
        if not about.weights.any():
            return 0.0
        lower, upper = self.predictions().interval(self.state.prob)
        width = (upper - lower)[about.indices]
        return float(width @ about.weights / about.weights.sum())

    def _stop(self, best: Recommendation) -> str | None:
        rules, unit = self.state.stop, self.state.cost_unit or "unit of cost"
        if rules.max_probes is not None and len(self.state.steps) >= rules.max_probes:
            return f"{rules.max_probes} probes have been run"
        if rules.target_width is not None and self._mean_width() <= rules.target_width:
            return f"the mean target interval is {self._mean_width():.3g} points wide"
        gain = best.gain_nats if best.gain_per_cost is None else best.gain_per_cost
        if rules.min_gain is not None and gain < rules.min_gain:
            per = "" if best.gain_per_cost is None else f" per {unit}"
            return f"the best candidate gains only {gain:.3g} nats{per}"
        return None
