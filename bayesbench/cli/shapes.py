"""Shapes of the JSON documents, as an agent is told of them; docs/cli.md says what fields mean."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

__all__ = [
    "Benchmarks",
    "Checked",
    "Compared",
    "Decided",
    "Explained",
    "Models",
    "Predicted",
    "Ranked",
    "Recommended",
]


class Conditioning(TypedDict):
    """How the scores weigh the draws."""

    k_hat: float | None
    effective_share: float
    reweighted: bool
    power: float


class Origin(TypedDict):
    """Where an answer comes from."""

    file: str
    method: str
    created: str
    data_hash: str
    models: int
    benchmarks: int
    draws: int
    verdict: str
    recalibrated: bool
    recalibrated_by: str | None
    conditioning: NotRequired[Conditioning]


class Contradiction(TypedDict):
    """A given score that looks wrong."""

    benchmark_id: str
    score: float
    median: float
    lower: float
    upper: float
    p_value: float
    probability: float
    reason: str
    corrected: float | None
    against: str
    sentence: str


class Answered(TypedDict):
    """What every answer holds."""

    posterior: Origin
    notes: list[str]
    warnings: list[Contradiction]


class Prediction(TypedDict):
    """What would be scored on one benchmark."""

    benchmark_id: str
    median: float
    lower: float
    upper: float
    sd: float | None
    p_within_10: float
    observed: bool
    score: float | None


class Predicted(Answered):
    """Of ``predict``."""

    model: str
    target: str
    prob: float
    predictions: list[Prediction]
    sentence: str


class Recommendation(TypedDict):
    """A benchmark to run."""

    benchmark_id: str
    gain_nats: float
    cost: float | None
    gain_per_cost: float | None
    median: float
    lower: float
    upper: float
    width_reduction: float | None


class Recommended(Answered):
    """Of ``next``."""

    model: str
    prob: float
    recommendations: list[Recommendation]
    sentence: str


class Decision(TypedDict):
    """Run a benchmark, or trust its prediction."""

    benchmark_id: str
    recommendation: Literal["run", "predict", "depends"]
    median: float
    lower: float
    upper: float
    prob: float
    tolerance: float
    p_within: float
    excess: float
    expected_loss: float | None
    cost: float
    break_even: float | None
    sentence: str


class Decided(Answered):
    """Of ``decide``."""

    model: str
    decision: Decision


class Place(TypedDict):
    """The rank of one model."""

    model_id: str
    p_best: float
    median_rank: int
    lower_rank: int
    upper_rank: int
    median: float
    lower: float
    upper: float
    gap: float | None
    gap_lower: float | None
    gap_upper: float | None
    p_better_next: float | None
    rank_probability: list[float]


class Probe(TypedDict):
    """A benchmark that would tell which model is best."""

    benchmark_id: str
    information_nats: float
    mcse: float


class Ranked(Answered):
    """Of ``rank``."""

    benchmarks: list[str]
    kind: str
    prob: float
    ranking: list[Place]
    sentence: str
    p_better: dict[str, dict[str, float]]
    probes: NotRequired[list[Probe]]


class Gap(TypedDict):
    """How far the first model lies above the second."""

    first: str
    second: str
    median: float
    lower: float
    upper: float
    p_better: float
    sentence: str


class Compared(Answered):
    """Of ``compare``."""

    benchmarks: list[str]
    kind: str
    prob: float
    comparison: Gap


class Driver(TypedDict):
    """What one score does to a prediction."""

    benchmark_id: str
    score: float
    shift: float
    narrower_by: float


class Explained(Answered):
    """Of ``explain``."""

    model: str
    benchmark_id: str
    median: float
    lower: float
    upper: float
    drivers: list[Driver]
    sentence: str


class Surprise(TypedDict):
    """One score set against the others."""

    benchmark_id: str
    score: float
    median: float
    lower: float
    upper: float
    tail: float
    suspicion: float
    explanation: str
    corrected: float | None
    sentence: str


class Checked(Answered):
    """Of ``check``."""

    model: str
    surprises: list[Surprise]


class Models(TypedDict):
    """Of ``models``."""

    models: list[dict[str, Any]]


class Benchmarks(TypedDict):
    """Of ``benchmarks``."""

    benchmarks: list[dict[str, Any]]
