// Joint draws of the fitted models: as bayesbench/answers/joint.py and ranking.py, on the page's draws.
import * as engine from "./engine.js";

const LEAST_DRAWS = 1600, SEED = 7, UNSEEN_LINEAGE = 2000000, UNSEEN_FAMILY = 3000000;

function steps(packed) {
  const raw = atob(packed.data), out = new Float32Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = packed.offset + packed.scale * raw.charCodeAt(i);
  return out;
}

/** What `open` of the engine is for new models, for the fitted ones. */
export function open(data, fitted) {
  const { quantiles, joint, levels } = fitted, L = levels.length, B = data.B, raw = atob(quantiles.data);
  const table = new Float64Array(raw.length / 2);
  for (let i = 0; i < table.length; i++) {
    const j = Math.floor(i / L) % B;
    table[i] = quantiles.low[j] + quantiles.scale[j] * (raw.charCodeAt(2 * i) + 256 * raw.charCodeAt(2 * i + 1));
  }
  const observed = new Float64Array(fitted.models.length * B).fill(NaN), readings = new Map();
  for (const [row, column, score, source] of fitted.readings) {
    const at = row * B + column;
    if (Number.isNaN(observed[at])) observed[at] = score;
    if (!readings.has(at)) readings.set(at, []);
    readings.get(at).push({ score, source: source < 0 ? null : fitted.sources[source] });
  }
  const own = { ...joint };
  for (const name of ["latents", "lineage_effect", "family", "noise"]) if (joint[name]) own[name] = steps(joint[name]);
  const { S, families: Q, draws } = data, M = fitted.models.length, K = data.kinds.length, kinds = joint.line_kinds;
  if (own.lineage_effect) {
    const scale = (s, i) => draws.scale_group_benchmark[s * K + kinds[Math.floor(i / B)]] * draws.noise_benchmark[s * B + i % B];
    own.lineage_effect = engine.withUnseen(own.lineage_effect, joint.lineage_effect.seen, S, kinds.length * B, UNSEEN_LINEAGE, scale);
  }
  if (own.family) own.family = engine.withUnseen(own.family, joint.family.seen, S, M * Q, UNSEEN_FAMILY, (s) => draws.scale_family[s]);
  return { data, levels, table, observed, readings, joint: own, M, cache: new Map() };
}

/** Quantiles of a reading at the kept levels. */
export const kept = (held, row, j) => held.table.subarray((row * held.data.B + j) * held.levels.length, (row * held.data.B + j + 1) * held.levels.length);

export function summary(held, row, j) {
  const [, q05, q25, q50, q75, q95] = kept(held, row, j), seen = held.observed[row * held.data.B + j];
  return { q05, q25, q50, q75, q95, seen: Number.isNaN(seen) ? null : seen };
}

/** Linear predictor and noise scale of a cell in every draw. */
function cell(held, row, j) {
  const { data, joint, M } = held, { S, B, L, draws } = data, eta = new Float64Array(S), scale = new Float64Array(S);
  const G = data.providers.length, Q = data.families, lines = joint.lineage_effect ? joint.line_kinds.length : 0;
  for (let s = 0; s < S; s++) {
    const at = s * B + j, own = (s * M + row) * L;
    let value = draws.benchmark_bias[at] + draws.loading[at] * joint.latents[own];
    for (let k = 1; k < L; k++) value += draws.weights[at * (L - 1) + k - 1] * joint.latents[own + k];
    if (joint.provider[row] >= 0 && draws.group_benchmark) value += draws.group_benchmark[(s * G + joint.provider[row]) * B + j];
    if (joint.lineage[row] >= 0 && lines) value += joint.lineage_effect[(s * lines + joint.lineage[row]) * B + j];
    if (joint.family) for (let q = 0; q < Q; q++) if (data.members[j][q]) value += data.members[j][q] * joint.family[(s * M + row) * Q + q];
    eta[s] = value;
    scale[s] = draws.noise_benchmark[at] * (joint.noise ? joint.noise[s * M + row] : 1);
    if (data.item_noise) scale[s] = Math.sqrt(scale[s] ** 2 + data.item_noise * engine.binomialVariance(data.benchmarks[j], value));
  }
  return { eta, scale };
}

