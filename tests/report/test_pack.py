"""The page's JavaScript gives Python's answers on the same draws and the same random numbers."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bayesbench as bb
from bayesbench import report
from bayesbench.answers.calibrated import recalibrated
from bayesbench.answers.condition import condition
from bayesbench.answers.predictive import predictive
from bayesbench.design.budget import budget_batch
from bayesbench.design.gain import Targets, greedy
from bayesbench.design.moments import moments
from bayesbench.errors import UsageError
from bayesbench.low_rank.facts import ModelFacts, covariate_value
from bayesbench.report.pack import packed, quantised
from tests.factories import make_posterior

ENGINE = Path(report.__file__).parent / "assets" / "engine.js"
RUN = """
import { readFileSync } from "node:fs";
const engine = await import(process.argv[1]);
const given = JSON.parse(readFileSync(0, "utf8"));
const data = engine.open(given.data);
const out = given.cases.map(({ scores, facts, numbers }) => {
  const next = (kind, ...laws) => {
    const [name, values, told] = numbers.shift();
    if (name !== kind) throw new Error(`asked for ${kind}, Python drew ${name}`);
    laws.forEach((law, k) => law.forEach((v, i) => {
      if (!(Math.abs(v / told[k][i] - 1) < 1e-6)) throw new Error(`${kind} of another law: ${v}`);
    }));
    return Float64Array.from(values);
  };
  const rng = {
    normal: () => next("standard_normal"), gamma: (shape) => next("standard_gamma", shape),
    wald: (mean, shape) => next("wald", mean, shape),
    uniform: () => next("random"), strata: () => next("permuted"),
    spawn: () => rng,
  };
  const latent = engine.condition(data, scores, facts, rng);
  const cells = engine.predict(data, latent);
  return {
    left: numbers.length, eta: Array.from(latent.eta), scale: Array.from(latent.scale),
    quantiles: cells.map((c) => c.quantiles), score: cells.map((c) => c.score),
    next: engine.informative(data, latent, 3),
    batch: given.budgets.map((budget) => engine.withinBudget(data, latent, given.costs, budget)),
    p: cells.map((c, j) => engine.atLeast(data, c, given.asked[j])),
  };
});
process.stdout.write(JSON.stringify(out));
"""


BUDGETS = [22.0, 100.0]


class Recorder:
    """A generator that writes down what it hands out."""

    def __init__(self, rng, log):
        self.rng, self.log = rng, log

    def spawn(self, n):
        return [Recorder(each, self.log) for each in self.rng.spawn(n)]

    def __getattr__(self, name):
        def draw(*args, **kwargs):
            value = getattr(self.rng, name)(*args, **kwargs)
            laws = args if name == "wald" else args[:1] if name == "standard_gamma" else ()
            told = [np.broadcast_to(law, np.shape(value)).ravel().tolist() for law in laws]
            self.log.append((name, np.ravel(value).tolist(), told))
            return value

        return draw


CASES = {
    "no score": ({}, ModelFacts()),
    "scores": ({"gpqa_diamond": 70.0, "mmlu_pro": 75.5, "ifeval": 85.0}, ModelFacts()),
    "facts": (
        {"gpqa_diamond": 70.0},
        ModelFacts(provider="OpenAI", reasoning=True, release_date="2027-03"),
    ),
    "bound": ({"gpqa_diamond": 100.0, "hle": 40.0}, ModelFacts()),
    "far": ({"gpqa_diamond": 3.0, "mmlu_pro": 97.0}, ModelFacts(reasoning=True)),
}


@pytest.fixture(scope="module", params=[0.0, 0.5], ids=["", "with noise of items"])
def answers(request):
    posterior = quantised(bb.open_posterior(), 40)
    posterior = replace(posterior, spec=replace(posterior.spec, item_noise=request.param))
    columns = len(posterior.benchmark_ids)
    # every batch is tried within the smaller budget, three ways to grow one within the larger
    costs = 10.0 * (1.0 + np.arange(columns) % 37 + np.arange(columns) / 1000)
    median = [float(np.nanmedian(c)) for c in np.asarray(posterior.matrix.values).T]
    cases, expected = [], []
    real = np.random.default_rng
    for scores, facts in CASES.values():
        log = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(np.random, "default_rng", lambda seed, log=log: Recorder(real(seed), log))
            latent = condition(posterior, scores, facts=facts)
        made = predictive(latent, posterior.transform)
        made = recalibrated(posterior, made, new=True)
        open_ = np.flatnonzero(~np.isfinite(latent.observed))
        steps = greedy(moments(latent), open_, Targets(open_, np.ones(open_.size), "exclude"), 3)
        about = Targets(open_, np.ones(open_.size), "reading")
        batches = [
            budget_batch(
                moments(latent), open_, about, costs[open_], budget, posterior.benchmark_ids
            )
            for budget in BUDGETS
        ]
        told = {
            name: value if name == "provider" else covariate_value(name, value)
            for name, value in facts.given.items()
        }
        cases.append({"scores": scores, "facts": told, "numbers": log})
        expected.append((latent, made, steps, made.p_at_least(median), batches))
    node = shutil.which("node")
    assert node, "node is missing: install the system package nodejs"
    given = json.dumps(
        {
            "data": packed(posterior), "cases": cases, "asked": median, "costs": costs.tolist(),
            "budgets": BUDGETS,
        }
    )  # fmt: skip
    done = subprocess.run(
        [node, "--input-type=module", "-e", RUN, ENGINE.as_uri()],
        input=given, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return posterior, dict(
        zip(CASES, zip(expected, json.loads(done.stdout), strict=True), strict=True)
    )


@pytest.mark.parametrize("case", CASES)
def test_javascript_answers_as_python_does(answers, case):
    posterior, found = answers
    (latent, made, steps, p, batches), got = found[case]
    assert got["left"] == 0
    # Python adds eta up in 32-bit floats
    eta = np.reshape(got["eta"], latent.eta.shape)
    np.testing.assert_allclose(eta, latent.eta, rtol=1e-6, atol=2e-6)
    scale = np.reshape(got["scale"], latent.eta.shape)
    np.testing.assert_allclose(scale, latent.noise_scale, rtol=1e-6)
    # ... and an outer quantile hangs on few of them
    np.testing.assert_allclose(got["quantiles"], made.quantiles, rtol=1e-6, atol=4e-6)
    link = posterior.transform
    width = np.where(np.isfinite(link.upper - link.lower), link.upper - link.lower, link.spread)
    score = np.asarray(got["score"]) / width[:, None]
    np.testing.assert_allclose(score, made.score_quantiles / width[:, None], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(got["p"], p, atol=1e-6)
    assert [each["column"] for each in got["next"]] == [index for index, _ in steps]
    np.testing.assert_allclose(
        [each["gain"] for each in got["next"]], [gain for _, gain in steps], rtol=1e-6
    )
    for batch, found_batch in zip(batches, got["batch"], strict=True):
        assert [each["column"] for each in found_batch] == [index for index, _ in batch]
        np.testing.assert_allclose(
            [each["gain"] for each in found_batch], [gain for _, gain in batch], rtol=1e-5
        )


FREE = """
import { readFileSync } from "node:fs";
const engine = await import(process.argv[1]);
const data = engine.open(JSON.parse(readFileSync(0, "utf8")));
const out = Array.from({ length: 8 }, (_, seed) => {
  const scores = { gpqa_diamond: 70, mmlu_pro: 75.5, ifeval: 85 };
  const latent = engine.condition(data, scores, {}, engine.generator(seed));
  return engine.predict(data, latent, { mixture: 4000 }).map((c) => c.quantiles);
});
process.stdout.write(JSON.stringify(out));
"""


SEEDS = 8


def quantiles(posterior):
    """Recalibrated latent quantiles of a new model, (seeds, benchmarks, levels)."""
    scores = {"gpqa_diamond": 70.0, "mmlu_pro": 75.5, "ifeval": 85.0}
    made = [
        predictive(condition(posterior, scores, seed=seed), posterior.transform)
        for seed in range(SEEDS)
    ]
    return np.stack([recalibrated(posterior, each, new=True).quantiles for each in made])


def middle_and_width(found):
    """Medians and log widths of 90 %, each (seeds, benchmarks)."""
    return found[..., found.shape[-1] // 2], np.log(found[..., -8] - found[..., 7])


@pytest.fixture(scope="module")
def free():
    """The bundled posterior, the page's draws of it, and the page's own answers."""
    full = bb.open_posterior()
    small = quantised(full)
    done = subprocess.run(
        ["node", "--input-type=module", "-e", FREE, ENGINE.as_uri()],
        input=json.dumps(packed(small)), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return full, small, np.asarray(json.loads(done.stdout))


def test_the_page_agrees_with_python_on_its_own_draws_within_monte_carlo_error(free):
    _, small, page = free
    for ours, theirs in zip(
        middle_and_width(page), middle_and_width(quantiles(small)), strict=True
    ):
        error = np.sqrt((ours.var(axis=0, ddof=1) + theirs.var(axis=0, ddof=1)) / SEEDS)
        t = (ours.mean(axis=0) - theirs.mean(axis=0)) / error
        # 14 degrees of freedom, two times all benchmarks: beyond 6.5 once in a hundred runs
        assert np.abs(t).max() < 6.5
        assert np.sqrt(np.mean(t**2)) < 1.5


def test_the_page_agrees_with_the_full_posterior_within_monte_carlo_error(free):
    full, _, page = free
    middle, width = middle_and_width(quantiles(full))
    unit = np.exp(width).mean(axis=0)
    # what 100 of the 400 draws err by, from four parts that share no draw
    parts = []
    for start in range(4):
        draws = {name: value[:, start::4] for name, value in full.draws.items()}
        parts.append(middle_and_width(quantiles(replace(full, draws=draws))))
    gap = (page[..., page.shape[-1] // 2].mean(axis=0) - middle.mean(axis=0)) / unit
    gaps = np.stack([(each.mean(axis=0) - middle.mean(axis=0)) / unit for each, _ in parts])
    ratio = middle_and_width(page)[1].mean(axis=0) - width.mean(axis=0)
    ratios = np.stack([each.mean(axis=0) - width.mean(axis=0) for _, each in parts])
    for found, others in ((gap, gaps), (ratio, ratios)):
        own, pooled = np.mean(others**2, axis=0), np.mean(others**2)
        # four parts say little of one benchmark: half its own error, half that of all
        assert np.abs(found / np.sqrt((own + pooled) / 2)).max() < 4
        assert np.sqrt(np.mean(found**2)) < 1.5 * np.sqrt(pooled)
    # over all benchmarks 100 draws against 400 err by 0.05 sd or so, 0.015 of a 90 % width
    assert abs(gap.mean()) < 0.015 and np.abs(gap).max() < 4 * 0.015
    assert abs(ratio.mean()) < 0.035


MOMENTS = """
const { generator } = await import(process.argv[1]);
const rng = generator(1), n = 40000, all = (v) => new Float64Array(n).fill(v);
const draws = [rng.normal(n), rng.uniform(n), rng.gamma(all(0.6)), rng.gamma(all(3.5)),
  rng.wald(all(1.5), all(2.5))];
process.stdout.write(JSON.stringify(draws.map((x) => {
  const mean = x.reduce((a, b) => a + b, 0) / n;
  return [mean, x.reduce((a, b) => a + (b - mean) ** 2, 0) / (n - 1)];
})));
"""


def test_the_page_draws_from_the_laws_it_names():
    done = subprocess.run(
        ["node", "--input-type=module", "-e", MOMENTS, ENGINE.as_uri()],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    exact = np.array([[0, 1], [0.5, 1 / 12], [0.6, 0.6], [3.5, 3.5], [1.5, 1.5**3 / 2.5]])
    # fourth central moments of the laws, for the error of a variance
    excess = np.array([0, -1.2, 6 / 0.6, 6 / 3.5, 15 * 1.5 / 2.5])
    error = np.stack([np.sqrt(exact[:, 1]), exact[:, 1] * np.sqrt(excess + 2)], axis=1) / 200
    assert (np.abs(np.array(json.loads(done.stdout)) - exact) < 4 * error).all()


def test_a_posterior_of_all_readings_is_refused():
    posterior = make_posterior(n_draws=10)
    posterior = replace(posterior, spec=replace(posterior.spec, readings="all"))
    with pytest.raises(UsageError, match="first reading of each"):
        packed(posterior)
