// Map: the models on two factors with intervals, and the benchmarks at the factors' ends.
import * as words from "./words.js";
import * as widgets from "./widgets.js";

const { h, number } = words, LABELS = 18;

export function show(root, app) {
  const factors = app.fitted.factors, more = app.state.more;
  if (!factors || !app.models.length) { root.replaceChildren(h("h1", {}, "Map"), h("p", {}, "This posterior has no factors.")); return; }
  const K = factors.models[1][0].length, name = (k) => (k === 0 ? "ability" : `factor ${k}`);
  const options = Array.from({ length: K }, (_, k) => [String(k), name(k)]), clip = (v) => Math.min(Math.max(Number(v), 0), K - 1) || 0;
  const x = clip(more.x ?? 0), y = clip(more.y ?? Math.min(1, K - 1)), [low, middle, high] = factors.models;
  const end = (k, which) => factors.ends.filter((e) => e.factor === k && e.end === which && e.clear).slice(0, 2).map((e) => app.thing(e.benchmark_id).name).join(", ");
  const axis = (k) => (k === 0 ? "ability" : `factor ${k}${factors.congruence[k - 1] < 0.8 ? " (doubtful)" : ""}: ${[end(k, "low") && `← ${end(k, "low")}`, end(k, "high") && `${end(k, "high")} →`].filter(Boolean).join("  |  ") || "no clear end"}`);
  const points = app.models.map((m) => ({ name: m.name, x: middle[m.row][x], y: middle[m.row][y], x1: low[m.row][x], x2: high[m.row][x], y1: low[m.row][y], y2: high[m.row][y] }));
  const far = points.toSorted((a, b) => Math.hypot(b.x, b.y) - Math.hypot(a.x, a.y)), labelled = [];
  for (const p of far) if (labelled.length < Math.min(LABELS, root.clientWidth / 60) && labelled.every((o) => Math.abs(o.y - p.y) > 0.22 || Math.abs(o.x - p.x) > 1.3)) labelled.push(p);
  const wanted = app.models.find((m) => m.id === more.m), marked = wanted ? points[app.models.indexOf(wanted)] : null;
  const set = (key) => (v) => { more[key] = v; app.save(); show(root, app); }, line = { stroke: widgets.color("band"), strokeOpacity: 0.6 };
  root.replaceChildren(h("h1", {}, "Map"),
    h("p", { class: "sentence soft" }, "Where the models lie on two factors, with 90 % intervals. Factors are turned so that few benchmarks weigh on each (varimax); a factor is named by the benchmarks at its ends."),
    h("div", { class: "row noprint" }, widgets.choice("across", options, String(x), set("x")), widgets.choice("up", options, String(y), set("y")), widgets.picker("Mark a model", () => app.models, (m) => set("m")(m.id), { keep: true, value: wanted?.name ?? "" })),
    widgets.chart(`Models by ${name(x)} (across) and ${name(y)} (up), with 90 % intervals`, {
      width: Math.min(1100, root.clientWidth - 24), height: 560, marginLeft: 40, marginBottom: 44, x: { label: axis(x), grid: true }, y: { label: axis(y), grid: true },
      marks: [Plot.ruleY(points, { y: "y", x1: "x1", x2: "x2", ...line }), Plot.ruleX(points, { x: "x", y1: "y1", y2: "y2", ...line }),
        Plot.dot(points, { x: "x", y: "y", r: 3, fill: widgets.color("blue"), title: (d) => d.name }),
        Plot.text(labelled, { x: "x", y: "y", text: "name", dy: -8, fontSize: 10, fill: "currentColor", stroke: widgets.color("paper"), strokeWidth: 3 }),
        ...(marked ? [Plot.dot([marked], { x: "x", y: "y", r: 7, stroke: widgets.color("orange"), strokeWidth: 3 }), Plot.text([marked], { x: "x", y: "y", text: "name", dy: 16, fontSize: 13, fontWeight: "bold", fill: widgets.color("orange") })] : [])],
    }),
    h("div", { class: "pair" }, Array.from({ length: K - 1 }, (_, i) => i + 1).map((k) => h("section", {}, h("h2", {}, `Factor ${k}`),
      h("p", { class: "soft" }, `agrees between draws: ${factors.congruence[k - 1].toFixed(2)}${factors.congruence[k - 1] < 0.8 ? ", too little to be named" : ""}`),
      widgets.table(`Ends of factor ${k}`, [
        { title: "benchmark", left: true, show: (r) => h("span", {}, app.thing(r.benchmark_id).name, " ", r.clear ? "" : h("span", { class: "tag" }, "unclear")) }, { title: "weight", value: (r) => r.weight },
        { title: "90 % interval", show: (r) => `${number(r.lower)} to ${number(r.upper)}` },
      ], factors.ends.filter((e) => e.factor === k))))));
}