/** Readings of a cell, paired over models by draw: in the order of its draws, with its quantiles. */
export function readingsOf(held, row, j) {
  const key = row * held.data.B + j;
  if (held.cache.has(key)) return held.cache.get(key);
  const { data, levels } = held, { S } = data, R = Math.ceil(LEAST_DRAWS / S), N = S * R, { eta, scale } = cell(held, row, j);
  const rng = engine.generator(SEED * 1000003 + key), z = rng.normal(N), nu = data.draws.nu, latent = new Float64Array(N);
  const mix = nu ? rng.gamma(Float64Array.from({ length: N }, (_, n) => nu[Math.floor(n / R)] / 2)) : null;
  for (let n = 0; n < N; n++) {
    const s = Math.floor(n / R), t = mix ? z[n] / Math.sqrt(mix[n] / (nu[s] / 2)) : z[n];
    latent[n] = eta[s] + scale[s] * t;
  }
  const order = Uint32Array.from({ length: N }, (_, n) => n).sort((a, b) => latent[a] - latent[b]);
  const q = kept(held, row, j), down = data.benchmarks[j].sign < 0, out = new Float32Array(N);
  let at = 0;
  for (let r = 0; r < N; r++) {
    const level = (r + 0.5) / N;
    while (at < levels.length - 2 && levels[at + 1] < level) at++;
    const part = Math.min(Math.max((level - levels[at]) / (levels[at + 1] - levels[at]), 0), 1);
    out[order[down ? N - 1 - r : r]] = q[at] + part * (q[at + 1] - q[at]);
  }
  held.cache.set(key, out);
  if (held.cache.size > 6000) held.cache.delete(held.cache.keys().next().value);
  return out;
}

/** Weighted mean of a model in every draw, higher is better; a known score counts as it is. */
export function total(held, row, on, useKnown) {
  const sum = on.reduce((a, one) => a + one.weight, 0);
  let out = null;
  for (const { column, weight } of on) {
    const seen = held.observed[row * held.data.B + column], sign = held.data.benchmarks[column].sign, share = weight / sum;
    const values = useKnown && !Number.isNaN(seen) ? null : readingsOf(held, row, column);
    out ??= new Float64Array(held.data.S * Math.ceil(LEAST_DRAWS / held.data.S));
    for (let n = 0; n < out.length; n++) out[n] += share * sign * (values ? values[n] : seen);
  }
  return out;
}

export function quantileOf(values, level) {
  const sorted = Float64Array.from(values).sort(), at = level * (sorted.length - 1), low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}

/** How far a model lies above another: median, 90 % interval, P(better). */
export function gap(held, first, second, on, useKnown) {
  const a = total(held, first, on, useKnown), b = total(held, second, on, useKnown);
  let better = 0;
  for (let n = 0; n < a.length; n++) better += a[n] > b[n] ? 1 : a[n] === b[n] ? 0.5 : 0;
  const less = a.map((v, n) => v - b[n]);
  return { median: quantileOf(less, 0.5), lower: quantileOf(less, 0.05), upper: quantileOf(less, 0.95), better: better / a.length };
}

/** Ranks of models: median and 90 % interval, P(best), by mean rank. */
export function ranking(held, rows, on, useKnown) {
  const totals = rows.map((row) => total(held, row, on, useKnown)), M = rows.length, N = totals[0].length;
  const counts = rows.map(() => new Uint32Array(M)), tie = engine.generator(SEED).uniform(M);
  const order = Uint32Array.from({ length: M }, (_, i) => i);
  for (let n = 0; n < N; n++) {
    order.sort((a, b) => totals[b][n] - totals[a][n] || tie[a] - tie[b]);
    for (let r = 0; r < M; r++) counts[order[r]][r]++;
  }
  const at = (count, level) => { let sum = 0; for (let r = 0; r < M; r++) { sum += count[r]; if (sum >= level * N - 1e-9) return r + 1; } return M; };
  return rows.map((row, i) => ({
    row, best: counts[i][0] / N, rank: at(counts[i], 0.5), lower: at(counts[i], 0.05), upper: at(counts[i], 0.95),
    mean: counts[i].reduce((sum, c, r) => sum + c * r, 0) / N,
    median: quantileOf(totals[i], 0.5), low: quantileOf(totals[i], 0.05), high: quantileOf(totals[i], 0.95),
  })).sort((a, b) => a.mean - b.mean);
}
