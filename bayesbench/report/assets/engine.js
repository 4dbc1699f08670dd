// Conditioning, prediction, recalibration and information of a new model, as in
// bayesbench/answers and bayesbench/design: the same algorithm on the draws packed in the page.
// Random numbers come from an object with normal, gamma, wald, uniform and strata, so that a test
// can pass in those that Python used. Matrices are flat, row by row; S draws, n scores, L latents.

const PLAUSIBLE = 2.5, PLAUSIBLE_FACTS = 2, CONTRADICTED = 5, LEAST_SHARE = 0.6;
const KEPT_STATES = 6, FARTHEST = 50, WIDE_NOISE = 9, LEAST_CUT = 1e-3, SWEEPS = 16;
const MIXTURE_POINTS = 16384, GOLDEN = (Math.sqrt(5) - 1) / 2, LINK_LINEAR = 12, UNSEEN_SEED = 1000000;
const LOG_MIXING = Array.from({ length: 20 }, (_, i) => -3.6 + 0.6 * i).filter((v) => v < 7.9);
const LOG_2PI = Math.log(2 * Math.PI);

// ---- packed data ----

function bytes(text) {
  const raw = atob(text), out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out;
}

/** Arrays of 16-bit numbers with a scale and an offset each, or of 32-bit floats. */
export function unpack(packed) {
  const { data, scale, offset } = packed;
  const buffer = bytes(data).buffer;
  if (scale === undefined) return new Float32Array(buffer);
  return Float32Array.from(new Uint16Array(buffer), (q) => offset + scale * q);
}

/** Effects (S, cells) from those (S, seen) that some score depends on: the others are drawn again
 *  from their law given the scales, in every page alike. */
export function withUnseen(values, seen, S, cells, seed, scale) {
  const bits = bytes(seen), at = [], free = [], out = new Float32Array(S * cells);
  for (let i = 0; i < cells; i++) (bits[i >> 3] & (128 >> (i & 7)) ? at : free).push(i);
  for (let s = 0; s < S; s++) {
    for (let n = 0; n < at.length; n++) out[s * cells + at[n]] = values[s * at.length + n];
    const z = generator(seed + s).normal(free.length);
    for (let n = 0; n < free.length; n++) out[s * cells + free[n]] = z[n] * scale(s, free[n]);
  }
  return out;
}

export function open(document) {
  const { S, B, kinds } = document, draws = {}, effects = document.draws.group_benchmark;
  for (const [name, packed] of Object.entries(document.draws)) draws[name] = unpack(packed);
  if (effects) {
    const K = kinds.length, k = kinds.indexOf("provider"), cells = document.providers.length * B;
    const scale = (s, i) => draws.scale_group_benchmark[s * K + k] * draws.noise_benchmark[s * B + i % B];
    draws.group_benchmark = withUnseen(draws.group_benchmark, effects.seen, S, cells, UNSEEN_SEED, scale);
  }
  return { ...document, draws, index: new Map(document.benchmarks.map((b, j) => [b.id, j])) };
}

// ---- small linear algebra and special functions ----

function cholesky(a, size) {
  const root = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * size + j];
      for (let k = 0; k < j; k++) sum -= root[i * size + k] * root[j * size + k];
      root[i * size + j] = i === j ? Math.sqrt(sum) : sum / root[j * size + j];
    }
  }
  return root;
}

function solveUpper(root, size, b) { // root' x = b
  return solveUpperIn(root, size, Float64Array.from(b));
}

function solveUpperIn(root, size, x) { // in place
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) x[i] -= root[k * size + i] * x[k];
    x[i] /= root[i * size + i];
  }
  return x;
}

function solve(root, size, b) { // root root' x = b
  return solveIn(root, size, Float64Array.from(b));
}

function solveIn(root, size, x) { // in place
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) x[i] -= root[i * size + k] * x[k];
    x[i] /= root[i * size + i];
  }
  return solveUpperIn(root, size, x);
}

function inverse(a, size) {
  const root = cholesky(a, size), out = new Float64Array(size * size);
  for (let j = 0; j < size; j++) {
    const unit = new Float64Array(size);
    unit[j] = 1;
    const column = solve(root, size, unit);
    for (let i = 0; i < size; i++) out[i * size + j] = column[i];
  }
  return out;
}

function logSumExp(values) {
  let top = -Infinity, sum = 0;
  for (const v of values) if (v > top) top = v;
  for (const v of values) sum += Math.exp(v - top);
  return Math.log(sum) + top;
}

export function logGamma(x) {
  let shift = 0;
  while (x < 10) { shift -= Math.log(x); x += 1; }
  const i = 1 / (x * x);
  const series = (1 / 12 - i * (1 / 360 - i * (1 / 1260 - i * (1 / 1680 - i / 1188)))) / x;
  return shift + (x - 0.5) * Math.log(x) - x + 0.5 * LOG_2PI + series;
}

function digamma(x) {
  let shift = 0;
  while (x < 10) { shift -= 1 / x; x += 1; }
  const i = 1 / (x * x);
  return shift + Math.log(x) - 0.5 / x - i * (1 / 12 - i * (1 / 120 - i * (1 / 252 - i / 240)));
}

export function entropyPower(nu) {
  if (nu >= 1e5) return 1;
  const half = nu / 2;
  const beta = logGamma(half) + logGamma(0.5) - logGamma(half + 0.5);
  const spread = (nu + 1) / 2 * (digamma(half + 0.5) - digamma(half)) + 0.5 * Math.log(nu) + beta;
  return Math.exp(2 * spread - Math.log(2 * Math.PI * Math.E));
}

const ERFC = [-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807,
  -1.13520398, 1.48851587, -0.82215223, 0.17087277];
const polynomial = (c, x) => c.reduceRight((value, each) => value * x + each, 0);

function logTail(x) {
  const size = Math.abs(x) / Math.SQRT2, t = 1 / (1 + 0.5 * size);
  const upper = Math.log(0.5 * t) - size * size + polynomial(ERFC, t);
  return x < 0 ? Math.log1p(-Math.exp(upper)) : upper;
}
const inverseMills = (x) => Math.exp(-0.5 * x * x - 0.5 * LOG_2PI - logTail(x));

function quantileOfTail(logP) {
  const t = Math.sqrt(-2 * logP);
  let x = t - polynomial([2.515517, 0.802853, 0.010328], t) /
    polynomial([1, 1.432788, 0.189269, 0.001308], t);
  for (let i = 0; i < 2; i++) x += (logTail(x) - logP) / inverseMills(x);
  return x;
}

function drawBeyond(edge, uniform) {
  const logP = logTail(edge) + Math.log(uniform), upper = logP <= -Math.LN2;
  const small = upper ? logP : Math.log(Math.max(-Math.expm1(logP), 2.2250738585072014e-308));
  const x = quantileOfTail(Math.min(small, -Math.LN2));
  return Math.max(upper ? x : -x, edge);
}

// ---- the link ----

const clipped = (x, low, high) => Math.min(Math.max(x, low), high);

