"""Every node of every JSON sample replaced by what should not stand there: read or refused."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bayesbench.errors import BayesbenchError
from bayesbench.jsonable import json_text
from bayesbench.scores.importers import reading
from bayesbench.scores.importers.mapping import mapped
from bayesbench.scores.importers.naming import Naming
from bayesbench.scores.importers.reading import Options
from tests.factories import make_matrix
from tests.scores.importers.samples import document

SAMPLES = (
    "artificial_analysis/models.json",
    "benchpress/matrix.json",
    "every_eval_ever/record_0.3.0.json",
    "inspect/data_pubmedqa_gpt4o_mini.json",
    "lighteval/results_2025-05-01T10-00-00.json",
    "lm_eval/results_2026-01-21T03-44-18.458309.json",
    "mteb/acme__embed-1/abc123/Banking77Classification.json",
)
ODD = (None, True, -1, 0, 1e11, "", "x", "1e999", "\x00", [], {}, [[]], {"x": None}, [None])
UNREAD = ("configs", "plan", "pretty_env_info")
MOST = 12
"""Nodes of a sample that are replaced, drawn with a fixed seed (250 were tried once)."""


def paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if len(before) > 6:
        return
    children: Any = ()
    if isinstance(value, dict):
        children = value.items()
    elif isinstance(value, list):
        children = enumerate(value[:3])
    for key, child in children:
        yield (*before, key)
        yield from paths(child, (*before, key))


def replaced(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    held = copy.deepcopy(value)
    place = held
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = odd
    return held


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_twin_is_read_or_refused_in_one_line(
    sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = document(sample)
    if "samples" in whole:
        whole = {**whole, "samples": [], "reductions": []}
    places = [path for path in paths(whole) if path[0] not in UNREAD]
    rng = np.random.default_rng(20)
    chosen = rng.choice(len(places), min(MOST, len(places)), replace=False)
    naming = Naming(make_matrix(), {}, add=True)
    for number in chosen:
        for odd in ODD:
            twin = replaced(whole, places[number], odd)
            monkeypatch.setattr(reading, "json_document", lambda _, twin=twin: twin)
            try:
                files = reading._json(tmp_path / "f.json", Options("m", {}))
                found = mapped(files, naming, scale=None, partial=True)
            except BayesbenchError as error:
                assert "\n" not in str(error) and len(str(error)) < 400
                continue
            scores = found.readings["score"].to_numpy(dtype=float)
            assert np.isfinite(scores).all()
            assert not (found.readings["stderr"].to_numpy(dtype=float) < 0).any()
            json_text(found.left_out.to_dict("records"))
