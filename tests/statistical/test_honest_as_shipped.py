"""New models of simulated matrices: coverage as it should be, and two wrong programs are caught."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bayesbench.evaluation import AsShipped, CellPredictions, evaluate
from bayesbench.evaluation.methods import as_shipped
from bayesbench.evaluation.methods.as_shipped import AsShippedLowRank
from bayesbench.fitting.engines.settings import Gibbs
from bayesbench.fitting.sample import sample
from bayesbench.front.posterior import Posterior
from bayesbench.low_rank.facts import ModelFacts
from bayesbench.low_rank.simulate import MODERATE, simulate
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.scores.matrix import ScoreMatrix

pytestmark = pytest.mark.slow

SPEC = ModelSpec(rank=1, groups=("provider",))
CONFIG = Gibbs(chains=1, warmup=600, draws=250, thin=4)
N_MATRICES, N_FITTED, N_NEW, N_BENCHMARKS, N_READINGS = 12, 60, 90, 16, 768
STANDARD_ERRORS = 3.5


@dataclass(frozen=True)
class Narrow(AsShippedLowRank):
    """A product whose intervals are too narrow by 7 %."""

    def predict_tasks(self, matrix: ScoreMatrix, tasks: Any) -> list[CellPredictions]:
        out = []
        for made in super().predict_tasks(matrix, tasks):
            assert made.quantiles is not None
            middle = made.median[:, None]
            out.append(replace(made, quantiles=middle + 0.93 * (made.quantiles - middle)))
        return out


@dataclass(frozen=True)
class Swapped(AsShippedLowRank):
    """A product that is told the facts of the next model."""

    def predict_tasks(self, matrix: ScoreMatrix, tasks: Any) -> list[CellPredictions]:
        class NextModel(ModelFacts):
            @classmethod
            def of(cls, matrix: ScoreMatrix, model: int) -> ModelFacts:
                later = N_FITTED + (model - N_FITTED + 1) % N_NEW
                return ModelFacts.of(matrix, later)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(as_shipped, "ModelFacts", NextModel)
            return super().predict_tasks(matrix, tasks)


METHODS = (AsShippedLowRank("honest"), Narrow("narrow"), Swapped("swapped"))


def matrices(folder: Path) -> Iterator[tuple[ScoreMatrix, Path]]:
    """Simulated matrices with a posterior of their first models, on the link that made them."""
    given = {**MODERATE, "scale_group_latent": 0.8}
    for seed in range(N_MATRICES):
        made = simulate(
            seed, N_FITTED + N_NEW, N_BENCHMARKS, SPEC, fill=0.7, n_providers=4, given=given
        )
        fitted = made.matrix.subset(models=made.matrix.model_ids[:N_FITTED])
        stored = sample(
            fitted, SPEC, CONFIG, seed=seed, n_readings=N_READINGS, check=False,
            transform=made.transform,
        )  # fmt: skip
        path = folder / f"{seed}.nc"
        Posterior.of(stored).save(path)
        yield made.matrix, path


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, np.ndarray]]:
    """Figures of every matrix, (matrix,), by method, k and name."""
    out: dict[str, dict[str, list[float]]] = {method.name: {} for method in METHODS}
    for matrix, path in matrices(tmp_path_factory.mktemp("simulated")):
        protocol = AsShipped(
            posterior=str(path), ks=(0, 3), seeds=1, inputs=("facts",), reveals=("random",)
        )
        for result in evaluate(matrix, protocol, METHODS):
            for k, entry in result.figures["by_k"]["percent"].items():
                for name in ("coverage50", "coverage80", "coverage90", "spread", "above_median"):
                    out[result.method].setdefault(f"{name}, k={k}", []).append(entry[name])
    return {
        method: {name: np.array(values) for name, values in by.items()}
        for method, by in out.items()
    }


NOMINAL = {
    "coverage50": 0.5, "coverage80": 0.8, "coverage90": 0.9, "spread": 1.0, "above_median": 0.5,
}  # fmt: skip


def distances(figures: dict[str, np.ndarray]) -> dict[str, float]:
    """From the nominal value, in standard errors between matrices.

    New models of a matrix share its fit, so the matrix is the unit.
    """
    return {
        name: float(
            (values.mean() - NOMINAL[name.split(",")[0]])
            / (values.std(ddof=1) / np.sqrt(values.size))
        )
        for name, values in figures.items()
    }


def test_new_models_are_covered_as_they_should_be(
    found: dict[str, dict[str, np.ndarray]],
) -> None:
    far = {
        n: round(z, 1) for n, z in distances(found["honest"]).items() if abs(z) > STANDARD_ERRORS
    }
    assert far == {}
    for name, values in found["honest"].items():
        assert values.std(ddof=1) / np.sqrt(values.size) < 0.03, name


def test_intervals_seven_percent_too_narrow_are_caught(
    found: dict[str, dict[str, np.ndarray]],
) -> None:
    z = distances(found["narrow"])
    for k in (0, 3):
        assert z[f"spread, k={k}"] > STANDARD_ERRORS and z[f"coverage90, k={k}"] < -STANDARD_ERRORS


def test_swapped_facts_are_caught(found: dict[str, dict[str, np.ndarray]]) -> None:
    z = distances(found["swapped"])
    assert z["coverage90, k=0"] < -STANDARD_ERRORS and z["spread, k=0"] > STANDARD_ERRORS