export function toLatent(b, score) {
  let x = score;
  if (b.link === "logit") {
    const u = clipped((score - b.lower) / (b.upper - b.lower), b.clip, 1 - b.clip);
    x = Math.log(u) - Math.log1p(-u);
  } else if (b.link === "log") x = Math.log(Math.max(score - b.lower, b.clip));
  else if (b.link === "neglog") x = -Math.log(Math.max(b.upper - score, b.clip));
  return b.sign * (x - b.center) / b.spread;
}

function bend(x) {
  const excess = Math.max(Math.abs(x) / LINK_LINEAR - 1, 0);
  return excess > 0 ? Math.sign(x) * LINK_LINEAR * (1 + excess / (1 + excess)) : x;
}

export function toScore(b, latent) {
  const x = b.center + b.sign * b.spread * latent;
  if (b.link === "logit") {
    const bent = bend(x), part = Math.exp(-Math.abs(bent));
    const tail = (b.upper - b.lower) * part / (1 + part);
    return bent < 0 ? b.lower + tail : b.upper - tail;
  }
  if (b.link === "log") return b.lower + Math.exp(b.center + bend(x - b.center));
  if (b.link === "neglog") return b.upper - Math.exp(-(b.center + bend(x - b.center)));
  return x;
}

const margin = (b) => (b.link === "logit" ? b.clip * (b.upper - b.lower) : b.clip) * (1 + 1e-9);
const nearLow = (b, s) => b.lower !== null && s <= b.lower + margin(b);
const nearHigh = (b, s) => b.upper !== null && s >= b.upper - margin(b);

export function binomialVariance(b, latent) {
  if (b.link !== "logit" || b.n_items === null) return 0;
  const n = b.n_items, edge = Math.min(0.5 / Math.max(n, 1), 0.5);
  const x = clipped(b.center + b.sign * b.spread * latent, -50, 50);
  const p = clipped(1 / (1 + Math.exp(-x)), edge, 1 - edge);
  return 1 / (n * p * (1 - p) * b.spread ** 2);
}

/** Why a score cannot be taken, or "" if it can. */
export function refused(b, score) {
  if (!Number.isFinite(score)) return "not a number";
  if ((b.lower !== null && score < b.lower) || (b.upper !== null && score > b.upper)) {
    return `outside the scale ${b.lower ?? "-∞"} to ${b.upper ?? "∞"}`;
  }
  if ((b.lower === null || b.upper === null) && Math.abs(toLatent(b, score)) > FARTHEST) {
    return "far outside the fitted scores: is it on another scale?";
  }
  return "";
}

// ---- one model against fixed benchmarks ----

/** Standardised covariates, doubt and provider of what is told; `facts` holds parsed numbers. */
function rowOf(data, facts) {
  const x = [], doubt = [];
  for (const c of data.covariates) {
    const value = facts[c.name];
    if (value === undefined) { x.push(NaN); doubt.push(0); continue; }
    const held = c.reach > 0 ? c.reach : 1;
    const excess = c.reach > 0 ? value - clipped(value, c.low, c.high) : 0;
    const counted = Math.sign(excess) * held * -Math.expm1(-Math.abs(excess) / held);
    doubt.push(Math.min(Math.abs(excess - counted), 2 * held) / c.scale);
    x.push((value - excess + counted - c.location) / c.scale);
  }
  const provider = data.providers.indexOf(facts.provider);
  const unknown = data.kinds.map((kind) => !(kind === "provider" && provider >= 0));
  const known = (kind) => (unknown[data.kinds.indexOf(kind)] ? 0 : 1);
  const share = x.length ? x.filter((v) => !Number.isNaN(v)).length / x.length : 1;
  return { x, doubt, provider, unknown, told: [share, known("provider"), known("lineage")] };
}

function sideOf(data, row) {
  const { S, B, L, draws } = data, Q = data.families, P = data.covariates.length;
  const K = data.kinds.length, G = data.providers.length;
  const base = Float32Array.from(draws.benchmark_bias);
  const mean = new Float64Array(S * L), cov = new Float64Array(S * L * L), ratio = new Float64Array(S);
  for (let s = 0; s < S; s++) {
    for (let l = 0; l < L; l++) cov[s * L * L + l * L + l] = 1;
    for (let p = 0; p < P; p++) {
      const missing = Number.isNaN(row.x[p]), size = missing ? 1 : row.doubt[p];
      for (let l = 0; l < L; l++) {
        const a = draws.coefficients[(s * P + p) * L + l];
        if (!missing) mean[s * L + l] += row.x[p] * a;
        for (let m = 0; m < L; m++) {
          cov[s * L * L + l * L + m] += size * a * size * draws.coefficients[(s * P + p) * L + m];
        }
      }
    }
    for (let k = 0; k < K; k++) {
      if (!row.unknown[k]) continue;
      if (draws.scale_group_benchmark) ratio[s] += draws.scale_group_benchmark[s * K + k] ** 2;
      if (draws.scale_group_latent) {
        const extra = draws.scale_group_latent[s * K + k] ** 2;
        for (let l = 0; l < L; l++) cov[s * L * L + l * L + l] += extra;
      }
    }
    if (row.provider >= 0) {
      const g = s * G + row.provider;
      if (draws.group_latent) for (let l = 0; l < L; l++) mean[s * L + l] += draws.group_latent[g * L + l];
      if (draws.group_benchmark) for (let j = 0; j < B; j++) base[s * B + j] += draws.group_benchmark[g * B + j];
    }
  }
  const familyScale = new Float64Array(S);
  if (Q) for (let s = 0; s < S; s++) familyScale[s] = Math.max(draws.scale_family[s], 1e-6);
  const nu = draws.nu ? Float64Array.from(draws.nu) : new Float64Array(S).fill(Infinity);
  const rows = Int32Array.from({ length: S }, (_, s) => s);
  return { base, mean, cov, ratio, familyScale, nu, rows };
}

/** The problem of one model with these scores; effects on `families` are further latents. */
function scored(data, side, given, families) {
  const { S, B, L: size, draws } = data, n = given.length, L = size + families.length;
  const problem = {
    S, n, L, y: new Float64Array(S * n), loadings: new Float64Array(S * n * L),
    mean: new Float64Array(S * L), cov: new Float64Array(S * L * L),
    precision: new Float64Array(S * L * L), priorPull: new Float64Array(S * L),
    noiseVar: new Float64Array(S * n), blurVar: new Float64Array(S * n), ratio: side.ratio,
    nu: side.nu, shape: data.noise_shape, beyond: given.map((g) => g.beyond), hyperbolic: false,
    errorVar: given.map((g) => g.errorVar),
  };
  for (let s = 0; s < S; s++) {
    const r = side.rows[s];
    given.forEach((g, i) => {
      const j = g.column, at = (s * n + i) * L;
      problem.y[s * n + i] = g.z - side.base[s * B + j];
      problem.loadings[at] = draws.loading[r * B + j];
      for (let k = 1; k < size; k++) problem.loadings[at + k] = draws.weights[(r * B + j) * (size - 1) + k - 1];
      families.forEach((q, k) => { problem.loadings[at + size + k] = data.members[j][q]; });
      problem.noiseVar[s * n + i] = draws.noise_benchmark[r * B + j] ** 2;
      problem.blurVar[s * n + i] = side.ratio[s] * problem.noiseVar[s * n + i] + g.errorVar;
    });
    const cov = problem.cov.subarray(s * L * L, (s + 1) * L * L);
    for (let l = 0; l < size; l++) {
      problem.mean[s * L + l] = side.mean[s * size + l];
      for (let m = 0; m < size; m++) cov[l * L + m] = side.cov[(s * size + l) * size + m];
    }
    for (let l = size; l < L; l++) cov[l * L + l] = side.familyScale[s] ** 2;
    const precision = inverse(cov, L);
    problem.precision.set(precision, s * L * L);
    for (let l = 0; l < L; l++) {
      let sum = 0;
      for (let m = 0; m < L; m++) sum += precision[l * L + m] * problem.mean[s * L + m];
      problem.priorPull[s * L + l] = sum;
    }
  }
  return problem;
}

