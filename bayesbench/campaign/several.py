"""``JointCampaign``: several models under one budget, which model and benchmark to run next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

from ..design import Costs, Recommendation
from ..errors import DataError, UsageError
from ..front.model import Model
from ..posterior.stored import StoredPosterior
from ..scores.ids import Names
from .campaign import Campaign, is_bundled, posterior_of
from .proposal import Status, fingerprint, many, verdict
from .several_file import JointState, read_joint, write_joint
from .state_file import Step, StopRules

__all__ = ["JointCampaign", "JointProposal", "JointStatus", "NextRun", "Taken"]


@dataclass(frozen=True)
class NextRun:
    """One run worth doing: a benchmark on a model.

    Attributes
    ----------
    model_id : str
    recommendation : Recommendation
    """

    model_id: str
    recommendation: Recommendation

    @property
    def worth(self) -> float:
        """Information per cost, or the information where no costs are kept."""
        one = self.recommendation
        return one.gain_nats if one.gain_per_cost is None else one.gain_per_cost


@dataclass(frozen=True)
class JointProposal:
    """What to run next, and whether to go on.

    Attributes
    ----------
    runs : tuple of NextRun
        Best first; also given when a stop rule applies, if anything is left to run.
    stop : str or None
        Why to stop, in words; None = go on.
    """

    runs: tuple[NextRun, ...]
    stop: str | None

    @property
    def sentence(self) -> str:
        """Whether to go on, in words."""
        return verdict(self.stop)


@dataclass(frozen=True)
class Taken:
    """A step with the model it was made for.

    Attributes
    ----------
    model_id : str
    step : Step
    """

    model_id: str
    step: Step


@dataclass(frozen=True)
class JointStatus:
    """Where a campaign over several models stands.

    Attributes
    ----------
    models : mapping of model id to Status
        Each as a campaign of its own without stop rules.
    n_probes : int
    spent : float
    unit : str
    budget_left : float or None
    mean_width : float
        Mean interval width over the targets of all models still unknown, score points.
    stop : str or None
    """

    models: Mapping[str, Status]
    n_probes: int
    spent: float
    unit: str
    budget_left: float | None
    mean_width: float
    stop: str | None

    @property
    def sentence(self) -> str:
        """All of it in words."""
        left = "" if self.budget_left is None else f", {self.budget_left:g} left"
        return (
            f"{many(len(self.models), 'model')}, {many(self.n_probes, 'probe')} observed; "
            + f"spent {self.spent:g} {self.unit}".strip()
            + f"{left}; mean interval {self.mean_width:.3g} points. {verdict(self.stop)}"
        )


class JointCampaign:
    """Choose, run and learn over several models that share one budget.

    The next run is the pair of model and benchmark with the largest expected information about the
    targets of that model (EPIG), per cost where there are costs. What a score of one model tells
    about another one is left out, as in all conditioning, so the best pair is the best of what
    each model's own `Campaign` would propose. Rules about the file are those of `Campaign`.

    Parameters
    ----------
    posterior : StoredPosterior
    state : JointState
    path : path, optional
        The file the state lives in; None keeps it in memory.

    Examples
    --------
    >>> import bayesbench as bb
    >>> posterior = bb.open_posterior()
    >>> models = [
    ...     posterior.condition({"GPQA Diamond": 70}, id="mine-a"),
    ...     posterior.condition({"GPQA Diamond": 70, "HLE": 12}, id="mine-b"),
    ... ]
    >>> stop = bb.StopRules(budget=3)
    >>> campaign = bb.JointCampaign.new(None, models, targets=["aime_2025"], stop=stop)
    >>> run = campaign.propose().runs[0]
    >>> taken = campaign.observe(run.model_id, run.recommendation.benchmark_id, 60)
    >>> campaign.status().budget_left, taken.model_id == run.model_id
    (2.0, True)
    """

    def __init__(
        self,
        posterior: StoredPosterior,
        state: JointState,
        path: str | PathLike[str] | None = None,
    ) -> None:
        self.posterior = posterior
        self.state = state
        self.path = None if path is None else Path(path)
        self._members = {name: Campaign(posterior, one) for name, one in state.by_id.items()}

    @classmethod
    def new(
        cls,
        path: str | PathLike[str] | None,
        models: Sequence[Model],
        *,
        posterior_path: str | PathLike[str] | None = None,
        targets: Sequence[str] | None = None,
        weights: Mapping[str, float] | None = None,
        candidates: Sequence[str] | None = None,
        exclude: Sequence[str] = (),
        costs: Costs | Mapping[str, float] | None = None,
        stop: StopRules | None = None,
        prob: float = 0.9,
    ) -> JointCampaign:
        """Start a campaign and save its first state.

        Parameters
        ----------
        path : path or None
            A file that does not exist yet; None for a campaign in memory.
        models : sequence of Model
            Of one posterior, each with an id of its own.
        posterior_path, targets, weights, candidates, exclude, costs, prob
            As in `Campaign.new`, the same for every model.
        stop : StopRules, optional
            Of all models together: the budget and the probes of all, the mean width over the
            targets of all, the gain of the best run.

        Raises
        ------
        UsageError
            No model, one twice, or as `Campaign.new`.
        DataError
            The file cannot be written.
        """
        if path is not None and Path(path).exists():
            raise UsageError(f"{path} exists: go on with that campaign, or choose another file")
        if not models:
            raise UsageError("a campaign needs at least one model")
        posterior = models[0].posterior
        for one in models:
            one.check_is_of(posterior)
        members = {}
        for model in models:
            if model.id in members:
                raise UsageError(f"model {model.id!r} is named twice; give each an id of its own")
            members[model.id] = Campaign.new(
                None, model, posterior_path=posterior_path, targets=targets, weights=weights,
                candidates=candidates, exclude=exclude, costs=costs, prob=prob,
            )  # fmt: skip
        bundled = path is not None and posterior_path is None and is_bundled(fingerprint(posterior))
        state = JointState(
            tuple(replace(one.state, bundled=bundled) for one in members.values()),
            stop or StopRules(),
        )
        campaign = cls(posterior, state, path)
        for name, member in members.items():
            member.state = state.by_id[name]
        campaign._members = members
        if not campaign._propose(1).runs:
            raise UsageError(f"{campaign._propose(1).stop}; nothing to run")
        campaign._save(state)
        return campaign

    @classmethod
    def load(
        cls, path: str | PathLike[str], posterior: StoredPosterior | None = None
    ) -> JointCampaign:
        """Go on with a saved campaign.

        Raises
        ------
        UsageError, DataError
            As `Campaign.load`.
        """
        state = read_joint(path)
        found = posterior_of(state.members[0], path) if posterior is None else posterior
        if fingerprint(found) != state.members[0].fingerprint:
            raise DataError(
                f"the posterior is not the one the campaign {path} began with: give that one, or "
                "start a new campaign"
            )
        return cls(found, state, path)

    @property
    def models(self) -> Mapping[str, Model]:
        """Every model given all scores known of it now, by id."""
        return {name: one.model for name, one in self._members.items()}

    @property
    def steps(self) -> tuple[Taken, ...]:
        """The steps of all models in the order they were made."""
        own = {name: iter(one.steps) for name, one in self.state.by_id.items()}
        return tuple(Taken(name, next(own[name])) for name in self.state.order)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was resolved, replaced or doubtful, one line each."""
        own = [f"{name}: {line}" for name, one in self._members.items() for line in one.model.notes]
        return (*dict.fromkeys(own), *self.state.notes)

    def propose(self, k: int = 1) -> JointProposal:
        """What to run next, and whether to stop; remembered in the state.

        Parameters
        ----------
        k : int
            At most so many runs, each given the ones before it. Within a budget the runs together
            cost no more than its rest: a model whose next run no longer fits gets no further one.

        Raises
        ------
        UsageError
            `k` is below 1.
        """
        if k < 1:
            raise UsageError(f"k must be 1 or more, got {k}")
        proposal = self._propose(k)
        now = []
        for name, member in self.state.by_id.items():
            own = [run.recommendation for run in proposal.runs if run.model_id == name]
            now.append(replace(member, proposed={one.benchmark_id: one.gain_nats for one in own}))
        if tuple(now) != self.state.members:
            self._save(replace(self.state, members=tuple(now)))
        return proposal

    def observe(
        self,
        model: str,
        benchmark: str,
        score: float,
        cost: float | None = None,
        stderr: float | None = None,
    ) -> Taken:
        """Take in the score of a run, or correct one; saved before this returns.

        Parameters
        ----------
        model : str
            Id of one of the models.
        benchmark, score, cost, stderr
            As in `Campaign.observe`.

        Raises
        ------
        UnknownIdError, AmbiguousIdError
            For the model or the benchmark.
        UsageError, ScoreError
            As `Campaign.observe`. In each case the campaign is unchanged.
        """
        name = Names("model", self.state.model_ids).find(model)
        after = self._copy(name)
        step = after.observe(benchmark, score, cost, stderr)
        self._replace({name: after}, (*self.state.order, name))
        return Taken(name, step)

    def undo(self, steps: int = 1) -> tuple[Taken, ...]:
        """Take back the last observations of whatever models; saved before this returns.

        Returns
        -------
        tuple of Taken
            Those taken back, oldest first.

        Raises
        ------
        UsageError
            Fewer have been made, or `steps` is below 1.
        """
        order = self.state.order
        if steps < 1:
            raise UsageError(f"steps to take back must be 1 or more, got {steps}")
        if steps > len(order):
            raise UsageError(f"steps to take back: {steps}, but only {len(order)} have been made")
        last = order[-steps:]
        changed = {name: self._copy(name) for name in dict.fromkeys(last)}
        taken = {name: iter(one.undo(last.count(name))) for name, one in changed.items()}
        self._replace(changed, order[:-steps])
        return tuple(Taken(name, next(taken[name])) for name in last)

    def status(self) -> JointStatus:
        """Where the campaign stands; changes nothing."""
        return JointStatus(
            models={name: one.status() for name, one in self._members.items()},
            n_probes=len(self.state.probes),
            spent=self.state.spent,
            unit=self.state.members[0].unit,
            budget_left=self._budget_left(),
            mean_width=self._mean_width(),
            stop=self._propose(1).stop,
        )

    def __repr__(self) -> str:
        where = "in memory" if self.path is None else str(self.path)
        return (
            f"JointCampaign ({where}) of {many(len(self._members), 'model')}: "
            f"{many(len(self.state.probes), 'probe')} observed, "
            + f"spent {self.state.spent:g} {self.state.members[0].unit}".strip()
        )

    def _copy(self, name: str) -> Campaign:
        """One model's campaign, to be moved on before the file says so."""
        own = self._members[name]
        made = Campaign(self.posterior, self.state.by_id[name])
        made._model = own._model
        return made

    def _replace(self, changed: Mapping[str, Campaign], order: tuple[str, ...]) -> None:
        now = {**self.state.by_id, **{name: one.state for name, one in changed.items()}}
        self._save(replace(self.state, members=tuple(now.values()), order=order), changed)

    def _save(self, state: JointState, changed: Mapping[str, Campaign] | None = None) -> None:
        """Replace the state, on disk first; refuse if another process has moved it on."""
        state = replace(state, revision=self.state.revision + 1)
        if self.path is not None:
            if self.state.revision and read_joint(self.path).revision != self.state.revision:
                raise UsageError(f"{self.path} was changed by another process: load it again")
            write_joint(self.path, state)
        self.state = state
        self._members.update(changed or {})
        for name, member in state.by_id.items():
            self._members[name].state = member

    def _propose(self, k: int) -> JointProposal:
        left = self._budget_left()
        wanted = {
            name: one.affordable(left)
            for name, one in self._members.items()
            if one.open_widths[0] > 0
        }
        if not wanted:
            return JointProposal((), "every target has been run")
        if not any(open_ for open_, _ in wanted.values()):
            return JointProposal((), "no candidate benchmark is left to run")
        able = {name: names for name, (_, names) in wanted.items() if names}
        if not able:
            return JointProposal((), f"the rest of the budget, {left:g}, pays for no candidate")
        queues = {name: list(self._members[name].best(own, k)) for name, own in able.items()}
        runs = self._merged(queues, k, left)
        return JointProposal(runs, self._stop(runs[0]))

    def _merged(
        self, queues: Mapping[str, list[Recommendation]], k: int, left: float | None
    ) -> tuple[NextRun, ...]:
        """The k best of several orders, each of which is kept; within what is left to spend."""
        waiting = {name: queue for name, queue in queues.items() if queue}
        runs: list[NextRun] = []
        while waiting and len(runs) < k:
            heads = [NextRun(name, queue[0]) for name, queue in waiting.items()]
            best = max(heads, key=lambda run: run.worth)
            queue = waiting[best.model_id]
            cost = 1.0 if best.recommendation.cost is None else best.recommendation.cost
            if left is not None and cost > left:
                del waiting[best.model_id]
                continue
            left = None if left is None else left - cost
            runs.append(best)
            del queue[0]
            if not queue:
                del waiting[best.model_id]
        return tuple(runs)

    def _budget_left(self) -> float | None:
        budget = self.state.stop.budget
        return None if budget is None else max(budget - self.state.spent, 0.0)

    def _mean_width(self) -> float:
        """Over the open targets of all models, by their weights."""
        found = [one.open_widths for one in self._members.values()]
        total = sum(weight for weight, _ in found)
        return sum(weight * width for weight, width in found) / total if total else 0.0

    def _stop(self, best: NextRun) -> str | None:
        rules, first = self.state.stop, self.state.members[0]
        if rules.max_probes is not None and len(self.state.probes) >= rules.max_probes:
            return f"{rules.max_probes} probes have been run"
        if rules.target_width is not None and self._mean_width() <= rules.target_width:
            return f"the mean target interval is {self._mean_width():.3g} points wide"
        if rules.min_gain is not None and best.worth < rules.min_gain:
            unit = first.cost_unit or "unit of cost"
            per = "" if best.recommendation.gain_per_cost is None else f" per {unit}"
            return f"the best candidate gains only {best.worth:.3g} nats{per}"
        return None
