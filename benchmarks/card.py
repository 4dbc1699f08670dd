"""The figures of the model card, from the posterior file: ``python benchmarks/card.py``.

Fills the block between the marks ``card:begin`` and ``card:end`` of models/README.md; the held-out
figures there are written by ``python benchmarks/report.py``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from bayesbench.answers.predictive import predict_cells
from bayesbench.front.posterior import Posterior
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.scores import open_scores

ROOT = Path(__file__).resolve().parent.parent
ARTIFACT = ROOT / "models" / "open_scores.nc"
CARD = ROOT / "models" / "README.md"
BEGIN, END = "<!-- card:begin -->\n", "<!-- card:end -->"
CELLS = 1000
"""Cells on which the effect of packing is looked at."""


def filled(text: str, content: str) -> str:
    """`text` with another content of the block."""
    start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    return text[:start] + content.strip("\n") + "\n" + text[end:]


def table(rows: Mapping[str, Any], head: str = "| | |\n|---|---|\n") -> str:
    """Two columns in Markdown."""
    return head + "".join(f"| {name} | {shown(value)} |\n" for name, value in rows.items())


def shown(value: Any) -> str:
    """A value in a cell; numbers to four digits."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {shown(item)}" for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(shown, value))
    return str(value)


def facts(posterior: StoredPosterior, size: int) -> dict[str, Any]:
    """What was fitted, how, and to what."""
    made = posterior.provenance
    models, benchmarks = posterior.matrix.shape
    bundled = open_scores().filter(15, 8).data_hash
    return {
        "file": f"`open_scores.nc`, {size / 1e6:.1f} MB",
        "scores": f"{models} models x {benchmarks} benchmarks, {posterior.matrix.n_cells} cells",
        "data hash": f"`{made.data_hash}`",
        "the same as of `data/open_scores`, filtered": made.data_hash == bundled,
        "method": made.method,
        "settings": dict(made.config),
        "seed": made.seed,
        "draws in the file": f"{posterior.n_draws} ({posterior.sizes['chain']} chains)",
        "intervals recalibrated": posterior.calibration is not None,
        "sampling took": f"{made.wall_s:.0f} s",
        "made": made.created,
        "versions": dict(made.versions),
    }


def diagnostics(posterior: StoredPosterior) -> str:
    """Verdict, its reasons, and the figures behind it."""
    found = posterior.diagnostics
    reasons = "".join(f"* {reason}\n" for reason in found.reasons)
    verdict = f"Verdict, on all draws before thinning: **{found.verdict}**"
    return f"{verdict}\n\n{reasons}\n{table(dict(found.summary))}"


def packing(posterior: StoredPosterior, path: Path) -> str:
    """Largest rounding error of each packed quantity, beside its posterior sd."""
    with h5py.File(path) as file:
        errors = json.loads(file["bayesbench"].attrs["packing_error"])
    if not errors:
        return "Nothing is packed.\n"
    changed, spread = effect(posterior, errors)
    text = (
        f"Rounding of this size, made once more at random, moves the medians of {CELLS} random\n"
        f"cells by {changed:.1g} points in the median; those of one half of the draws and of the\n"
        f"other are {spread:.1g} points apart.\n\n"
    )
    head = "| quantity | largest error | over the median posterior sd |\n|---|---|---|\n"
    rows = []
    for name, error in errors.items():
        sd = float(np.median(posterior.stacked(name).astype(np.float64).std(axis=0)))
        rows.append(f"| `{name}` | {error:.2g} | {error / sd:.2g} |\n")
    return text + head + "".join(rows)


def effect(posterior: StoredPosterior, errors: Mapping[str, float]) -> tuple[float, float]:
    """Median shift of predicted medians by rounding, and between halves of the draws, points."""
    rng = np.random.default_rng(0)
    cells = np.stack([rng.integers(size, size=CELLS) for size in posterior.matrix.shape], axis=1)
    bounded = np.isfinite(posterior.transform.upper)[cells[:, 1]]
    draws = dict(posterior.draws)
    for name, error in errors.items():
        noise = rng.uniform(-error, error, draws[name].shape)
        draws[name] = (draws[name] + noise).astype(np.float32)
    half = posterior.sizes["draw"] // 2
    medians = [
        predict_cells(replace(posterior, draws=part), cells).median[bounded]
        for part in (
            posterior.draws,
            draws,
            {name: value[:, :half] for name, value in posterior.draws.items()},
            {name: value[:, half : 2 * half] for name, value in posterior.draws.items()},
        )
    ]
    whole, moved, one, other = medians
    return float(np.median(np.abs(whole - moved))), float(np.median(np.abs(one - other)))


def card(path: Path = ARTIFACT) -> str:
    """The ``card`` block."""
    posterior = Posterior.load(path)
    return (
        f"### The file\n{table(facts(posterior, path.stat().st_size))}\n"
        f"### Diagnostics\n{diagnostics(posterior)}\n"
        f"### Packing loss\n{packing(posterior, path)}"
    )


def main() -> None:
    CARD.write_text(filled(CARD.read_text(encoding="utf-8"), card()), encoding="utf-8")


if __name__ == "__main__":
    main()