function priorPrediction(p) {
  return p.beyond.map((_, i) => {
    const offs = new Float64Array(p.S);
    let off = 0, variance = 0, around = 0;
    for (let s = 0; s < p.S; s++) {
      const at = (s * p.n + i) * p.L;
      let center = 0, spread = 0;
      for (let l = 0; l < p.L; l++) {
        center += p.loadings[at + l] * p.mean[s * p.L + l];
        for (let m = 0; m < p.L; m++) {
          spread += p.loadings[at + l] * p.cov[(s * p.L + l) * p.L + m] * p.loadings[at + m];
        }
      }
      offs[s] = p.y[s * p.n + i] - center;
      off += offs[s] / p.S;
      variance += (spread + p.noiseVar[s * p.n + i] + p.blurVar[s * p.n + i]) / p.S;
    }
    for (const o of offs) around += (o - off) ** 2 / p.S;
    return { off, sd: Math.sqrt(variance + around) };
  });
}

function strangeness(p) {
  const far = priorPrediction(p).map(({ off, sd }, i) =>
    p.beyond[i] && p.beyond[i] * off < 0 ? 0 : Math.abs(off) / sd);
  return Math.max(0, ...far);
}

function plausible(p) {
  const y = Float64Array.from(p.y);
  priorPrediction(p).forEach(({ off, sd }, i) => {
    const move = clipped(off, -PLAUSIBLE * sd, PLAUSIBLE * sd) - off;
    for (let s = 0; s < p.S; s++) y[s * p.n + i] += move;
  });
  return { ...p, y };
}

function start(p, rng) {
  const variance = new Float64Array(p.S).fill(1);
  if (p.shape !== null) {
    const g = rng.gamma(new Float64Array(p.S).fill(p.shape));
    for (let s = 0; s < p.S; s++) variance[s] = p.shape / g[s];
  }
  const shock = rng.strata(p.S, p.L), latents = new Float64Array(p.S * p.L);
  const root = new Float64Array(p.precision.length);
  for (let s = 0; s < p.S; s++) {
    const own = cholesky(p.precision.subarray(s * p.L * p.L, (s + 1) * p.L * p.L), p.L);
    root.set(own, s * p.L * p.L);
    const x = solveUpper(own, p.L, shock.slice(s * p.L, (s + 1) * p.L));
    for (let l = 0; l < p.L; l++) latents[s * p.L + l] = p.mean[s * p.L + l] + x[l];
  }
  return {
    latents, effects: new Float64Array(p.S * p.n), mixing: new Float64Array(p.S * p.n).fill(1),
    variance, scores: p.y, center: p.mean, root,
  };
}

/** Gaussian of the latents of draw s: root of the precision, and precision times mean. */
function gaussian(p, s, variance, y) {
  const root = new Float64Array(p.L * p.L), pull = new Float64Array(p.L);
  gaussianIn(p, s, variance, y, root, pull);
  return { root, pull };
}

function gaussianIn(p, s, variance, y, root, pull) { // into given arrays
  const { n, L, precision, priorPull, loadings } = p;
  for (let l = 0; l < L; l++) {
    pull[l] = priorPull[s * L + l];
    for (let m = 0; m <= l; m++) root[l * L + m] = precision[(s * L + l) * L + m];
  }
  for (let i = 0; i < n; i++) {
    const at = (s * n + i) * L, v = variance[s * n + i], value = y[s * n + i];
    for (let l = 0; l < L; l++) {
      const w = loadings[at + l] / v;
      pull[l] += w * value;
      for (let m = 0; m <= l; m++) root[l * L + m] += w * loadings[at + m];
    }
  }
  for (let i = 0; i < L; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = root[i * L + j];
      for (let k = 0; k < j; k++) sum -= root[i * L + k] * root[j * L + k];
      root[i * L + j] = i === j ? Math.sqrt(sum) : sum / root[j * L + j];
    }
  }
}

function behindBounds(p, state, totalVar, rng) {
  if (!p.beyond.some(Boolean)) return { y: p.y, standIn: p.y, standInVar: totalVar };
  const { S, n, L } = p, y = Float64Array.from(p.y);
  p.beyond.forEach((side, j) => { if (side) for (let s = 0; s < S; s++) y[s * n + j] = state.scores[s * n + j]; });
  const standIn = Float64Array.from(y), standInVar = Float64Array.from(totalVar);
  const columns = p.beyond.flatMap((side, j) => (side ? [j] : []));
  const uniforms = columns.map(() => rng.uniform(S));
  for (let s = 0; s < S; s++) {
    const { root, pull } = gaussian(p, s, totalVar, y), center = solve(root, L, pull);
    columns.forEach((j, k) => {
      const at = s * n + j, w = p.loadings.subarray(at * L, (at + 1) * L), v = totalVar[at];
      const spread = solve(root, L, w), side = p.beyond[j];
      let lever = 0, fit = 0;
      for (let l = 0; l < L; l++) { lever += w[l] * spread[l]; fit += w[l] * center[l]; }
      lever = clipped(lever / v, 0, 1 - 1e-9);
      const ownVar = v / (1 - lever), mean = y[at] - (y[at] - fit) / (1 - lever), sd = Math.sqrt(ownVar);
      const edge = side * (p.y[at] - mean) / sd, lift = inverseMills(edge);
      const drawn = mean + side * sd * drawBeyond(edge, 1 - uniforms[k][s]);
      const left = clipped(1 + edge * lift - lift * lift, LEAST_CUT, 1 - LEAST_CUT);
      standIn[at] = mean + side * sd * lift / (1 - left);
      standInVar[at] = Math.max(ownVar / (1 - left) - ownVar * lever, 1e-9);
      for (let l = 0; l < L; l++) center[l] += spread[l] * ((drawn - y[at]) / v);
      y[at] = drawn;
    });
  }
  return { y, standIn, standInVar };
}

