"""``Campaign``: a campaign for one model, as a class with state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from os import PathLike
from pathlib import Path

from ..answers.condition import NEW_MODEL
from ..design import Costs, Recommendation, Recommendations
from ..errors import DataError, PosteriorFileError, UsageError
from ..front.model import Model
from ..front.posterior import open_posterior
from ..front.prediction import Prediction
from ..posterior.stored import StoredPosterior
from ..scores.ids import Names
from .proposal import Proposal, Status, fingerprint, many
from .state_file import CampaignState, Step, StopRules, read_state, write_state

__all__ = ["Campaign", "is_bundled", "posterior_of"]


class Campaign:
    """Choose, run and learn from benchmarks one after another, for one model.

    Built by `new` or `load`. With a path, the state is on disk after every step and a campaign
    killed at any moment goes on from there: everything is computed from the observed scores alone
    (same seed), so nothing else needs keeping.

    Parameters
    ----------
    posterior : StoredPosterior
    state : CampaignState
    path : path, optional
        The file the state lives in; None keeps it in memory.

    Examples
    --------
    >>> import bayesbench as bb
    >>> model = bb.open_posterior().condition({"GPQA Diamond": 70})
    >>> campaign = bb.Campaign.new(None, model, targets=["aime_2025"], stop=bb.StopRules(budget=5))
    >>> first = campaign.propose().recommendations[0]
    >>> step = campaign.observe(first.benchmark_id, first.median)
    >>> step.inside, campaign.status().spent, len(campaign.model.observed)
    (True, 1.0, 2)
    >>> low, high = campaign.predictions()["aime_2025"].interval(0.9)
    >>> before = model.predict()["aime_2025"].interval(0.9)
    >>> high - low < before[1] - before[0]
    True
    >>> [taken_back.benchmark_id == first.benchmark_id for taken_back in campaign.undo()]
    [True]
    """

    def __init__(
        self,
        posterior: StoredPosterior,
        state: CampaignState,
        path: str | PathLike[str] | None = None,
    ) -> None:
        self.posterior = posterior
        self.state = state
        self.path = None if path is None else Path(path)
        self._model: Model | None = None
        self._spelled: tuple[str, ...] = ()

    @classmethod
    def new(
        cls,
        path: str | PathLike[str] | None,
        model: Model,
        *,
        posterior_path: str | PathLike[str] | None = None,
        targets: Sequence[str] | None = None,
        weights: Mapping[str, float] | None = None,
        candidates: Sequence[str] | None = None,
        exclude: Sequence[str] = (),
        costs: Costs | Mapping[str, float] | None = None,
        stop: StopRules | None = None,
        prob: float = 0.9,
    ) -> Campaign:
        """Start a campaign and save its first state.

        Parameters
        ----------
        path : path or None
            A file that does not exist yet; None for a campaign in memory.
        model : Model
            The model under test with what is known of it, from `Posterior.condition` or
            `Posterior.model`.
        posterior_path : path, optional
            Where its posterior was read from, to find it again in `load`; the bundled one is
            known by its draws.
        targets, weights, candidates, exclude, costs
            As in `Model.recommend`.
        stop : StopRules, optional
        prob : float
            Of the intervals.

        Raises
        ------
        UsageError
            The file exists, or as `Model.recommend`: nothing to run, an unknown id, a bad cost, a
            budget below the cheapest probe.
        DataError
            The file cannot be written.
        """
        if path is not None and Path(path).exists():
            raise UsageError(f"{path} exists: go on with that campaign, or choose another file")
        posterior, spelled = model.posterior, list[str]()
        names = posterior.matrix.benchmark_names
        own = fingerprint(posterior)
        priced = costs if isinstance(costs, Costs) or costs is None else Costs(dict(costs))

        def by_id(what: str, numbers: Mapping[str, float] | None) -> dict[str, float] | None:
            if numbers is None:
                return None
            found, told = names.by_id(numbers, what)
            spelled.extend(told)
            return found

        state = CampaignState(
            fingerprint=own,
            bundled=path is not None and posterior_path is None and is_bundled(own),
            posterior_path=None if posterior_path is None else str(Path(posterior_path).resolve()),
            model_id=None if model.id == NEW_MODEL else model.id,
            facts=model.facts,
            known=dict(model.scores),
            known_stderr=dict(model.stderr),
            targets=None if targets is None else _ids(names, targets, spelled),
            candidates=None if candidates is None else _ids(names, candidates, spelled),
            weights=by_id("weight", weights),
            exclude=_ids(names, exclude, spelled),
            costs=by_id("cost", None if priced is None else priced.values),
            cost_unit="" if priced is None else priced.unit,
            stop=stop or StopRules(),
            prob=prob,
            seed=model.seed,
        )
        campaign = cls(posterior, state, path)
        campaign._model, campaign._spelled = model, tuple(dict.fromkeys(spelled))
        campaign._recommend(1, state.candidates, state.stop.budget)
        campaign._save(state)
        return campaign

    @classmethod
    def load(cls, path: str | PathLike[str], posterior: StoredPosterior | None = None) -> Campaign:
        """Go on with a saved campaign.

        Parameters
        ----------
        path : path
        posterior : StoredPosterior, optional
            By default the one the campaign names: a file, or the bundled one.

        Raises
        ------
        UsageError
            There is no such file, or no posterior is given and none is named.
        DataError
            The file is damaged, or the posterior is not the one the campaign began with, or no
            longer where it was.
        """
        state = read_state(path)
        found = posterior_of(state, path) if posterior is None else posterior
        if fingerprint(found) != state.fingerprint:
            which = (
                "the bundled posterior" if posterior is None and state.bundled else "the posterior"
            )
            raise DataError(
                f"{which} is not the one the campaign {path} began with: give that one, or start "
                "a new campaign"
            )
        return cls(found, state, path)

    @property
    def model(self) -> Model:
        """The model given every score known now."""
        if self._model is None:
            self._model = self._given(self.state.scores, self.state.stderr)
        return self._model

    @property
    def notes(self) -> tuple[str, ...]:
        """What was resolved, replaced, left unused or doubtful, one line each."""
        return tuple(dict.fromkeys((*self._spelled, *self.model.notes, *self.state.notes)))

    def affordable(self, left: float | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Candidates still to be run, and those of them that cost no more than `left`."""
        open_ = self._open_candidates(None)
        return open_, open_ if left is None else tuple(n for n in open_ if self._price(n) <= left)

    @property
    def open_widths(self) -> tuple[float, float]:
        """Summed weight of the targets without a score, and mean width of their intervals."""
        return float(sum(self._open_targets().values())), self._mean_width()

    def best(self, candidates: Sequence[str], k: int = 1) -> Recommendations:
        """The best of some candidates still to be run, whatever the stop rules say."""
        return self._recommend(k, candidates, None)

    def predictions(self) -> Prediction:
        """Predictions of every benchmark given every score known now, calibrated."""
        return self.model.predict()

    def propose(self, k: int = 1, candidates: Sequence[str] | None = None) -> Proposal:
        """What to run next, and whether to stop; remembered in the state.

        Parameters
        ----------
        k : int
            At most so many benchmarks, chosen as a batch; with a budget as one that the rest of
            it pays for.
        candidates : sequence of str, optional
            Choose only among these (and the campaign's own candidates).

        Raises
        ------
        UsageError, UnknownIdError
            As `Model.recommend`.
        """
        proposal = self._propose(k, candidates)
        proposed = {each.benchmark_id: each.gain_nats for each in proposal.recommendations}
        if proposed != self.state.proposed:
            self._save(replace(self.state, proposed=proposed))
        return proposal

    def observe(
        self,
        benchmark: str,
        score: float,
        cost: float | None = None,
        stderr: float | None = None,
    ) -> Step:
        """Take in the score of a benchmark that was run, or correct one; saved before this returns.

        Parameters
        ----------
        benchmark : str
            Need not be the one proposed. One that has a score already - observed, given at the
            start, or a training score of a fitted model - is corrected; see `Step.note`.
        score : float
            On the benchmark's own scale.
        cost : float, optional
            What it did cost, if not what the campaign's costs say. A correction costs nothing
            unless this is given; in a campaign without costs a probe without it counts 1.
        stderr : float, optional
            Standard error of the score, on its scale.

        Returns
        -------
        Step

        Raises
        ------
        UnknownIdError, AmbiguousIdError
            For the benchmark.
        UsageError
            Its cost is unknown or no number above 0.
        ScoreError
            The score does not fit the scale. In each case the campaign is unchanged.
        """
        name = self.posterior.matrix.benchmark_names.find(benchmark)
        before, corrects = self.model, self.model.observed.get(name)
        paid = self._cost(name, cost, corrects is not None)
        after = before.observe(benchmark, score, stderr)
        if name in before.scores:
            others = {n: s for n, s in before.scores.items() if n != name}
            before = self._given(others, before.stderr)
        expected = before.predict([name])[name]
        lower, upper = expected.interval(self.state.prob)
        step = Step(
            benchmark_id=name,
            score=after.scores[name],
            cost=paid,
            gain_nats=self.state.proposed.get(name),
            median=expected.median,
            lower=lower,
            upper=upper,
            corrects=corrects,
            stderr=after.stderr.get(name),
        )
        self._save(replace(self.state, steps=(*self.state.steps, step), proposed={}))
        self._model = after
        return step

    def undo(self, steps: int = 1) -> tuple[Step, ...]:
        """Take back the last observations and corrections; saved before this returns.

        Parameters
        ----------
        steps : int
            How many of the last steps.

        Returns
        -------
        tuple of Step
            Those taken back, oldest first; a score that one of them corrected stands again.

        Raises
        ------
        UsageError
            Fewer have been made, or `steps` is below 1.
        """
        made = self.state.steps
        if steps < 1:
            raise UsageError(f"steps to take back must be 1 or more, got {steps}")
        if steps > len(made):
            raise UsageError(f"steps to take back: {steps}, but only {len(made)} have been made")
        self._save(replace(self.state, steps=made[:-steps], proposed={}))
        self._model = None
        return made[-steps:]

    def replay(
        self,
        scores: Mapping[str, float],
        max_steps: int | None = None,
        stderr: Mapping[str, float] | None = None,
    ) -> tuple[Step, ...]:
        """Let the campaign run itself on scores that are known but held out.

        Proposes only among `scores` and observes what they say, until a stop rule applies,
        `max_steps` are done or they are used up.

        Parameters
        ----------
        scores : mapping of benchmark to score
        max_steps : int, optional
        stderr : mapping of benchmark to standard error, optional

        Returns
        -------
        tuple of Step
            The steps of this replay.

        Raises
        ------
        UsageError
            As `observe`.
        """
        names = self.posterior.matrix.benchmark_names
        held_out, _ = names.by_id(scores, "score")
        errors, _ = names.by_id(stderr or {}, "standard error")
        taken: list[Step] = []
        while max_steps is None or len(taken) < max_steps:
            left = [name for name in held_out if name not in self.model.observed]
            if not left:
                break
            proposal = self.propose(1, left)
            if proposal.stop is not None or not proposal.recommendations:
                break
            chosen = proposal.recommendations[0].benchmark_id
            taken.append(self.observe(chosen, held_out[chosen], None, errors.get(chosen)))
        return tuple(taken)

    def status(self) -> Status:
        """Where the campaign stands; changes nothing."""
        state = self.state
        standing = {step.benchmark_id: step for step in state.steps}
        return Status(
            n_known=len(state.known),
            n_steps=len(state.steps),
            n_corrections=len(state.steps) - len(state.probes),
            spent=state.spent,
            unit=state.unit,
            budget_left=self._budget_left(),
            mean_width=self._mean_width(),
            n_targets_left=len(self._open_targets()),
            within=sum(standing[probe.benchmark_id].inside for probe in state.probes),
            stop=self._propose(1, None).stop,
        )

    def __repr__(self) -> str:
        state = self.state
        where = "in memory" if self.path is None else str(self.path)
        known, probes = len(state.known), len(state.probes)
        return (
            f"Campaign ({where}) of model {state.model_id or NEW_MODEL}: "
            f"{many(known, 'score')} known at the start, {many(probes, 'probe')} observed, "
            + f"spent {state.spent:g} {state.unit}".strip()
        )

    def _save(self, state: CampaignState) -> None:
        """Replace the state, on disk first; refuse if another process has moved it on."""
        state = replace(state, revision=self.state.revision + 1)
        if self.path is not None:
            if self.state.revision and read_state(self.path).revision != self.state.revision:
                raise UsageError(f"{self.path} was changed by another process: load it again")
            write_state(self.path, state)
        self.state = state

    def _given(self, scores: Mapping[str, float], stderr: Mapping[str, float]) -> Model:
        state = self.state
        return Model.of(
            self.posterior,
            scores,
            stderr={name: error for name, error in stderr.items() if name in scores},
            facts=state.facts,
            id=state.model_id,
            seed=state.seed,
        )

    def _cost(self, benchmark_id: str, cost: float | None, correction: bool) -> float | None:
        if cost is not None:
            return Costs({benchmark_id: float(cost)}).values[benchmark_id]
        if self.state.costs is None or correction:
            return None
        if benchmark_id not in self.state.costs:
            raise UsageError(f"no cost known for {benchmark_id!r}: say what it did cost")
        return self.state.costs[benchmark_id]

    def _recommend(
        self, k: int, candidates: Sequence[str] | None, budget: float | None
    ) -> Recommendations:
        state = self.state
        return self.model.recommend(
            k,
            targets=state.targets,
            weights=state.weights,
            candidates=candidates,
            costs=None if state.costs is None else Costs(state.costs, state.cost_unit),
            budget=budget,
            exclude=state.exclude,
            prob=state.prob,
        )

    def _propose(self, k: int, candidates: Sequence[str] | None) -> Proposal:
        nothing = Recommendations(())
        if not self._open_targets():
            return Proposal(nothing, "every target has been run")
        open_ = self._open_candidates(candidates)
        if not open_:
            return Proposal(nothing, "no candidate benchmark is left to run")
        left = self._budget_left()
        affordable = open_ if left is None else tuple(n for n in open_ if self._price(n) <= left)
        if not affordable:
            reason = f"the rest of the budget, {left:g}, pays for no candidate"
            return Proposal(nothing, reason)
        best = self._recommend(1, affordable, None)
        stop = self._stop(best[0])
        if k == 1:
            return Proposal(best, stop)
        # one at a time the budget only bars; a batch is fitted into it as a whole
        batch = self._recommend(k, affordable, left)
        return Proposal(batch, stop if batch else batch.note)

    def _open_candidates(self, candidates: Sequence[str] | None) -> tuple[str, ...]:
        state, names = self.state, self.posterior.benchmark_ids
        if candidates is not None:
            names = _ids(self.posterior.matrix.benchmark_names, candidates)
        allowed = set(names if state.candidates is None else state.candidates)
        if state.costs is not None:
            allowed &= set(state.costs)
        allowed -= {*state.exclude, *self.model.observed}
        return tuple(name for name in names if name in allowed)

    def _price(self, benchmark_id: str) -> float:
        return 1.0 if self.state.costs is None else self.state.costs[benchmark_id]

    def _budget_left(self) -> float | None:
        budget = self.state.stop.budget
        return None if budget is None else max(budget - self.state.spent, 0.0)

    def _open_targets(self) -> dict[str, float]:
        """Weights of the targets without a score, those above 0."""
        state, weights = self.state, self.state.weights
        names = state.targets or tuple(weights or self.posterior.benchmark_ids)
        about = (
            dict.fromkeys(names, 1.0) if weights is None else {n: weights.get(n, 0) for n in names}
        )
        return {n: w for n, w in about.items() if w > 0 and n not in self.model.observed}

    def _mean_width(self) -> float:
        about = self._open_targets()
        if not about:
            return 0.0
        lower, upper = self.model.predict(list(about)).interval(self.state.prob)
        widths = zip(about.values(), upper - lower, strict=True)
        return float(sum(weight * width for weight, width in widths) / sum(about.values()))

    def _stop(self, best: Recommendation) -> str | None:
        rules, unit = self.state.stop, self.state.cost_unit or "unit of cost"
        if rules.max_probes is not None and len(self.state.probes) >= rules.max_probes:
            return f"{rules.max_probes} probes have been run"
        if rules.target_width is not None and self._mean_width() <= rules.target_width:
            return f"the mean target interval is {self._mean_width():.3g} points wide"
        gain = best.gain_nats if best.gain_per_cost is None else best.gain_per_cost
        if rules.min_gain is not None and gain < rules.min_gain:
            per = "" if best.gain_per_cost is None else f" per {unit}"
            return f"the best candidate gains only {gain:.3g} nats{per}"
        return None


def _ids(names: Names, spelled: Iterable[str], notes: list[str] | None = None) -> tuple[str, ...]:
    """Ids that spellings stand for; a note for each that is not the id itself."""
    found = []
    for name in spelled:
        found.append(names.find(name))
        if notes is not None and found[-1] != name:
            notes.append(f"{name!r} is taken for {found[-1]}")
    return tuple(found)


def posterior_of(state: CampaignState, path: str | PathLike[str]) -> StoredPosterior:
    """The posterior that a campaign names."""
    if state.bundled:
        return open_posterior()
    if state.posterior_path is None:
        raise UsageError(f"{path} names no posterior file: give the posterior")
    if not Path(state.posterior_path).exists():
        raise DataError(
            f"the posterior of the campaign {path} is no longer at {state.posterior_path}: put it "
            "back, or give it from where it is now (--posterior FILE; in Python as posterior)"
        )
    return open_posterior(state.posterior_path)


def is_bundled(own: str) -> bool:
    """Whether a fingerprint is that of the posterior that ships with the package."""
    return own == _bundled_fingerprint()


@cache
def _bundled_fingerprint() -> str | None:
    try:
        return fingerprint(open_posterior())
    except PosteriorFileError:  # a checkout without it
        return None
