// Checks: whether the chains agree and the predictions are honest, and where all comes from.
import * as words from "./words.js";
import * as widgets from "./widgets.js";

const { h, number } = words;

/** Half width of what holds 95 % of the shares of n independent honest readings. */
const noise = (p, n) => 1.96 * Math.sqrt(p * (1 - p) / Math.max(n, 1));

export function show(root, app) {
  const { origin, diagnostics } = app.about, checks = app.fitted.checks, bins = checks.histogram.length, level = checks.n / bins || 1;
  const bars = checks.histogram.map((count, i) => ({ x1: i / bins, x2: (i + 1) / bins, y: count / level })), half = noise(1 / bins, checks.n) * bins;
  const curve = checks.nominal.map((p, i) => ({ p, inside: checks.inside[i], low: p - noise(p, checks.n), high: p + noise(p, checks.n) }));
  const blue = widgets.color("blue"), band = widgets.color("band"), percent = (v) => `${(100 * v).toFixed(0)} %`;
  root.replaceChildren(h("h1", {}, "Checks"),
    h("p", { class: "sentence" }, `Diagnostics of the fit: ${diagnostics.verdict}. `, diagnostics.reasons.join("; ")),
    h("p", { class: "sentence soft" }, `Below, each of ${checks.n} readings is set against the draws reweighted as if it had been left out, before recalibration; ${checks.at_ends} at an end of their scale say “this or beyond” and are left out. For ${checks.doubtful} the reweighting is doubtful.`, origin.recalibrated_by ? " What the other views show is recalibrated on held-out scores." : " This posterior has no recalibration."),
    checks.n ? h("div", { class: "pair" },
      widgets.chart("Calibration: share of readings inside their central interval; band: honest independent readings. Above the diagonal: too wide", {
        width: Math.min(420, root.clientWidth - 24), height: 340, marginLeft: 46, x: { label: "probability of the interval", domain: [0, 1], grid: true }, y: { label: "share inside", domain: [0, 1], grid: true },
        marks: [Plot.areaY(curve, { x: "p", y1: "low", y2: "high", fill: band, fillOpacity: 0.6 }), Plot.line([[0, 0], [1, 1]], { strokeDasharray: "4 3", stroke: "currentColor" }), Plot.lineY(curve, { x: "p", y: "inside", stroke: blue, strokeWidth: 2.5, marker: "dot" })],
      }),
      widgets.chart("PIT: level of each reading, flat if honest; a hump: too wide, a bowl: too sure. Lines: 95 % of honest bars", {
        width: Math.min(420, root.clientWidth - 24), height: 340, x: { label: "level of the reading (PIT)", domain: [0, 1] }, y: { label: "readings, relative to flat", grid: true },
        marks: [Plot.rect(bars, { x1: "x1", x2: "x2", y1: 0, y2: "y", fill: blue, inset: 0.5 }), Plot.ruleY([1 - half, 1 + half], { stroke: widgets.color("orange"), strokeDasharray: "4 3", strokeWidth: 2 }), Plot.ruleY([0])],
      })) : "",
    h("h2", {}, "Coverage by stratum"),
    widgets.table("Coverage by stratum", [
      { title: "readings with", left: true, show: (r) => h("span", {}, r.name) }, { title: "number", value: (r) => r.n, show: (r) => String(r.n) },
      { title: "inside 50 %", value: (r) => r.inside50, show: (r) => percent(r.inside50) }, { title: "inside 90 %", value: (r) => r.inside90, show: (r) => percent(r.inside90) },
    ], checks.strata),
    h("h2", {}, "Diagnostics"),
    h("dl", {}, Object.entries(diagnostics.summary).flatMap(([k, v]) => [h("dt", {}, k.replaceAll("_", " ")), h("dd", {}, typeof v === "number" ? number(v) : v)])),
    h("h2", {}, "Where it comes from"),
    h("dl", {}, [["fitted by", `${origin.method}, seed ${origin.seed}, ${origin.created}`], ["hash of the scores", origin.data_hash], ["draws", `${origin.draws}, of which ${app.data.S} travel in this page`],
      ["recalibration", origin.recalibrated_by ? `learned on cross-fits (${origin.recalibrated_by})` : "none"], ["versions", Object.entries(origin.versions).map(([k, v]) => `${k} ${v}`).join(", ")]].flatMap(([k, v]) => [h("dt", {}, k), h("dd", {}, v)])));
}
