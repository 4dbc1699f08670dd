"""Which given scores look wrong: each set against what everything else that is known says.

A score of a new model is predicted from the other given scores and the facts; one that is added to
a fitted model, from the scores that model was fitted to. A score that lies far outside is reported
with the likeliest reason (`suspicion`). Scores of 0 to 1 on percentages are judged together: where
they are all shares, they fit each other well. The worst is taken out before the rest is judged
again, so that one wrong score does not accuse the others. Every prediction uses some of the draws
and few sweeps: this is a check, not an answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from ..low_rank.facts import ModelFacts
from ..low_rank.noise import upper_tail
from ..posterior.stored import StoredPosterior
from .calibrated import recalibrated
from .condition import condition
from .predictive import LatentDraws, Predictive, predictive
from .suspicion import (
    AS_STATED,
    DIRECTION,
    GROSS,
    PERCENTAGE,
    SHARE,
    PriorShares,
    alternatives,
    explanation_log_densities,
    suspicion,
)

__all__ = ["MOST_SCORES", "Contradiction", "Contradictions", "contradictions"]

Floats = NDArray[np.float64]

DRAWS, SWEEPS = 128, 6
"""Draws and sweeps of a prediction that a score is set against."""
MOST_SCORES = 25
"""Of a new model; above this the check would take about a second, and is left out."""
MOST_SHARES = 6
"""So many scores of 0 to 1 decide whether all of them are shares."""
MOST_ROUNDS = 3
"""Scores that are taken out, one after the other, before the others are judged."""
LIKELY = 0.9
"""Probability of being shares from which on scores of 0 to 1 are reported as such."""
BEYOND_CHANCE = 0.002
"""p-value, times the number of scores judged, below which a score is reported.