function sweep(p, state, rng) {
  const { S, n, L } = p, N = S * n, noise = new Float64Array(N), total = new Float64Array(N);
  for (let i = 0; i < N; i++) {
    noise[i] = p.noiseVar[i] * state.variance[(i / n) | 0] / state.mixing[i];
    total[i] = noise[i] + p.blurVar[i];
  }
  const bounded = behindBounds(p, state, total, rng), z = rng.normal(S * L);
  const latents = new Float64Array(S * L), center = new Float64Array(S * L);
  const rootAll = new Float64Array(S * L * L), residual = new Float64Array(N);
  const atBound = p.beyond.some(Boolean);
  for (let s = 0; s < S; s++) {
    const root = rootAll.subarray(s * L * L, (s + 1) * L * L), middle = center.subarray(s * L, (s + 1) * L);
    const shock = z.subarray(s * L, (s + 1) * L);
    gaussianIn(p, s, total, bounded.y, root, middle);
    solveIn(root, L, middle);
    solveUpperIn(root, L, shock);
    for (let l = 0; l < L; l++) latents[s * L + l] = middle[l] + shock[l];
    if (atBound) {
      gaussianIn(p, s, bounded.standInVar, bounded.standIn, root, middle);
      solveIn(root, L, middle);
    }
    for (let i = 0; i < n; i++) {
      let fit = 0;
      for (let l = 0; l < L; l++) fit += p.loadings[(s * n + i) * L + l] * latents[s * L + l];
      residual[s * n + i] = bounded.y[s * n + i] - fit;
    }
  }
  const tiny = 2.2250738585072014e-308, first = rng.normal(N), blur = new Float64Array(N);
  for (let i = 0; i < N; i++) {
    const share = p.blurVar[i] / Math.max(p.blurVar[i] + noise[i], tiny);
    blur[i] = share * residual[i] + Math.sqrt(share * noise[i]) * first[i];
  }
  let effects = state.effects;
  if (p.ratio.some((r) => r !== 0)) {
    const second = rng.normal(N);
    effects = new Float64Array(N);
    for (let i = 0; i < N; i++) {
      const own = p.ratio[(i / n) | 0] * p.noiseVar[i], error = p.errorVar[i % n];
      const share = own / Math.max(own + error, tiny);
      effects[i] = share * blur[i] + Math.sqrt(share * error) * second[i];
    }
  }
  const squared = residual.map((r, i) => (r - blur[i]) ** 2 / p.noiseVar[i]);
  let { variance, mixing } = state;
  if (p.shape !== null) {
    const g = rng.gamma(new Float64Array(S).fill(p.shape + 0.5 * n)), old = mixing;
    variance = new Float64Array(S);
    for (let s = 0; s < S; s++) {
      let rate = 0;
      for (let i = 0; i < n; i++) rate += old[s * n + i] * squared[s * n + i];
      variance[s] = (p.shape + 0.5 * rate) / g[s];
    }
  }
  if (Number.isFinite(p.nu[0])) {
    const scaled = squared.map((q, i) => q / variance[(i / n) | 0]);
    if (p.hyperbolic) {
      const mean = new Float64Array(N), shape = new Float64Array(N);
      for (let i = 0; i < N; i++) {
        const nu = p.nu[(i / n) | 0], a = (nu + 1) / (2 * Math.sqrt(nu));
        mean[i] = a / Math.sqrt(nu / 4 + scaled[i]);
        shape[i] = a * a;
      }
      mixing = rng.wald(mean, shape);
    } else {
      const g = rng.gamma(scaled.map((_, i) => 0.5 * (p.nu[(i / n) | 0] + 1)));
      mixing = scaled.map((q, i) => Math.max(g[i], 1e-12) / (0.5 * (p.nu[(i / n) | 0] + q)));
    }
  }
  return { latents, effects, mixing, variance, scores: bounded.y, center, root: rootAll };
}

function logGaussian(x, center, root, size) { // root of the precision, lower
  let sum = -0.5 * size * LOG_2PI;
  for (let l = 0; l < size; l++) {
    let standard = 0;
    for (let k = l; k < size; k++) standard += root[k * size + l] * (x[k] - center[k]);
    sum += Math.log(root[l * size + l]) - 0.5 * standard * standard;
  }
  return sum;
}

/** Log evidence of the scores for every draw, by importance sampling over the latents. */
function logEvidence(p, states, rng) {
  const { S, n, L } = p, mixes = Number.isFinite(p.nu[0]);
  const proposals = states.map((state) => ({ center: state.center, root: state.root }));
  if (mixes || p.shape !== null || p.beyond.some(Boolean)) {
    const last = states[states.length - 1], variance = new Float64Array(S * n);
    for (let i = 0; i < S * n; i++) {
      variance[i] = WIDE_NOISE * p.noiseVar[i] * last.variance[(i / n) | 0] + p.blurVar[i];
    }
    const center = new Float64Array(S * L), rootAll = new Float64Array(S * L * L);
    for (let s = 0; s < S; s++) {
      const { root, pull } = gaussian(p, s, variance, p.y);
      center.set(solve(root, L, pull), s * L);
      rootAll.set(root, s * L * L);
    }
    proposals.push({ center, root: rootAll });
  }
  const normals = proposals.map(() => rng.normal(S * L)), K = proposals.length;
  let grid = [1], gridWeight = [0];
  if (p.shape !== null) {
    const logV = Array.from({ length: 9 }, (_, i) => (-3.5 + i * 9.5 / 8) / Math.sqrt(p.shape));
    const weight = logV.map((v) => -p.shape * (v + Math.exp(-v))), all = logSumExp(weight);
    grid = logV.map(Math.exp);
    gridWeight = weight.map((w) => w - all);
  }
  const mixed = p.beyond.map((side, i) => {
    if (side || !mixes) return true;
    for (let s = 0; s < S; s++) if (p.blurVar[s * n + i] !== 0) return true;
    return false;
  });
  const mixVar = mixes ? LOG_MIXING.map(Math.exp) : [1], out = new Float64Array(S);
  const x = new Float64Array(L), over = new Float64Array(grid.length), terms = new Float64Array(K);
  const V = grid.length, W = mixVar.length, parts = new Float64Array(W), among = new Float64Array(K);
  const half = new Float64Array(n * V * W), level = new Float64Array(n * V * W); // of the normal laws
  for (let s = 0; s < S; s++) {
    const nu = p.nu[s];
    const roots = proposals.map((q) => q.root.subarray(s * L * L, (s + 1) * L * L));
    const centers = proposals.map((q) => q.center.subarray(s * L, (s + 1) * L));
    const priorRoot = cholesky(p.precision.subarray(s * L * L, (s + 1) * L * L), L);
    const priorMean = p.mean.subarray(s * L, (s + 1) * L);
    const raw = mixes ? LOG_MIXING.map((m, w) => -nu / 2 * (m + 1 / mixVar[w])) : [0];
    const all = logSumExp(raw), mixWeight = raw.map((w) => w - all);
    const constant = mixes ? logGamma((nu + 1) / 2) - logGamma(nu / 2) - 0.5 * Math.log(nu * Math.PI) : 0;
    for (let i = 0; i < n; i++) {
      if (!mixed[i] || p.beyond[i]) continue;
      for (let v = 0; v < V; v++) {
        for (let w = 0; w < W; w++) {
          const variance = mixVar[w] * (grid[v] * p.noiseVar[s * n + i]) + p.blurVar[s * n + i], to = (i * V + v) * W + w;
          half[to] = -0.5 / variance;
          level[to] = mixWeight[w] - 0.5 * (LOG_2PI + Math.log(variance));
        }
      }
    }
    for (let k = 0; k < K; k++) {
      const shock = solveUpper(roots[k], L, normals[k].slice(s * L, (s + 1) * L));
      for (let l = 0; l < L; l++) x[l] = centers[k][l] + shock[l];
      for (let q = 0; q < K; q++) among[q] = logGaussian(x, centers[q], roots[q], L);
      const proposal = logSumExp(among) - Math.log(K);
      over.set(gridWeight);
      for (let i = 0; i < n; i++) {
        const at = s * n + i;
        let fit = 0;
        for (let l = 0; l < L; l++) fit += p.loadings[at * L + l] * x[l];
        const residual = p.y[at] - fit, side = p.beyond[i];
        for (let v = 0; v < grid.length; v++) {
          const noise = grid[v] * p.noiseVar[at];
          if (!mixed[i]) {
            over[v] += constant - 0.5 * Math.log(noise) - 0.5 * (nu + 1) * Math.log1p(residual ** 2 / noise / nu);
            continue;
          }
          const from = (i * V + v) * W;
          let top = -Infinity, sum = 0;
          for (let w = 0; w < W; w++) {
            parts[w] = side ? mixWeight[w] + logTail(side * residual / Math.sqrt(mixVar[w] * noise + p.blurVar[at]))
              : level[from + w] + half[from + w] * residual * residual;
            if (parts[w] > top) top = parts[w];
          }
          // what is smaller by e^40 does not show in a double
          for (let w = 0; w < W; w++) if (parts[w] > top - 40) sum += Math.exp(parts[w] - top);
          over[v] += top + Math.log(sum);
        }
      }
      terms[k] = logGaussian(x, priorMean, priorRoot, L) + logSumExp(over) - proposal;
    }
    out[s] = logSumExp(terms) - Math.log(K);
  }
  return out;
}

