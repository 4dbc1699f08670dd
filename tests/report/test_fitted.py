"""What the page shows of the fitted models is what Python says of them."""

import base64
import json
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import bayesbench as bb
from bayesbench.answers.predictive import cell_draws, degrees_of_freedom
from bayesbench.jsonable import json_text
from bayesbench.report.fitted import LEVELS, fitted, held_out_levels
from bayesbench.report.pack import packed, quantised
from tests.factories import make_posterior
from tests.report.test_pack import ENGINE

ASKED = ("gpt-5", "o3", "gpt-4o", "qwen3-32b-thinking")
ON = ("gpqa_diamond", "hle", "ifeval")
RUN = """
import { readFileSync } from "node:fs";
const [engine, joint] = await Promise.all([import(process.argv[1]), import(process.argv[2])]);
const given = JSON.parse(readFileSync(0, "utf8")), data = engine.open(given.engine);
const held = joint.open(data, given.fitted);
const on = given.on.map((id, i) => ({ column: data.index.get(id), weight: i + 1 }));
const rows = given.fitted.models.map((_, i) => i);
process.stdout.write(JSON.stringify({
  gap: joint.gap(held, 0, 1, on, false), known: joint.gap(held, 0, 1, on, true),
  ranks: joint.ranking(held, rows, on, false),
}));
"""


def test_quantiles_are_those_of_predict_to_the_step_of_their_scale():
    posterior = make_posterior(n_draws=40)
    made = fitted(posterior, quantised(posterior, 40), ["model_3", "model_1"])
    assert [one["id"] for one in made["models"]] == ["model_3", "model_1"]
    packed_q = made["quantiles"]
    steps = np.frombuffer(base64.b64decode(packed_q["data"]), "<u2").reshape(2, 5, len(LEVELS))
    got = np.array(packed_q["low"])[:, None] + np.array(packed_q["scale"])[:, None] * steps
    for row, name in enumerate(("model_3", "model_1")):
        wanted = posterior.predict(name).cells.table(LEVELS)
        step = np.array(packed_q["scale"])[:, None]
        assert (np.abs(got[row] - wanted) <= 0.51 * step).all()


def test_readings_of_other_models_stay_out():
    posterior = make_posterior(n_draws=10)
    made = fitted(posterior, quantised(posterior, 10), ["model_1"])
    row = posterior.matrix.model_index("model_1")
    values = np.asarray(posterior.matrix.values)[row]
    assert {j: score for _, j, score, _ in made["readings"]} == {
        int(j): values[j] for j in np.flatnonzero(np.isfinite(values))
    }
    assert made["sources"] == []


def test_gaps_and_ranks_are_pythons_within_monte_carlo_error():
    posterior = bb.open_posterior()
    names = [posterior.matrix.model_names.find(name) for name in ASKED]
    small = quantised(posterior)
    given = {"engine": packed(small), "fitted": fitted(posterior, small, names), "on": ON}
    joint = ENGINE.with_name("joint.js")
    done = subprocess.run(
        ["node", "--input-type=module", "-e", RUN, ENGINE.as_uri(), joint.as_uri()],
        input=json_text(given), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)
    weights = {name: float(i + 1) for i, name in enumerate(ON)}
    for key, kind in (("gap", "score"), ("known", "known")):
        gap = posterior.compare(names[0], names[1], on=ON, weights=weights, kind=kind)
        width = max(gap.upper - gap.lower, 1e-6)
        # 100 draws against 400: a median errs by 0.125 sd, an end of 90 % by 0.25 sd, 3.3 sd wide
        assert abs(got[key]["median"] - gap.median) < 4 * 0.125 / 3.3 * width
        assert abs(got[key]["lower"] - gap.lower) < 4 * 0.25 / 3.3 * width
        assert abs(got[key]["upper"] - gap.upper) < 4 * 0.25 / 3.3 * width
        assert abs(got[key]["better"] - gap.p_better) < 4 * 0.05
    ranking = posterior.rank(names, on=ON, weights=weights)
    for one in got["ranks"]:
        assert abs(one["best"] - ranking.p_best[one["row"]]) < 4 * 0.05
        assert abs(one["rank"] - ranking.median[one["row"]]) <= 1


def test_without_doubt_about_the_parameters_a_reading_left_out_has_its_plain_level():
    made = make_posterior(n_models=12, n_benchmarks=6, n_draws=40)
    one = {name: np.broadcast_to(v[:1, :1], v.shape).copy() for name, v in made.draws.items()}
    posterior = replace(made, draws=one)
    row, column, level, _ = held_out_levels(posterior)
    eta, scale = cell_draws(posterior, row, column)
    nu = degrees_of_freedom(posterior)
    values, link = np.asarray(posterior.matrix.values), posterior.transform
    for n, (i, j) in enumerate(zip(row, column, strict=True)):
        if link.beyond(values[i, j], int(j)):
            assert np.isnan(level[n])
            continue
        z = float(link.to_latent(values[i, j], int(j)))
        standard = (z - float(eta[0, n])) / float(scale[0, n])
        below = stats.norm.cdf(standard) if np.isinf(nu[0]) else stats.t.cdf(standard, nu[0])
        assert level[n] == pytest.approx(below, abs=1e-5)
