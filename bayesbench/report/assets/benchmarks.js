// Benchmarks: how well each is predicted, what it tells about others, who has run it.
import * as engine from "./engine.js";
import * as words from "./words.js";
import * as widgets from "./widgets.js";
import * as joint from "./joint.js";

const { h, number } = words, NEIGHBOURS = 12;

/** Information of every benchmark about all others for a model of which nothing is known. */
function overview(app, held) {
  const latent = engine.condition(app.data, {}, {}, engine.generator(1)), { gains, correlation } = engine.alone(app.data, latent);
  const rows = app.benchmarks.map((b) => {
    const { lower, upper, spread } = app.data.benchmarks[b.column];
    let sum = 0, n = 0;
    for (let row = 0; row < held.M; row++) {
      const one = joint.summary(held, row, b.column);
      if (one.seen === null) { sum += one.q95 - one.q05; n++; }
    }
    const scale = lower !== null && upper !== null ? upper - lower : 4 * spread;
    return { b, gain: gains[b.column], width: n ? sum / n / scale : null };
  });
  return { rows, correlation };
}

export function show(root, app) {
  const held = (app.held ??= joint.open(app.data, app.fitted)), found = (app.overview ??= overview(app, held));
  const chosen = app.data.index.get(app.state.more.bench) ?? found.rows.toSorted((a, b) => b.b.scored - a.b.scored)[0].b.column;
  const b = app.benchmarks[chosen], row = found.rows[chosen], own = app.data.benchmarks[chosen];
  const near = app.benchmarks.filter((o) => o.column !== chosen).map((o) => ({ name: o.name, r: found.correlation(chosen, o.column) }))
    .sort((x, y) => Math.abs(y.r) - Math.abs(x.r)).slice(0, NEIGHBOURS);
  const runs = app.models.flatMap((m) => (held.readings.get(m.row * app.data.B + chosen) ?? []).map((one) => ({ m, ...one })))
    .sort((x, y) => own.sign * (y.score - x.score));
  const told = [["scale", b.range], ["items", own.n_items], ["category", b.category], ["scored by", b.how], ["also called", b.others.filter((o) => o !== b.name).join(", ")]].filter(([, v]) => v);
  root.replaceChildren(
    h("h1", {}, "Benchmarks"),
    h("div", { class: "row noprint" }, widgets.picker("Benchmark", () => app.benchmarks, (t) => app.go("benchmarks", { bench: t.id }), { keep: true, value: b.name })),
    h("div", { class: "pair" },
      h("section", {}, h("h2", {}, b.name),
        h("p", { class: "sentence" }, `${runs.length ? new Set(runs.map((r) => r.m)).size : "None"} of the ${app.models.length} models here have run it. ${row.width === null ? "" : `Where it is not run, the 90 % interval takes ${Math.round(100 * row.width)} % of the scale on average. `}Run on a model of which nothing is known it tells ${number(row.gain)} nats about all the others.`),
        h("dl", {}, told.flatMap(([k, v]) => [h("dt", {}, k), h("dd", {}, String(v))]), b.url ? [h("dt", {}, "page"), h("dd", {}, words.link(b.url))] : [])),
      h("section", {}, h("h2", {}, "Neighbours"), widgets.chart(`Correlation with ${b.name} over models of which nothing is known (latent scale)`, {
        width: Math.min(460, root.clientWidth - 24), height: 40 + 20 * near.length, marginLeft: 170, x: { domain: [Math.min(0, ...near.map((n) => n.r)), 1], grid: true, label: "correlation" },
        y: { domain: near.map((n) => n.name), label: null, tickFormat: (t) => (t.length > 26 ? `${t.slice(0, 25)}…` : t) },
        marks: [Plot.barX(near, { x: "r", y: "name", fill: widgets.color("blue") }), Plot.ruleX([0])],
      }))),
    h("h2", {}, "Who has run it"),
    runs.length ? h("div", { class: "scroll" }, widgets.table(`Readings of ${b.name}`, [
      { title: "model", left: true, value: (r) => r.m.name, show: (r) => h("button", { type: "button", class: "link", onclick: () => app.go("models", { a: r.m.id }) }, r.m.name) },
      { title: "score", value: (r) => r.score, show: (r) => String(r.score) },
      { title: "source", left: true, show: (r) => (r.source ? words.link(r.source) : "not in this page") },
    ], runs)) : h("p", {}, "No model of this page."),
    h("h2", {}, "All benchmarks"),
    h("p", { class: "soft sentence" }, "Information: expected, about all other benchmarks, of a model of which nothing is known. Width: of the 90 % intervals where it is not run, as a share of the scale."),
    h("div", { class: "scroll" }, widgets.table("All benchmarks", [
      { title: "benchmark", left: true, value: (r) => r.b.name, show: (r) => h("button", { type: "button", class: "link", onclick: () => app.go("benchmarks", { bench: r.b.id }) }, r.b.name) },
      { title: "models", value: (r) => r.b.scored, show: (r) => String(r.b.scored) }, { title: "information (nats)", value: (r) => r.gain },
      { title: "width", value: (r) => r.width, show: (r) => (r.width === null ? "-" : `${Math.round(100 * r.width)} %`) },
    ], found.rows, { sort: 2, up: false })));
}