// ---- weights ----

function paretoShape(x) {
  const n = x.length, m = 30 + Math.floor(Math.sqrt(n)), quarter = x[Math.floor(n / 4 + 0.5) - 1];
  const theta = Array.from({ length: m }, (_, i) =>
    (1 - Math.sqrt(m / (i + 0.5))) / (3 * quarter) + 1 / x[n - 1]);
  const mean = (t) => x.reduce((sum, v) => sum + Math.log1p(-t * v), 0) / n;
  const profile = theta.map((t) => { const k = mean(t); return n * (Math.log(-t / k) - k - 1); });
  const top = Math.max(...profile);
  let weight = profile.map((v) => Math.exp(v - top));
  const sum = weight.reduce((a, b) => a + b, 0);
  weight = weight.map((w) => (w >= 10 * Number.EPSILON * sum ? w : 0));
  const best = theta.reduce((a, t, i) => a + t * weight[i], 0) / weight.reduce((a, b) => a + b, 0);
  const k = mean(best);
  return [(n * k + 5) / (n + 10), -k / best];
}

const normalised = (w) => { const sum = w.reduce((a, b) => a + b, 0); return w.map((v) => v / sum); };

function smoothedWeights(given) {
  const top = Math.max(...given), logW = Array.from(given, (v) => v - top), n = logW.length;
  const nTail = n > 225 ? Math.floor(3 * Math.sqrt(n)) : Math.floor(n / 5);
  if (nTail >= 5) {
    const order = logW.map((_, i) => i).sort((a, b) => logW[a] - logW[b] || a - b);
    const tail = order.slice(-nTail), cutoff = Math.exp(logW[order[n - nTail - 1]]);
    const excess = tail.map((i) => Math.exp(logW[i]) - cutoff);
    if (excess[nTail - 1] > excess[0] && excess[Math.floor(nTail / 4 + 0.5) - 1] > 0) {
      const [k, scale] = paretoShape(excess);
      tail.forEach((i, r) => {
        const fitted = cutoff + scale * Math.expm1(-k * Math.log1p(-(r + 0.5) / nTail)) / k;
        logW[i] = Math.min(Math.log(fitted), 0);
      });
    }
  }
  const most = Math.max(...logW);
  return normalised(logW.map((v) => Math.exp(v - most)));
}

const effectiveShare = (w) => 1 / (w.length * w.reduce((a, b) => a + b * b, 0));

function tempered(given) {
  if (effectiveShare(given) >= LEAST_SHARE) return normalised(given);
  const top = Math.max(...given), logW = given.map((w) => Math.log(w / top));
  const at = (power) => normalised(logW.map((v) => Math.exp(power * v)));
  let low = 0, high = 1;
  for (let i = 0; i < 40; i++) {
    const middle = 0.5 * (low + high);
    if (effectiveShare(at(middle)) >= LEAST_SHARE) low = middle; else high = middle;
  }
  return at(low);
}

function resample(weights, first) {
  const n = weights.length, edges = [], out = new Int32Array(n);
  weights.reduce((sum, w) => { edges.push(sum + w); return sum + w; }, 0);
  for (let i = 0, at = 0; i < n; i++) {
    const point = (i + first) / n * edges[n - 1];
    while (at < n - 1 && edges[at] <= point) at++;
    out[i] = at;
  }
  return out;
}

/** The parts of flat arrays that belong to some draws. */
function atDraws(value, index, S) {
  const out = { ...value };
  for (const [name, array] of Object.entries(value)) {
    if (!ArrayBuffer.isView(array)) continue;
    const width = array.length / S, kept = new array.constructor(array.length);
    index.forEach((from, to) => kept.set(array.subarray(from * width, (from + 1) * width), to * width));
    out[name] = kept;
  }
  return out;
}

// ---- conditioning ----

