"""Checks of the shipped posterior: predictive, leave-one-out, and refits under other priors.

    python benchmarks/checks.py --sweeps 800

Writes results/checks/checks.json and, from it, the tables of docs/checks.md; ``--page`` writes only
these. Each refit is one chain, half of its sweeps thrown away, without one of three folds of the
scores, on which it is judged.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import arviz_stats
import click
import numpy as np
from numpy.typing import NDArray
from records import REPOSITORY, RESULTS, Record, provenance, write
from report import with_block
from tables import number, table

import bayesbench as bb
from bayesbench.answers.predictive import cell_draws, degrees_of_freedom, predict_cells
from bayesbench.evaluation.metrics import coverage, medae, median_width
from bayesbench.fitting.engines.settings import Gibbs
from bayesbench.fitting.sample import sample
from bayesbench.low_rank.link import Transform
from bayesbench.low_rank.noise import log_density
from bayesbench.low_rank.readings import CellReadings
from bayesbench.low_rank.spec import ModelSpec, Priors
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.scores.matrix import ScoreMatrix
from bayesbench.scores.splits import Split, per_model_folds

PAGE = REPOSITORY / "docs" / "checks.md"
NEAR_END = 5.0
"""Percentage points from a bound within which a score counts as near it."""
Floats = NDArray[np.float64]
Strata = dict[str, dict[str, NDArray[np.bool_]]]


def relative(matrix: ScoreMatrix, scores: Floats, col: NDArray[np.intp]) -> tuple[Floats, Any]:
    """Scores (..., n) in per cent of their scale, others in sds of their column; which have one."""
    low, high = (matrix.benchmarks[name].to_numpy(np.float64)[col] for name in ("lower", "upper"))
    bounded = np.isfinite(low) & np.isfinite(high)
    values = np.where(matrix.observed, matrix.values, np.nan)
    centre, spread = np.nanmean(values, axis=0)[col], np.nanstd(values, axis=0)[col]
    start = np.where(bounded, low, centre)
    unit = np.where(bounded, (high - low) / 100.0, np.where(spread > 0, spread, 1.0))
    return (scores - start) / unit, bounded


def thirds(values: NDArray[Any], name: str) -> dict[str, NDArray[np.bool_]]:
    """Cells by thirds of a number of scores, ties together."""
    low, high = np.quantile(values, (1 / 3, 2 / 3))
    return {
        f"{name}, fewest (to {low:.0f})": values <= low,
        f"{name}, middle": (values > low) & (values <= high),
        f"{name}, most (above {high:.0f})": values > high,
    }


def relatives(posterior: StoredPosterior, cells: CellReadings) -> NDArray[np.int64]:
    """Scores of each cell's lineage on its benchmark, with itself; 0 without a lineage."""
    features = posterior.features
    if "lineage" not in features.kinds:
        return np.zeros(cells.row.size, np.int64)
    member = features.groups[:, features.group_kind == features.kinds.index("lineage")] > 0
    counts = member.T.astype(np.int64) @ posterior.matrix.observed.astype(np.int64)
    code = member.argmax(axis=1)[cells.row]
    return np.where(member.any(axis=1)[cells.row], counts[code, cells.col], 0)