Heavier tails than the model's make false alarms of up to 1 to 2 % of honest held-out models; how
many, and what slips are found, measures `benchmarks/contradictions.py`.
"""
BEYOND_FACTS = 0.0002
"""The same for a score that nothing but facts speaks about: facts are weak."""
GIVEN = PriorShares(gross=0.01, other=0.01)
"""Shares of wrong scores among those that somebody gives: slips of scale are common there."""

REASONS = {
    AS_STATED: "unusual",
    SHARE: "share",
    PERCENTAGE: "percentage",
    DIRECTION: "direction",
    GROSS: "elsewhere",
}
WORDS = {
    "share": "given on a scale of 0 to 1, expected on 0 to 100: did you mean {corrected}?",
    "percentage": "given on a scale of 0 to 100, expected on 0 to 1: did you mean {corrected}?",
    "direction": "it looks turned round: did you mean {corrected}?",
    "elsewhere": "is it of another benchmark or another model?",
    "unusual": "unusual, but no slip explains it better",
}


@dataclass(frozen=True)
class Contradiction:
    """A given score that looks wrong.

    Attributes
    ----------
    benchmark_id : str
    score : float
        As given.
    median, lower, upper : float
        What the others say, with a 90 % interval; score points.
    p_value : float
        Probability of a score at least as far out, on either side.
    probability : float
        That the score is not what it says (see `suspicion`).
    reason : str
        ``share`` (given as a share on a scale of 0 to 100), ``percentage`` (the other way round),
        ``direction`` (turned round), ``elsewhere`` (of another benchmark or model) or ``unusual``.
    corrected : float
        The score under that reason; NaN where there is none.
    against : str
        What it was set against, in words.

    Examples
    --------
    >>> found = Contradiction(
    ...     "mmlu", 0.86, 84.0, 80.0, 88.0, 1e-6, 0.99, "share", 86.0, "the other scores"
    ... )
    >>> print(found.sentence)  # doctest: +ELLIPSIS
    mmlu = 0.86 lies far outside what the other scores say, 84.0 (80.0 to 88.0): ... mean 86?
    """

    benchmark_id: str
    score: float
    median: float
    lower: float
    upper: float
    p_value: float
    probability: float
    reason: str
    corrected: float
    against: str

    @property
    def sentence(self) -> str:
        """The contradiction in words, one line."""
        why = WORDS[self.reason].format(corrected=f"{self.corrected:.4g}")
        said = f"{self.median:.1f} ({self.lower:.1f} to {self.upper:.1f})"
        return (
            f"{self.benchmark_id} = {self.score:g} lies far outside what {self.against} say, "
            f"{said}: {why}"
        )

    def to_json(self) -> dict[str, Any]:
        """Attributes and the sentence, for JSON."""
        return {**asdict(self), "sentence": self.sentence}


@dataclass(frozen=True)
class Contradictions(Sequence[Contradiction]):
    """Given scores that look wrong, the worst first; prints a line each.

    Attributes
    ----------
    items : tuple of Contradiction
    unchecked : str
        Why nothing was checked; empty where it was.
    """

    items: tuple[Contradiction, ...] = ()
    unchecked: str = ""

    @overload
    def __getitem__(self, index: int) -> Contradiction: ...
    @overload
    def __getitem__(self, index: slice) -> Contradictions: ...
    def __getitem__(self, index: int | slice) -> Contradiction | Contradictions:
        """One of them, or some in the same form."""
        if isinstance(index, slice):
            return Contradictions(self.items[index], self.unchecked)
        return self.items[index]

    def __len__(self) -> int:
        """Number of scores that look wrong."""
        return len(self.items)

    @property
    def sentence(self) -> str:
        """All of them in one line; empty where there is nothing to say."""
        if not self.items:
            return self.unchecked
        count = len(self.items)
        head = "this score looks" if count == 1 else f"{count} scores look"
        return f"{head} wrong: {'; '.join(one.sentence for one in self.items)}"

    def __repr__(self) -> str:
        return "\n".join(one.sentence for one in self.items) or self.unchecked or "none"


def contradictions(
    posterior: StoredPosterior,
    scores: Mapping[str, float],
    *,
    facts: ModelFacts | None = None,
    model_id: str | None = None,
    seed: int | Sequence[int] = 0,
) -> Contradictions:
    """Given scores that look wrong, the worst first.

    Each score has a two-sided p-value under its prediction from everything else, widened as the
    posterior's recalibration widens its intervals. It is reported where the p-value times the
    number of scores judged is below `BEYOND_CHANCE` (`BEYOND_FACTS` where only facts speak).

    Parameters
    ----------
    posterior : StoredPosterior
    scores : mapping of benchmark id to score
        As given, checked.
    facts : ModelFacts, optional
    model_id : str, optional
        A fitted model's scores speak for or against those given.
    seed : int or sequence of int

    Returns
    -------
    Contradictions
    """
    if not scores:
        return Contradictions()
    fitted = model_id is not None and model_id in posterior.model_ids
    if not fitted and len(scores) > MOST_SCORES:
        return Contradictions(
            (), f"{len(scores)} given scores were not checked against each other: more than "
            f"{MOST_SCORES}"
        )  # fmt: skip
    judge = _Judge(posterior.thin(DRAWS), facts or ModelFacts(), model_id, fitted, seed)
    found = judge.shares(scores)
    left = {name: score for name, score in scores.items() if name not in found}
    for _ in range(MOST_ROUNDS):
        wrong = judge.far_out(left, len(scores))
        if wrong is None:
            break
        found[wrong.benchmark_id] = wrong
        del left[wrong.benchmark_id]
    return Contradictions(tuple(sorted(found.values(), key=lambda one: one.p_value)))


@dataclass(frozen=True, eq=False)
class _Judge:
    """Sets scores of one model against what else is known of it.

    Attributes
    ----------
    posterior : StoredPosterior
        With few draws.
    facts : ModelFacts
    model_id : str or None
    fitted : bool
    seed : int or sequence of int
    """

    posterior: StoredPosterior
    facts: ModelFacts
    model_id: str | None
    fitted: bool
    seed: int | Sequence[int]

    def given(self, scores: Mapping[str, float]) -> LatentDraws:
        """Draws of the model given some of the scores."""
        return condition(
            self.posterior,
            scores,
            facts=self.facts,
            model_id=self.model_id,
            sweeps=SWEEPS,
            seed=self.seed,
            reweight=False,
            accept_far=True,
        )

    def log_densities(self, draws: LatentDraws, name: str, score: float) -> dict[str, float]:
        """Log densities of the explanations of one score."""
        column = self.posterior.transform.index(name)
        return explanation_log_densities(
            np.asarray(draws.eta[:, column], np.float64),
            np.asarray(draws.noise_scale[:, column], np.float64),
            np.asarray(draws.nu, np.float64),
            self.posterior.transform,
            column,
            score,
        )

    def shares(self, scores: Mapping[str, float]) -> dict[str, Contradiction]:
        """Scores of 0 to 1 on percentages that are more likely shares, all of them or none.

        The joint density of all of them under either reading is built up score by score.
        """
        link = self.posterior.transform
        small = {
            name: score
            for name, score in scores.items()
            if score > 0 and SHARE in alternatives(link, link.index(name), score)
        }
        if not small:
            return {}
        rest = {name: score for name, score in scores.items() if name not in small}
        as_stated, as_shares = dict(rest), dict(rest)
        stated = shares = 0.0
        for name, score in list(small.items())[:MOST_SHARES]:
            stated += self.log_densities(self.given(as_stated), name, score)[AS_STATED]
            shares += self.log_densities(self.given(as_shares), name, score)[SHARE]
            as_stated[name], as_shares[name] = score, 100 * score
        odds = shares - stated + math.log(GIVEN.other) - math.log(1.0 - GIVEN.other)
        probability = 1.0 / (1.0 + math.exp(-min(max(odds, -700.0), 700.0)))
        if probability < LIKELY:
            return {}
        found = {}
        for name, score in small.items():
            others = {n: s for n, s in as_shares.items() if n != name}
            draws = self.given(others)
            found[name] = self.contradiction(
                draws, name, score, others, explained=(probability, SHARE)
            )
        return found

    def far_out(self, scores: Mapping[str, float], n_judged: int) -> Contradiction | None:
        """The score that lies farthest outside what the others say, if it is beyond chance."""
        worst: Contradiction | None = None
        for name, score in scores.items():
            others = {n: s for n, s in scores.items() if n != name and not self.fitted}
            one = self.contradiction(self.given(others), name, score, others)
            if worst is None or one.p_value < worst.p_value:
                worst = one
        if worst is None:
            return None
        backed = self.fitted or len(scores) > 1
        limit = BEYOND_CHANCE if backed else BEYOND_FACTS
        return worst if worst.p_value * n_judged < limit else None

    def contradiction(
        self,
        draws: LatentDraws,
        name: str,
        score: float,
        others: Mapping[str, float],
        explained: tuple[float, str] | None = None,
    ) -> Contradiction:
        """One score against draws that have not seen it, whether or not it contradicts them."""
        link = self.posterior.transform
        column = link.index(name)
        raw = predictive(draws, link, [column])
        known = {draws.model_id: len(others)}
        made = recalibrated(self.posterior, raw, new=not self.fitted, known=known)
        lower, upper = made.interval(0.9)
        evidence = self.log_densities(draws, name, score)
        probability, explanation = explained or suspicion(evidence, GIVEN)
        return Contradiction(
            name,
            score,
            float(made.median[0]),
            float(lower[0]),
            float(upper[0]),
            _p_value(draws, raw, made, column, score),
            probability,
            REASONS[explanation],
            alternatives(link, column, score).get(explanation, math.nan)
            if explanation != AS_STATED
            else math.nan,
            self._against(name, others),
        )

    def _against(self, name: str, others: Mapping[str, float]) -> str:
        if self.fitted:
            matrix, column = self.posterior.matrix, self.posterior.transform.index(name)
            known = float(matrix.values[matrix.model_index(str(self.model_id)), column])
            own = f"the known scores of {self.model_id}"
            return own if math.isnan(known) else f"{own} ({known:g} here)"
        if others:
            return "the other scores"
        return "the facts" if self.facts.given else "the fitted models"


def _p_value(
    draws: LatentDraws, raw: Predictive, made: Predictive, column: int, score: float
) -> float:
    """Two-sided tail probability of a score under the draws, its distance narrowed or widened.

    The recalibration stretches the 90 % interval about the median, each side by its own factor;
    a distance from the median counts for that much less. "This or beyond" has one tail.
    """
    link = raw.transform
    z, side = float(link.to_latent(score, column)), int(link.beyond(score, column))
    levels = list(np.round(raw.levels, 6))
    middle = levels.index(0.5)
    outer = levels.index(0.95 if z > made.quantiles[0, middle] else 0.05)
    reach = float(made.quantiles[0, outer] - made.quantiles[0, middle])
    stretch = reach / float(raw.quantiles[0, outer] - raw.quantiles[0, middle])
    z = float(raw.quantiles[0, middle] + (z - made.quantiles[0, middle]) / stretch)
    above = upper_tail((z - draws.eta[:, column]) / draws.noise_scale[:, column], draws.nu)
    tails = (float(above.mean()), float(1.0 - above.mean()))
    if side:
        return min(1.0, 2.0 * tails[0 if side > 0 else 1])
    return min(1.0, 2.0 * min(tails))