/** Joint draws of a new model over the benchmarks given scores (by id) and facts. */
export function condition(data, scores, facts, rng) {
  const { S, B, L, draws } = data, row = rowOf(data, facts), given = [];
  const observed = new Array(B).fill(null);
  for (const [id, score] of Object.entries(scores)) observed[data.index.get(id)] = score;
  observed.forEach((score, column) => {
    if (score === null) return;
    const b = data.benchmarks[column], z = toLatent(b, score);
    const side = (nearHigh(b, score) ? 1 : 0) - (nearLow(b, score) ? 1 : 0);
    given.push({
      column, z, errorVar: data.item_noise * binomialVariance(b, z),
      beyond: data.censored ? side * b.sign : 0,
    });
  });
  let side = sideOf(data, row);
  if (Object.keys(facts).length) {
    const excess = strangeness(scored(data, side, given, [])) - PLAUSIBLE_FACTS;
    const factor = 1 + (CONTRADICTED - 1) * clipped(excess / PLAUSIBLE_FACTS, 0, 1);
    side.cov = side.cov.map((v) => v * factor);
  }
  const families = [];
  for (let q = 0; q < data.families; q++) {
    if (given.some((g) => data.members[g.column][q] !== 0)) families.push(q);
  }
  let problem = scored(data, side, given, families), state;
  if (!given.length) state = start(problem, rng);
  else {
    const learned = plausible(problem);
    const states = [start(learned, rng)];
    for (let i = 0; i < SWEEPS / 2; i++) {
      states.push(sweep(learned, states[states.length - 1], rng));
      if (states.length > KEPT_STATES) states.shift();
    }
    const apart = rng.spawn();
    const weights = tempered(smoothedWeights(logEvidence(learned, states, apart)));
    const index = resample(weights, apart.uniform(1)[0]);
    problem = { ...atDraws(problem, index, S), shape: null, hyperbolic: true };
    side = atDraws(side, index, S);
    state = atDraws(states[states.length - 1], index, S);
    for (let i = 0; i < SWEEPS / 2; i++) state = sweep(problem, state, rng);
  }
  const eta = new Float64Array(S * B), scale = new Float64Array(S * B), F = L + families.length;
  const familyShock = data.families ? rng.strata(S, data.families) : null;
  const own = side.ratio.some((r) => r !== 0) ? rng.strata(S, B) : null;
  const place = new Map(given.map((g, i) => [g.column, i]));
  const belongs = data.members.map((members) => members.flatMap((member, q) =>
    (member ? [{ q, member, at: families.indexOf(q) }] : [])));
  for (let s = 0; s < S; s++) {
    const r = side.rows[s], latents = Float32Array.from(state.latents.subarray(s * F, s * F + L));
    for (let j = 0; j < B; j++) {
      let value = side.base[s * B + j] + draws.loading[r * B + j] * latents[0];
      for (let k = 1; k < L; k++) value += draws.weights[(r * B + j) * (L - 1) + k - 1] * latents[k];
      for (const { q, member, at } of belongs[j]) {
        value += member * (at >= 0 ? state.latents[s * F + L + at]
          : familyShock[s * data.families + q] * side.familyScale[s]);
      }
      const noise = draws.noise_benchmark[r * B + j];
      if (own) {
        value += place.has(j) ? state.effects[s * given.length + place.get(j)]
          : own[s * B + j] * Math.sqrt(side.ratio[s]) * noise;
      }
      eta[s * B + j] = value;
      scale[s * B + j] = noise * Math.sqrt(state.variance[s]);
      if (data.item_noise && data.benchmarks[j].n_items !== null) {
        const items = data.item_noise * binomialVariance(data.benchmarks[j], value);
        scale[s * B + j] = Math.sqrt(scale[s * B + j] ** 2 + items);
      }
    }
  }
  return { eta, scale, nu: side.nu, observed, told: row.told };
}

// ---- prediction ----

const tails = new Map();

function tailOf(nu) {
  if (tails.has(nu)) return tails.get(nu);
  const N = 4001, top = Math.asinh(nu < 30 ? 1e7 : 60), density = new Float64Array(N), u = [];
  for (let i = 0; i < N; i++) {
    u.push(i * top / (N - 1));
    const q = Math.sinh(u[i]) ** 2;
    const shape = Number.isFinite(nu) ? -0.5 * (nu + 1) * Math.log1p(q / nu) : -0.5 * q;
    density[i] = Math.exp(shape) * Math.cosh(u[i]);
  }
  const gradient = (f) => f.map((_, i) =>
    i === 0 ? f[1] - f[0] : i === N - 1 ? f[N - 1] - f[N - 2] : (f[i + 1] - f[i - 1]) / 2);
  const curve = gradient(gradient(density)), tail = new Float64Array(N - 1);
  for (let i = N - 2, sum = 0; i >= 0; i--) {
    sum += Math.max(0.5 * (density[i] + density[i + 1]) - (curve[i] + curve[i + 1]) / 24, 0);
    tail[i] = sum;
  }
  const log = [], at = [];
  for (let i = 0; i < N - 1; i++) {
    if (tail[i] > tail[0] * 1e-14) { log.push(-Math.log(0.5 * tail[i] / tail[0])); at.push(u[i]); }
  }
  tails.set(nu, { log, at });
  return tails.get(nu);
}

function interpolate(x, xs, ys) {
  if (x <= xs[0]) return ys[0];
  if (x >= xs[xs.length - 1]) return ys[ys.length - 1];
  let low = 0, high = xs.length - 1;
  while (high - low > 1) { const m = (low + high) >> 1; if (xs[m] <= x) low = m; else high = m; }
  return ys[low] + (ys[high] - ys[low]) / (xs[high] - xs[low]) * (x - xs[low]);
}

function noiseQuantile(level, nu) {
  const { log, at } = tailOf(nu), size = Math.sinh(interpolate(-Math.log(Math.min(level, 1 - level)), log, at));
  return level < 0.5 ? -size : size;
}

const noisePoints = new Map(); // by place in the order of nu and nu itself: few of them differ

function stratifiedPoints(nu, R) {
  const order = Array.from(nu, (_, s) => s).sort((a, b) => nu[a] - nu[b] || a - b);
  const points = new Float32Array(nu.length * R);
  order.forEach((s, turn) => {
    const key = `${turn}:${nu[s]}:${R}`;
    if (!noisePoints.has(key)) {
      const offset = clipped(((turn + 0.5) * GOLDEN) % 1, 1e-6, 1 - 1e-6);
      noisePoints.set(key, Float32Array.from({ length: R }, (_, r) => noiseQuantile((r + offset) / R, nu[s])));
    }
    points.set(noisePoints.get(key), s * R);
  });
  return points;
}

let workspace = null;

/** Order statistics at some ranks: the points are dealt into bins, then set right by insertion. */
function orderStatistics(points, ranks, low, high) {
  const BINS = 2048, N = points.length, width = BINS / (high - low || 1);
  if (!workspace || workspace.bin.length !== N) workspace = { bin: new Uint16Array(N), count: new Int32Array(BINS + 1), sorted: new Float32Array(N) };
  const { bin, count, sorted } = workspace;
  count.fill(0);
  for (let i = 0; i < N; i++) {
    const b = (points[i] - low) * width;
    bin[i] = b <= 0 ? 0 : b >= BINS - 1 ? BINS - 1 : b | 0;
    count[bin[i] + 1]++;
  }
  let most = 0;
  for (let b = 0; b < BINS; b++) { if (count[b + 1] > most) most = count[b + 1]; count[b + 1] += count[b]; }
  for (let i = 0; i < N; i++) sorted[count[bin[i]]++] = points[i];
  if (most > 256) sorted.sort();
  else {
    for (let i = 1; i < N; i++) {
      const value = sorted[i];
      let k = i - 1;
      while (k >= 0 && sorted[k] > value) { sorted[k + 1] = sorted[k]; k--; }
      sorted[k + 1] = value;
    }
  }
  return ranks.map((rank) => sorted[rank]);
}

/** Recalibrated latent quantiles (B rows) of a reading, and the score quantiles made of them.
    With `only`, a list of columns, the other rows are null; `mixture`: points of the
    law of a reading, by default as many as in Python. */