def strata(posterior: StoredPosterior, cells: CellReadings, level: Floats) -> Strata:
    """The groups of cells that every table has: `level` is the predicted one, per cent."""
    matrix = posterior.matrix
    _, bounded = relative(matrix, level, cells.col)
    tenth = np.clip(level // 10, 0, 9).astype(np.int64)
    of_model = matrix.observed.sum(axis=1)[cells.row]
    of_benchmark = matrix.observed.sum(axis=0)[cells.col]
    family = relatives(posterior, cells)
    return {
        "all": {"all": np.ones(level.size, bool)},
        "scale": {"percent": bounded, "rating": ~bounded},
        "predicted level": {
            f"{10 * k} to {10 * k + 10} %": bounded & (tenth == k) for k in range(10)
        },
        "scores": thirds(of_model, "of the model") | thirds(of_benchmark, "of the benchmark"),
        "scores of its lineage on the benchmark": {
            "no lineage": family == 0,
            "this one alone": family == 1,
            "2 or 3": (family > 1) & (family < 4),
            "4 and more": family > 3,
        },
    }


def in_strata(groups: Strata) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Stratum, part and cells, of parts that have cells."""
    for stratum, parts in groups.items():
        for part, at in parts.items():
            if at.any():
                yield stratum, part, at


def predictive_checks(
    observed: Floats, drawn: Floats, bounded: NDArray[np.bool_], groups: Strata
) -> list[dict[str, Any]]:
    """Each statistic of the published scores, its median over drawn ones, and the p-value.

    Parameters
    ----------
    observed, drawn : array (n,), (S, n)
        Per cent of the scale, ratings in sds of their column.
    """
    out = []
    for stratum, part, at in in_strata(groups):
        one, many = observed[at], drawn[:, at]
        found = {"mean": (one.mean(), many.mean(axis=1)), "sd": (one.std(), many.std(axis=1))}
        if bounded[at].all():
            near = [np.minimum(x, 100.0 - x) <= NEAR_END for x in (one, many)]
            found["near an end"] = (near[0].mean(), near[1].mean(axis=1))
        tests = {
            name: {
                "observed": float(true),
                "drawn": float(np.median(each)),
                "p": float((each > true).mean() + 0.5 * (each == true).mean()),
            }
            for name, (true, each) in found.items()
        }
        out.append({"stratum": stratum, "part": part, "n": int(at.sum()), "tests": tests})
    return out


def log_slope(link: Transform, scores: Floats, col: NDArray[np.intp], unit: Floats) -> Floats:
    """Log of the link's slope per point (`unit` of a score): of a latent density one per point."""
    step = 1e-3 * unit
    rise = abs(link.to_latent(scores + step, col) - link.to_latent(scores - step, col))
    return np.log(np.maximum(rise, 1e-12) * unit / (2 * step))


def units(matrix: ScoreMatrix, col: NDArray[np.intp]) -> Floats:
    """Width of one point of `relative`, score scale."""
    zero, one = (relative(matrix, np.full(col.size, x), col)[0] for x in (0.0, 1.0))
    return 1.0 / (one - zero)


def leave_one_out(
    posterior: bb.Posterior, groups: Strata, drawn: Any, seed: int
) -> tuple[list[dict[str, Any]], Floats]:
    """LOO, its Pareto k and its PIT by stratum; the log density of every cell, latent scale."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pareto k, which the table has
        loo = arviz_stats.loo(drawn, pointwise=True)
        pit = arviz_stats.loo_pit(drawn, var_names="cell_score", random_state=seed)
    k, elpd = np.asarray(loo.pareto_k).ravel(), np.asarray(loo.elpd_i).ravel()
    u = np.asarray(pit["cell_score"]).ravel()
    likelihood = drawn["log_likelihood"]["cell_score"].to_numpy().reshape(-1, elpd.size)
    top = likelihood.max(axis=0)
    within = top + np.log(np.exp(likelihood - top).mean(axis=0))
    out = []
    for stratum, part, at in in_strata(groups):
        out.append(
            {
                "stratum": stratum,
                "part": part,
                "n": int(at.sum()),
                "elpd_per_cell": float(elpd[at].mean()),
                "p_per_cell": float((within - elpd)[at].mean()),
                "k_above_good": float((k > loo.good_k)[at].mean()),
                "k_above_0.7": float((k > 0.7)[at].mean()),
                "k_above_1": float((k > 1.0)[at].mean()),
                "pit_below_5": float((u < 0.05)[at].mean()),
                "pit_within_90": float(((u >= 0.05) & (u <= 0.95))[at].mean()),
                "pit_above_95": float((u > 0.95)[at].mean()),
            }
        )
    return out, elpd


SCALES = tuple(item.name for item in fields(Priors) if item.name.endswith("_b"))


def times(name: str, factor: float) -> Priors:
    """The usual priors with one number, or those of one group, times a factor."""
    usual = Priors()
    names = SCALES if name == "scales" else (name,)
    changed: dict[str, Any] = {}
    for one in names:
        value = getattr(usual, one)
        each = tuple(factor * x for x in value) if isinstance(value, tuple) else factor * value
        changed[one] = each
    return replace(usual, **changed)


CHANGED = (
    "noise_shape",
    "noise_level_rate",
    "scales",
    "nu_grid",
    "mean_loading",
    "mean_loading_sd",
)


def changes() -> dict[str, tuple[Priors, int]]:
    """Priors and seed of every refit: the usual ones twice, then each halved and doubled."""
    out = {"none": (Priors(), 0), "none, another seed": (Priors(), 1)}
    for name in CHANGED:
        out |= {f"{name} x {factor:g}": (times(name, factor), 0) for factor in (0.5, 2.0)}
    return out


def refit(matrix: ScoreMatrix, split: Split, priors: Priors, seed: int, sweeps: int) -> Floats:
    """Low end, median and high end of held-out cells, per cent, and their log density, (4, n)."""
    thin = max(1, sweeps // 400)
    engine = Gibbs(chains=1, warmup=sweeps // 2, draws=sweeps // 2 // thin, thin=thin)
    posterior = sample(
        matrix.mask(split.mask(matrix.shape)),
        ModelSpec(priors=priors),
        engine,
        seed=seed,
        n_readings=matrix.n_cells,
        check=False,
    )
    row, col = split.cells.T
    made, link = predict_cells(posterior, split.cells), posterior.transform
    at = [int(np.argmin(abs(made.levels - level))) for level in (0.05, 0.5, 0.95)]
    scores = np.sort(
        [relative(matrix, link.to_score(made.quantiles[:, k], col), col)[0] for k in at], axis=0
    )
    eta, scale = cell_draws(posterior, row, col)
    true = matrix.values[row, col]
    each = log_density(
        link.to_latent(true, col) - eta, scale, degrees_of_freedom(posterior)[:, None]
    )
    top = each.max(axis=0)
    found = top + np.log(np.exp(each - top).mean(axis=0))
    return np.stack([*scores, found + log_slope(link, true, col, units(matrix, col))])


def ends_apart(matrix: ScoreMatrix, split: Split) -> NDArray[np.bool_]:
    """Held-out scores that have a density: those not at an end of their scale."""
    row, col = split.cells.T
    link = Transform.from_matrix(matrix.mask(split.mask(matrix.shape)))
    return np.asarray(link.beyond(matrix.values[row, col], col) == 0)


def sensitivity(matrix: ScoreMatrix, sweeps: int, seed: int) -> tuple[list[dict[str, Any]], Any]:
    """What each change of a prior does to held-out cells; and those of the usual priors."""
    split = per_model_folds(matrix, 3, seed)[0]
    row, col = split.cells.T
    true, bounded = relative(matrix, matrix.values[row, col], col)
    inner = ends_apart(matrix, split)
    out, usual = [], np.empty(0)
    for name, (priors, plus) in changes().items():
        click.echo(f"refit: {name}", err=True)
        found = refit(matrix, split, priors, seed + plus, sweeps)
        usual = usual if usual.size else found
        low, median, high = found[:3, bounded]
        first = usual[:3, bounded]
        out.append(
            {
                "change": name,
                "medae": medae(true[bounded], median),
                "coverage90": coverage(true[bounded], low, high),
                "width90": median_width(low, high),
                "log_density": float(found[3, inner].mean()),
                "median_moved": float(np.median(abs(median - first[1]))),
                "median_moved_q95": float(np.quantile(abs(median - first[1]), 0.95)),
                "width_ratio": float(np.median((high - low) / (first[2] - first[0]))),
            }
        )
    return out, (split, usual[3])


def against_held_out(
    posterior: StoredPosterior, cells: CellReadings, elpd: Floats, held_out: Any
) -> dict[str, Any]:
    """LOO beside what a refit without a third of the scores finds, the same cells, per point."""
    matrix = posterior.matrix
    split, found = held_out
    place = np.full(matrix.shape, -1)
    place[cells.row, cells.col] = np.arange(cells.row.size)
    at = place[tuple(split.cells.T)]
    scores, col = matrix.values[cells.row, cells.col], cells.col
    loo = elpd + log_slope(posterior.transform, scores, col, units(matrix, col))
    inner = (cells.beyond[at] == 0) & ends_apart(matrix, split)
    return {
        "cells": int(inner.sum()),
        "loo": float(loo[at][inner].mean()),
        "held_out": float(found[inner].mean()),
    }


def predictive_table(rows: list[Record]) -> str:
    """Markdown of `predictive_checks`."""
    names = ("mean", "sd", "near an end")
    head = ["stratum", "part", "cells", *(f"{name}: published, drawn (p)" for name in names)]
    lines = []
    for row in rows:
        cells = [row["stratum"], row["part"], number(row["n"], 0)]
        for name in names:
            test = row["tests"].get(name)
            digits = 3 if name == "near an end" else 2
            cells.append(
                "-"
                if test is None
                else f"{number(test['observed'], digits)}, {number(test['drawn'], digits)} "
                f"({number(test['p'])})"
            )
        lines.append(cells)
    return table(head, lines)


def columns_table(rows: list[Record], columns: Mapping[str, tuple[str, int]]) -> str:
    """Markdown of rows of figures."""
    head = [title for title, _ in columns.values()]
    return table(
        head,
        (
            [
                row[name] if isinstance(row[name], str) else number(row[name], digits)
                for name, (_, digits) in columns.items()
            ]
            for row in rows
        ),
    )


LOO_COLUMNS = {
    "stratum": ("stratum", 0),
    "part": ("part", 0),
    "n": ("cells", 0),
    "elpd_per_cell": ("elpd a cell", 2),
    "p_per_cell": ("p_loo a cell", 2),
    "k_above_good": ("k too large for the draws", 3),
    "k_above_0.7": ("k > 0.7", 3),
    "k_above_1": ("k > 1", 3),
    "pit_below_5": ("PIT < 0.05", 3),
    "pit_within_90": ("between", 3),
    "pit_above_95": ("PIT > 0.95", 3),
}
PRIOR_COLUMNS = {
    "change": ("prior changed", 0),
    "medae": ("MedAE", 2),
    "coverage90": ("90 % coverage", 3),
    "width90": ("median width", 1),
    "log_density": ("log density a cell", 3),
    "median_moved": ("medians move by, half of the cells", 2),
    "median_moved_q95": ("in 1 of 20", 2),
    "width_ratio": ("width, times", 3),
}


def block(record: Record) -> str:
    """The tables of the page."""
    both, options = record["against_held_out"], record["provenance"]["options"]
    about, machine = record["provenance"], record["provenance"]["machine"]
    return "\n".join(
        [
            f"## Posterior predictive checks\n\n{predictive_table(record['predictive'])}",
            f"## Leave-one-out\n\n{columns_table(record['loo'], LOO_COLUMNS)}",
            f"In all elpd {number(record['elpd'], 0)} and p_loo {number(record['p_loo'], 0)} of "
            f"{record['draws']} draws; a Pareto k above {number(record['good_k'])} is too large "
            f"for so many. On {number(both['cells'], 0)} cells LOO claims a log density per point "
            f"of {number(both['loo'], 3)} a cell, a refit without a third of the scores finds "
            f"{number(both['held_out'], 3)}.\n",
            f"## Other priors\n\n{columns_table(record['priors'], PRIOR_COLUMNS)}",
            f"Made with `python benchmarks/checks.py --sweeps {options['sweeps']} --draws "
            f"{options['draws']} --seed {options['seed']}` at commit {about['commit'][:9]}, data "
            f"{about['data_hash'][:12]}, on {machine['cpu']}, {machine['cores']} cores.\n",
        ]
    )


def page(text: str, record: Record) -> str:
    """The page with its tables from a record."""
    return with_block(text, block(record))


def checked(sweeps: int, draws: int, seed: int) -> dict[str, Any]:
    """All checks of the shipped posterior."""
    posterior = bb.open_posterior().thin(draws)
    matrix, cells = posterior.matrix, posterior.cells
    tree = posterior.to_datatree(prior_draws=1, seed=seed)
    made = tree["posterior_predictive"]["cell_score"].to_numpy().reshape(-1, cells.row.size)
    drawn, bounded = relative(matrix, made, cells.col)
    observed, _ = relative(matrix, tree["observed_data"]["cell_score"].to_numpy(), cells.col)
    groups = strata(posterior, cells, np.median(drawn, axis=0))
    predictive = predictive_checks(observed, drawn, bounded, groups)
    loo, elpd = leave_one_out(posterior, groups, tree, seed)
    priors, held_out = sensitivity(matrix, sweeps, seed)
    options = {"sweeps": sweeps, "draws": draws, "seed": seed}
    return {
        "name": "checks",
        "label": "",
        "draws": posterior.n_draws,
        "good_k": min(1 - 1 / np.log10(posterior.n_draws), 0.7),
        "elpd": float(elpd.sum()),
        "p_loo": float(loo[0]["p_per_cell"] * elpd.size),
        "predictive": predictive,
        "loo": loo,
        "against_held_out": against_held_out(posterior, cells, elpd, held_out),
        "priors": priors,
        "provenance": provenance(matrix, {**options, "max_folds": None}),
    }


@click.command(help=(__doc__ or "").partition("\n")[0])
@click.option("--sweeps", type=click.IntRange(20), default=800, show_default=True)
@click.option("--draws", type=click.IntRange(1), default=400, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--page", "page_only", is_flag=True, help="Only the page, from the JSON file.")
@click.option("--out", type=Path, default=RESULTS / "checks", help="Folder of the JSON.")
def main(sweeps: int, draws: int, seed: int, page_only: bool, out: Path) -> None:
    path = out / "checks.json"
    if not page_only:
        path = write("checks", checked(sweeps, draws, seed), out)
    record = json.loads(path.read_text(encoding="utf-8"))
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), record), encoding="utf-8")


if __name__ == "__main__":
    main()
