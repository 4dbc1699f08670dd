// Models: a profile, two of them compared, and the leaderboard of a benchmark or a weighted set.
import * as words from "./words.js";
import * as widgets from "./widgets.js";
import * as joint from "./joint.js";

const { h, number, probability, signed } = words, DEFAULT_SET = 5;

/** Benchmarks with weights of a state, or the most reported ones. */
function setOf(app) {
  const given = (app.state.more.on ?? "").split(",").flatMap((part) => {
    const [id, weight] = part.split("~"), column = app.data.index.get(decodeURIComponent(id)), w = weight === undefined ? 1 : Number(weight);
    return column === undefined || !(w > 0) ? [] : [{ column, weight: w }];
  });
  if (given.length) return given;
  const order = app.benchmarks.filter((b) => app.data.benchmarks[b.column].lower === 0 && app.data.benchmarks[b.column].upper === 100);
  return (order.length ? order : app.benchmarks).toSorted((a, b) => b.scored - a.scored).slice(0, DEFAULT_SET).map((b) => ({ column: b.column, weight: 1 }));
}

export function show(root, app) {
  const held = (app.held ??= joint.open(app.data, app.fitted)), more = app.state.more;
  const find = (id, other) => app.models.find((m) => m.id === id) ?? app.models[other];
  const first = app.models.length ? find(more.a, 0) : null;
  if (!first) { root.replaceChildren(h("h1", {}, "Models"), h("p", {}, "No fitted model is in this page.")); return; }
  const second = app.models.length > 1 ? find(more.b, first.row === 1 ? 0 : 1) : null;
  let on = setOf(app);
  const keep = () => { more.on = on.map((o) => `${encodeURIComponent(app.data.benchmarks[o.column].id)}~${o.weight}`).join(","); app.save(); };
  const board = h("div", { id: "board" }), versus = h("div", { id: "versus" }), chips = h("ul", { class: "given", "aria-label": "Benchmarks of the set" });
  const known = () => more.known !== "0";

  function fillChips() {
    chips.replaceChildren(...on.map((one) => h("li", {}, h("label", { for: `w-${one.column}` }, app.benchmarks[one.column].name),
      h("input", { id: `w-${one.column}`, class: "number", inputmode: "decimal", value: String(one.weight), "aria-label": `Weight of ${app.benchmarks[one.column].name}`, oninput: (e) => {
        const w = words.typed(e.target.value), fine = w > 0;
        e.target.setAttribute("aria-invalid", String(!fine));
        if (fine) { one.weight = w; keep(); later(); }
      } }),
      h("button", { type: "button", "aria-label": `Remove ${app.benchmarks[one.column].name}`, disabled: on.length === 1, onclick: () => { on = on.filter((o) => o !== one); keep(); fillChips(); later(); } }, "×"))));
  }
  let turn = 0;
  function later() {
    const own = ++turn;
    setTimeout(() => { if (own === turn && root.isConnected) { compare(); leaders(); } });
  }
  const titles = () => (on.length === 1 ? app.benchmarks[on[0].column].name : `the weighted mean of ${on.length} benchmarks`);

  function compare() {
    if (!second) return;
    const whole = joint.gap(held, first.row, second.row, on, known()), better = whole.better >= 0.5;
    const rows = on.map(({ column }) => ({ name: app.benchmarks[column].name, ...joint.gap(held, first.row, second.row, [{ column, weight: 1 }], known()) }));
    const shown = on.length > 1 ? [{ name: "weighted mean", ...whole }, ...rows] : rows;
    versus.replaceChildren(
      h("p", { class: "sentence" }, `${(better ? first : second).name} is better than ${(better ? second : first).name} on ${titles()} with probability ${probability(better ? whole.better : 1 - whole.better)}; ${first.name} less ${second.name}: ${signed(whole.median)} (90 % interval ${signed(whole.lower)} to ${signed(whole.upper)}).`),
      widgets.chart(`${first.name} less ${second.name}: median and 90 % interval, right is better for ${first.name}`, {
        width: Math.min(560, root.clientWidth - 24), height: 50 + 26 * shown.length, marginLeft: 170, x: { label: "points", grid: true, inset: 12 }, y: { domain: shown.map((r) => r.name), label: null, tickFormat: (t) => (t.length > 26 ? `${t.slice(0, 25)}…` : t) },
        marks: [Plot.ruleX([0], { stroke: "currentColor" }), Plot.ruleY(shown, { y: "name", x1: "lower", x2: "upper", stroke: widgets.color("blue"), strokeWidth: 3 }), Plot.dot(shown, { y: "name", x: "median", fill: widgets.color("orange"), r: 4.5 })],
      }),
      widgets.table("Gaps", [
        { title: "on", left: true, value: (r) => r.name, show: (r) => h("span", {}, r.name) }, { title: "gap", value: (r) => r.median, show: (r) => signed(r.median) },
        { title: "90 % interval", show: (r) => `${signed(r.lower)} to ${signed(r.upper)}` }, { title: `P(${first.name} better)`, value: (r) => r.better, show: (r) => probability(r.better) },
      ], shown));
  }

  function leaders() {
    const rows = joint.ranking(held, app.models.map((m) => m.row), on, known());
    const missing = (row) => on.filter(({ column }) => Number.isNaN(held.observed[row * app.data.B + column])).length;
    const one = on.length === 1 ? app.data.benchmarks[on[0].column] : null, sign = one && one.sign < 0 ? -1 : 1;
    board.replaceChildren(widgets.table("Leaderboard", [
      { title: "model", left: true, value: (r) => app.models[r.row].name, show: (r) => h("span", {}, h("button", { type: "button", class: "link", onclick: () => app.go("models", { a: app.models[r.row].id }) }, app.models[r.row].name), " ",
        missing(r.row) ? h("span", { class: "tag" }, on.length === 1 ? "predicted" : `${missing(r.row)} of ${on.length} predicted`) : null) },
      { title: "score", value: (r) => r.median, show: (r) => number(sign * r.median) },
      { title: "90 % interval", hide: true, show: (r) => (r.low === r.high ? "known" : `${number(sign * (sign > 0 ? r.low : r.high))} to ${number(sign * (sign > 0 ? r.high : r.low))}`) },
      { title: "rank", value: (r) => r.rank, show: (r) => String(r.rank) },
      { title: "90 % ranks", show: (r) => `${r.lower} to ${r.upper}` },
      { title: "P(best)", value: (r) => r.best, show: (r) => probability(r.best) },
    ], rows));
  }

  const facts = Object.entries(first.facts);
  const profile = app.benchmarks.map((b) => ({ b, ...joint.summary(held, first.row, b.column) }));
  fillChips();
  root.replaceChildren(
    h("h1", {}, "Models"),
    h("div", { class: "row noprint" }, widgets.picker("Model", () => app.models, (m) => app.go("models", { a: m.id }), { keep: true, value: first.name }),
      second ? widgets.picker("compared with", () => app.models.filter((m) => m !== first), (m) => app.go("models", { b: m.id }), { keep: true, value: second.name }) : ""),
    h("div", { class: "columns" },
      h("section", { "aria-label": "Set of benchmarks" }, h("h2", {}, "Compared on"), widgets.picker("Add a benchmark", () => app.benchmarks.filter((b) => !on.some((o) => o.column === b.column)), (b) => { on = [...on, { column: b.column, weight: 1 }]; keep(); fillChips(); later(); }),
        h("p", { class: "soft" }, "Benchmarks and their weights:"), chips,
        widgets.checkbox("a known score counts as it is", known(), (v) => { more.known = v ? "" : "0"; app.save(); later(); })),
      h("section", { "aria-label": "Comparison" }, h("h2", {}, second ? `${first.name} and ${second.name}` : first.name), versus)),
    h("h2", {}, "Leaderboard"), h("p", { class: "soft sentence" }, "Ranks of the models of this page with 90 % intervals; a score that is not known is predicted, and marked."),
    h("div", { class: "scroll" }, board),
    h("h2", {}, `Profile of ${first.name}`),
    facts.length ? h("dl", {}, facts.flatMap(([k, v]) => [h("dt", {}, k.replaceAll("_", " ")), h("dd", {}, v === true ? "yes" : v === false ? "no" : String(v))])) : "",
    h("div", { class: "scroll" }, widgets.table("Profile", [
      { title: "benchmark", left: true, value: (r) => r.b.name, show: (r) => h("span", {}, r.b.name, " ", r.seen === null ? h("span", { class: "tag" }, "predicted") : h("span", { class: "tag plain" }, "known")) },
      { title: "known", value: (r) => r.seen }, { title: "median", value: (r) => r.q50 },
      { title: "90 % interval", hide: true, value: (r) => r.q95 - r.q05, show: (r) => `${number(r.q05)} to ${number(r.q95)}` },
      { title: "", show: (r) => { const [low, high] = widgets.ends(app.data.benchmarks[r.b.column], [r.q05, r.q95, r.seen ?? r.q50]); return widgets.bar({ low, high, ...r }); } },
    ], profile.toSorted((a, b) => (a.seen === null) - (b.seen === null) || b.b.scored - a.b.scored))));
  later();
}