export function predict(data, latent, { only = null, mixture = MIXTURE_POINTS } = {}) {
  const { S, B, levels } = data, R = Math.max(4, Math.ceil(mixture / S)), N = S * R;
  const noise = stratifiedPoints(latent.nu, R), points = new Float32Array(N);
  const ranks = [], share = [];
  for (const level of levels) {
    const position = clipped(level * N - 0.5, 0, N - 1), below = Math.min(Math.floor(position), N - 2);
    ranks.push(below, below + 1);
    share.push(position - below);
  }
  const known = latent.observed.filter((v) => v !== null).length, cells = [];
  for (let j = 0; j < B; j++) {
    if (only !== null && !only.includes(j)) { cells.push(null); continue; }
    let mean = 0, square = 0, wide = 0;
    for (let s = 0; s < S; s++) {
      const eta = Math.fround(latent.eta[s * B + j]), scale = Math.fround(latent.scale[s * B + j]);
      mean += latent.eta[s * B + j] / S;
      wide += scale / S;
      for (let r = 0; r < R; r++) points[s * R + r] = Math.fround(scale * noise[s * R + r]) + eta;
    }
    for (let s = 0; s < S; s++) square += (latent.eta[s * B + j] - mean) ** 2 / S;
    const etaSd = Math.sqrt(square), reach = 4 * (etaSd + wide) + 1e-9;
    const value = orderStatistics(points, ranks, mean - reach, mean + reach);
    const latentQuantiles = levels.map((level, i) =>
      value[2 * i] * (1 - share[i]) + value[2 * i + 1] * share[i] + 1e-6 * (level - 0.5));
    const quantiles = recalibrated(data, j, latentQuantiles, etaSd, known, latent.told);
    cells.push({ quantiles, raw: latentQuantiles, score: scoreQuantiles(data.benchmarks[j], levels, quantiles) });
  }
  return cells;
}

function scoreQuantiles(b, levels, quantiles) {
  const scores = quantiles.map((q) => toScore(b, q));
  if (b.sign < 0) scores.reverse();
  return scores.map((s, i) => {
    if (levels[i] < 0.5 && nearLow(b, s)) return b.lower;
    return levels[i] > 0.5 && nearHigh(b, s) ? b.upper : s;
  });
}

const at = (levels, p) => levels.reduce((best, v, i) => (Math.abs(v - p) < Math.abs(levels[best] - p) ? i : best), 0);

function recalibrated(data, j, q, etaSd, known, told) {
  const c = data.calibration;
  if (!c) return q;
  const { levels } = data, b = data.benchmarks[j];
  const [q05, q25, q50, q75, q95] = [0.05, 0.25, 0.5, 0.75, 0.95].map((p) => q[at(levels, p)]);
  const bounded = b.link === "logit", link = b.center + b.sign * b.spread * q50;
  const level = bounded ? clipped(link, -5, 5) : 0, middle = Math.max(q75 - q25, 1e-6);
  const features = [
    Math.log(middle), Math.log(Math.max(q95 - q05, 1e-6) / middle), level, level * level,
    Math.max(Math.abs(level) - 3, 0), Math.log(known + 1), Math.log(b.scored + 1), bounded ? 0 : 1,
    known === 0 ? 1 : 0, Math.log(Math.max(etaSd, 1e-6)), ...told,
  ];
  const standard = features.map((f, i) => clipped((f - c.location[i]) / c.scale[i], -4, 4));
  const linear = (k) => standard.reduce((sum, f, i) => sum + f * k[i + 1], k[0]);
  const center = q50 + linear(c.shift) * Math.max((q75 - q25) / 1.349, 1e-3);
  const below = Math.exp(linear(c.lower)), above = Math.exp(linear(c.upper));
  return c.relative.map((e) => center + (e < 0 ? below : above) * e);
}

/** Score quantile at a level that is kept, or between two that are. */
export function quantile(data, j, cell, wanted) {
  const b = data.benchmarks[j], level = b.sign > 0 ? wanted : 1 - wanted;
  const score = toScore(b, interpolate(level, data.levels, cell.quantiles));
  if (wanted < 0.5 && nearLow(b, score)) return b.lower;
  return wanted > 0.5 && nearHigh(b, score) ? b.upper : score;
}

/** Probability of a score of at most `score`. */
export function atMost(data, cell, score) {
  const q = cell.score, N = q.length;
  if (score < q[0]) return 0;
  if (score >= q[N - 1]) return 1;
  let i = N - 2;
  while (q[i] > score) i--;
  return data.levels[i] + (score - q[i]) / (q[i + 1] - q[i]) * (data.levels[i + 1] - data.levels[i]);
}

/** Probability of a score of at least `score`. */
export function atLeast(data, cell, score) {
  const q = cell.score, N = q.length;
  if (score <= q[0]) return 1;
  if (score > q[N - 1]) return 0;
  let i = 0;
  while (q[i + 1] < score) i++;
  const part = (score - q[i]) / (q[i + 1] - q[i]);
  return 1 - (data.levels[i] + part * (data.levels[i + 1] - data.levels[i]));
}

// ---- information ----

/** Covariance of eta and mean noise variance over draws, and which benchmarks have no score yet. */
function momentsOf(data, latent) {
  const { S, B } = data, { eta, scale, nu, observed } = latent;
  const mean = new Float64Array(B), centred = new Float64Array(S * B), noise = new Float64Array(B);
  const power = new Map(Array.from(new Set(nu), (v) => [v, entropyPower(v)]));
  for (let s = 0; s < S; s++) for (let j = 0; j < B; j++) mean[j] += eta[s * B + j] / S;
  for (let s = 0; s < S; s++) {
    const own = power.get(nu[s]) / S;
    for (let j = 0; j < B; j++) {
      centred[s * B + j] = eta[s * B + j] - mean[j];
      noise[j] += own * scale[s * B + j] ** 2;
    }
  }
  const open = observed.flatMap((v, j) => (v === null ? [j] : [])), signal = new Float64Array(B * B);
  for (let i = 0; i < B; i++) {
    for (let s = 0; s < S; s++) {
      const c = centred[s * B + i] / (S - 1), at = s * B;
      for (let j = i; j < B; j++) signal[i * B + j] += c * centred[at + j];
    }
    for (let j = 0; j < i; j++) signal[i * B + j] = signal[j * B + i];
  }
  return { signal, noise, open };
}

/** Information of each benchmark alone about all others (nats), and correlations of the levels. */
export function alone(data, latent) {
  const { S, B } = data, { signal, noise, open } = momentsOf(data, latent), gains = new Float64Array(B);
  for (const c of open) {
    const own = signal[c * B + c], total = own + noise[c];
    for (const t of open) {
      if (t === c) continue;
      const other = signal[t * B + t], squared = signal[c * B + t] ** 2 - own * other / (S - 1);
      gains[c] += -0.5 * Math.log1p(-Math.min(squared / (total * (other + noise[t])), 1 - 1e-12));
    }
    gains[c] = Math.max(gains[c], 0);
  }
  const correlation = (i, j) => signal[i * B + j] / Math.sqrt(signal[i * B + i] * signal[j * B + j] || 1);
  return { gains, correlation };
}

/** Covariance once a benchmark has been read. */
function afterReading({ signal, noise }, B, index) {
  const out = Float64Array.from(signal), total = signal[index * B + index] + noise[index];
  for (let i = 0; i < B; i++) {
    const c = signal[i * B + index] / total;
    for (let j = 0; j < B; j++) out[i * B + j] -= c * signal[j * B + index];
  }
  return out;
}

/** Greedy choice by expected information about all that is not scored yet, per cost if given. */
export function informative(data, latent, k, costs = null) {
  const { S, B } = data, state = momentsOf(data, latent), { noise } = state;
  let { signal, open } = state, left = open.filter((j) => costs === null || costs[j] !== null);
  const chosen = [];
  while (left.length && chosen.length < k) {
    let best = -1, bestWorth = -Infinity, bestGain = 0;
    for (const c of left) {
      const own = signal[c * B + c], ownTotal = own + noise[c];
      let gain = 0;
      for (const t of open) {
        if (t === c) continue;
        const other = signal[t * B + t], squared = signal[c * B + t] ** 2 - own * other / (S - 1);
        gain += -0.5 * Math.log1p(-Math.min(squared / (ownTotal * (other + noise[t])), 1 - 1e-12));
      }
      gain = Math.max(gain, 0);
      const worth = gain / (costs === null ? 1 : costs[c]);
      if (worth > bestWorth) { best = c; bestWorth = worth; bestGain = gain; }
    }
    chosen.push({ column: best, gain: bestGain });
    left = left.filter((j) => j !== best);
    open = open.filter((j) => j !== best);
    signal = afterReading({ signal, noise }, B, best);
  }
  return chosen;
}

// ---- a batch within a budget ----

/** The covariance with the chance part of a sample covariance taken out. */
function withoutChance({ signal, noise, open }, S, B) {
  const chance = (B - 1) / (S - 1), kept = new Float64Array(B);
  for (let i = 0; i < B; i++) {
    let found = 0;
    for (let j = 0; j < B; j++) {
      const product = signal[i * B + i] * signal[j * B + j];
      if (j !== i && product > 0) found += signal[i * B + j] ** 2 / product;
    }
    kept[i] = found > 0 ? Math.max(1 - chance / found, 0) ** 0.25 : 0;
  }
  const out = Float64Array.from(signal, (v, at) => {
    const i = Math.floor(at / B), j = at % B;
    return i === j ? Math.max(v, 0) : v * kept[i] * kept[j];
  });
  return { signal: out, noise, open };
}

function addedBy(run, c, B) {
  const { signal, noise, open, batch } = run, own = signal[c * B + c] + noise[c];
  let sum = 0;
  for (const t of open) {
    if (batch.includes(t)) continue;
    if (t === c) { sum += Math.max(0.5 * Math.log(own / noise[c]), 0); continue; }
    const share = signal[c * B + t] ** 2 / (own * (signal[t * B + t] + noise[t]));
    sum += -0.5 * Math.log1p(-Math.min(share, 1 - 1e-12));
  }
  return sum;
}

const runThen = (run, c, added, B) => ({
  ...run, signal: afterReading(run, B, c), batch: [...run.batch, c], worth: run.worth + added,
});

function grown(run, price, limit, perCost, B) {
  let left = limit - run.batch.reduce((sum, j) => sum + price.get(j), 0);
  for (;;) {
    let best = -1, bestWorth = -Infinity, bestAdded = 0;
    for (const [j, cost] of price) {
      if (cost > left || run.batch.includes(j)) continue;
      const added = addedBy(run, j, B), worth = perCost ? added / cost : added;
      if (worth > bestWorth) { best = j; bestWorth = worth; bestAdded = added; }
    }
    if (best < 0) return run;
    run = runThen(run, best, bestAdded, B);
    left -= price.get(best);
  }
}

function* batches(run, rest, price, left, B) {
  yield run;
  const payable = rest.filter((j) => price.get(j) <= left);
  for (let i = 0; i < payable.length; i++) {
    const j = payable[i], after = runThen(run, j, addedBy(run, j, B), B);
    yield* batches(after, payable.slice(i + 1), price, left - price.get(j), B);
  }
}

/** The benchmarks to run within a budget, best per cost first, with what each adds (nats). */
export function withinBudget(data, latent, costs, budget) {
  const { S, B } = data, start = { ...withoutChance(momentsOf(data, latent), S, B), batch: [], worth: 0 };
  const limit = budget * (1 + 1e-12);
  const price = new Map(start.open.filter((j) => costs[j] !== null && costs[j] <= limit).map((j) => [j, costs[j]]));
  const paid = (batch) => batch.reduce((sum, j) => sum + price.get(j), 0), all = Array.from(price.keys());
  let best = all;
  if (paid(all) > limit && all.length <= 10) {
    const found = Array.from(batches(start, all, price, limit, B)), top = Math.max(...found.map((r) => r.worth));
    best = found.filter((r) => r.worth >= top - 1e-9).map((r) => r.batch)
      .reduce((a, b) => (paid(b) < paid(a) ? b : a));
  } else if (paid(all) > limit) {
    const added = all.map((j) => addedBy(start, j, B)), most = added.indexOf(Math.max(...added));
    const runs = [grown(start, price, limit, true, B), grown(start, price, limit, false, B),
      grown(runThen(start, all[most], added[most], B), price, limit, true, B)];
    best = runs.reduce((a, b) => (b.worth > a.worth ? b : a)).batch;
  }
  const steps = [];
  for (let run = start, rest = Array.from(best); rest.length;) {
    const added = rest.map((j) => addedBy(run, j, B)), worth = added.map((v, i) => v / price.get(rest[i]));
    if (!(Math.max(...added) > 1e-9)) break;
    const at = worth.indexOf(Math.max(...worth));
    steps.push({ column: rest[at], gain: added[at] });
    run = runThen(run, rest[at], added[at], B);
    rest = rest.filter((_, i) => i !== at);
  }
  return steps;
}

// ---- random numbers ----

/** Random numbers of a seed (sfc32). */
export function generator(seed) {
  let a = 0x9e3779b9, b = 0x243f6a88, c = seed | 0, d = 1;
  const next = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0; a = b ^ (b >>> 9); b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11); c = (c + t) | 0;
    return ((t >>> 0) + 0.5) / 4294967296;
  };
  for (let i = 0; i < 15; i++) next();
  const normal = () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
  const gamma = (shape) => { // Marsaglia and Tsang (2000), doi:10.1145/358407.358414
    if (shape < 1) return gamma(shape + 1) * next() ** (1 / shape);
    const e = shape - 1 / 3, f = 1 / Math.sqrt(9 * e);
    for (;;) {
      const x = normal(), v = (1 + f * x) ** 3;
      if (v > 0 && Math.log(next()) < 0.5 * x * x + e - e * v + e * Math.log(v)) return e * v;
    }
  };
  const wald = (mean, shape) => { // Michael, Schucany and Haas (1976), doi:10.2307/2683801
    const y = mean * normal() ** 2, u = next();
    const x = mean + mean / (2 * shape) * (y - Math.sqrt(4 * shape * y + y * y));
    return u <= mean / (mean + x) ? x : mean * mean / x;
  };
  return {
    normal: (n) => Float64Array.from({ length: n }, normal),
    uniform: (n) => Float64Array.from({ length: n }, next),
    gamma: (shape) => shape.map((v) => gamma(v)),
    wald: (mean, shape) => mean.map((m, i) => wald(m, shape[i])),
    strata: (rows, columns) => {
      const out = new Float64Array(rows * columns);
      const points = Array.from({ length: rows }, (_, i) => noiseQuantile((i + 0.5) / rows, Infinity));
      for (let j = 0; j < columns; j++) {
        for (let i = rows - 1; i > 0; i--) {
          const k = Math.floor(next() * (i + 1));
          [points[i], points[k]] = [points[k], points[i]];
        }
        for (let i = 0; i < rows; i++) out[i * columns + j] = points[i];
      }
      return out;
    },
    spawn: () => generator(Math.floor(next() * 4294967296)),
  };
}
