// My model: typed scores and facts; predictions, surprises and what to run next.
import * as engine from "./engine.js";
import * as words from "./words.js";
import * as widgets from "./widgets.js";

const { h, number, probability } = words, SEED = 1, NEXT = 5;
// fewer points than Python takes: a quantile then errs by less than a hundredth of an interval
const MIXTURE = 4000;

/** Number of a fact as the engine takes it; undefined if blank, NaN if it cannot be read. */
export function factNumber(fact, text) {
  if (text === "" || text === undefined) return undefined;
  if (fact.kind === "bool") return text === "yes" ? 1 : 0;
  if (fact.kind === "float") { const v = words.typed(text); return v > 0 ? Math.log10(v) : NaN; }
  return words.year(text);
}

/** Scores and facts of a state that can be used, and why others cannot. */
export function known(app, state) {
  const scores = {}, facts = {}, wrong = {};
  for (const [id, text] of Object.entries(state.scores)) {
    const column = app.data.index.get(id);
    if (column === undefined) { wrong[id] = "not a benchmark of this page"; continue; }
    if (text === "") continue;
    const value = words.typed(text), why = engine.refused(app.data.benchmarks[column], value);
    if (why) wrong[id] = why; else scores[id] = value;
  }
  for (const fact of app.about.facts) {
    const value = factNumber(fact, state.facts[fact.name]);
    if (value === undefined) continue;
    if (Number.isNaN(value)) wrong[`f.${fact.name}`] = fact.kind === "str" ? "not YYYY, YYYY-MM or YYYY-MM-DD" : "not a positive number";
    else facts[fact.name] = value;
  }
  if (state.facts.provider) facts.provider = state.facts.provider;
  return { scores, facts, wrong };
}

/** Five quantiles of a cell on its scale. */
function summary(data, j, cell) {
  const at = (p) => engine.quantile(data, j, cell, p);
  return { q05: at(0.05), q25: at(0.25), q50: at(0.5), q75: at(0.75), q95: at(0.95) };
}

export function show(root, app) {
  const { data, state } = app, things = app.benchmarks;
  const given = h("ul", { class: "given", "aria-label": "Scores" }), said = h("p", { class: "sentence", role: "status", "aria-live": "polite", id: "said" });
  const next = h("div", { id: "next" }), strange = h("div", { id: "surprises" }), detail = h("div", { id: "detail" });
  const body = h("tbody"), filter = { text: state.more.find ?? "" };
  let latent = null, cells = [], told = { scores: {}, facts: {}, wrong: {} }, turn = 0, chosen = null;

  // ---- input ----
  const inputs = new Map();
  function scoreRow(id) {
    const thing = app.thing(id), own = `score-${inputs.size}-${id.length}`;
    const why = h("p", { class: "bad", role: "alert", id: `${own}-why`, hidden: true });
    const input = h("input", { id: own, class: "number", type: "text", inputmode: "decimal", autocomplete: "off", value: state.scores[id], "aria-describedby": `${own}-why` });
    input.addEventListener("input", () => { state.scores[id] = input.value; changed(); });
    const drop = h("button", { type: "button", "aria-label": `Remove ${thing.name}`, onclick: () => {
      delete state.scores[id]; inputs.delete(id); item.remove(); changed(); add.querySelector("input").focus();
    } }, "×");
    const item = h("li", {}, h("label", { for: own }, thing.name, h("span", { class: "soft" }, ` ${thing.range}`)), input, drop, why);
    inputs.set(id, { input, why });
    given.append(item);
    return input;
  }
  const add = widgets.picker("Add a benchmark that has been run", () => things.filter((t) => !(t.id in state.scores)), (thing) => {
    state.scores[thing.id] = "";
    scoreRow(thing.id).focus();
  });
  Object.keys(state.scores).forEach(scoreRow);
  const facts = h("div", {}, data.kinds.includes("provider") ? widgets.choice("Provider", [["", "not said"], ...data.providers.map((p) => [p, p])], state.facts.provider ?? "", (v) => { state.facts.provider = v; changed(); }) : null);
  const factWhy = new Map();
  for (const fact of app.about.facts) {
    const title = fact.name.replaceAll("_", " "), set = (v) => { state.facts[fact.name] = v; changed(); };
    if (fact.kind === "bool") facts.append(widgets.choice(title, [["", "not said"], ["yes", "yes"], ["no", "no"]], state.facts[fact.name] ?? "", set));
    else {
      const why = h("p", { class: "bad", role: "alert", hidden: true }), box = widgets.field(`${title} (${fact.kind === "str" ? "YYYY-MM" : "billions"})`, state.facts[fact.name] ?? "", set);
      factWhy.set(`f.${fact.name}`, { input: box.querySelector("input"), why });
      facts.append(box, why);
    }
  }

  // ---- what to run next ----
  const costOf = data.benchmarks.map((b, j) => (app.campaign?.costs ? app.campaign.costs[b.id] ?? null : b.n_items));
  const unit = app.campaign?.costs ? app.campaign.unit || "cost" : "items", priced = costOf.some((c) => c !== null);
  const costs = () => (state.more.cost === "1" ? costOf : null);
  const budget = () => { const v = words.typed(state.more.budget ?? ""); return v > 0 ? v : null; };
  const budgetInput = widgets.field(`Budget (${unit}, or benchmarks without costs)`, state.more.budget ?? "", (v, own) => {
    state.more.budget = v;
    own.setAttribute("aria-invalid", String(v.trim() !== "" && !(words.typed(v) > 0)));
    app.save(); recommend();
  }, { class: "number", inputmode: "decimal" });
  const nextOptions = h("div", { class: "row noprint" },
    priced ? widgets.checkbox(`by cost (${unit})`, state.more.cost === "1", (on) => { state.more.cost = on ? "1" : ""; app.save(); recommend(); }) : null, budgetInput);

  function recommend() {
    const price = costs(), most = budget(), flat = price ?? data.benchmarks.map(() => 1);
    const barred = new Set(app.campaign?.exclude ?? []), allowed = flat.map((c, j) => (barred.has(data.benchmarks[j].id) ? null : c));
    const steps = most === null ? engine.informative(data, latent, NEXT, price || barred.size ? allowed : null) : engine.withinBudget(data, latent, allowed, most);
    if (!steps.length) { next.replaceChildren(h("p", {}, most === null ? "Nothing is left to run." : "Nothing within the budget tells anything.")); return; }
    const columns = [
      { title: "benchmark", left: true, show: (r) => h("span", {}, app.benchmarks[r.column].name) },
      { title: "gain (nats)", show: (r) => number(r.gain) },
      ...(price ? [{ title: unit, show: (r) => number(price[r.column]) }] : []),
      { title: "predicted", show: (r) => number(summary(data, r.column, cells[r.column]).q50) },
      { title: "", show: (r) => h("button", { type: "button", class: "link", onclick: () => { const id = data.benchmarks[r.column].id; state.scores[id] = ""; scoreRow(id).focus(); } }, "add") },
    ];
    const sum = price ? steps.reduce((a, s) => a + price[s.column], 0) : steps.length;
    next.replaceChildren(
      h("p", { class: "sentence" }, most === null ? `Run ${app.benchmarks[steps[0].column].name} next: it tells most about all that is not known yet${price ? " for its cost" : ""}.`
        : `${steps.length} benchmarks for ${number(sum)} of ${number(most)} ${price ? unit : "benchmarks"}.`),
      widgets.table("What to run next", columns, steps));
  }

  // ---- predictions ----
  const rows = data.benchmarks.map((b, j) => {
    const thing = app.benchmarks[j], name = h("button", { type: "button", class: "link", onclick: () => { chosen = j; detailed(); detail.scrollIntoView({ block: "nearest" }); } }, thing.name);
    const tag = h("span", { class: "tag", hidden: true }, "known"), cell = { median: h("td"), ninety: h("td"), fifty: h("td", { class: "hide" }), bar: h("td") };
    const tr = h("tr", {}, h("td", {}, name, " ", tag), cell.median, cell.ninety, cell.fifty, cell.bar);
    return { j, thing, tag, cell, tr, text: words.folded([thing.name, thing.id, ...thing.others].join(" ")) };
  });
  const orders = {
    reported: (a, b) => data.benchmarks[b.j].scored - data.benchmarks[a.j].scored,
    name: (a, b) => a.thing.name.localeCompare(b.thing.name),
    width: (a, b) => (a.width ?? 0) - (b.width ?? 0),
  };
  let arranged = null;
  function arrange() {
    const wanted = words.folded(filter.text), order = orders[state.more.order] ?? orders.reported;
    const shown = rows.filter((r) => !wanted || r.text.includes(wanted)).sort((a, b) => (r01(a) - r01(b)) || order(a, b));
    const key = shown.map((r) => r.j).join();
    if (key !== arranged) body.replaceChildren(...shown.map((r) => r.tr));
    arranged = key;
  }
  const r01 = (r) => (r.thing.id in told.scores ? 1 : 0);
  function predicted() {
    for (const r of rows) {
      const b = data.benchmarks[r.j], q = summary(data, r.j, cells[r.j]), seen = told.scores[r.thing.id] ?? null;
      const [low, high] = widgets.ends(b, [q.q05, q.q95, ...(seen === null ? [] : [seen])]);
      r.width = (q.q95 - q.q05) / (high - low || 1);
      r.cell.median.textContent = number(q.q50);
      r.cell.ninety.textContent = `${number(q.q05)} to ${number(q.q95)}`;
      r.cell.fifty.textContent = `${number(q.q25)} to ${number(q.q75)}`;
      if (r.bar) widgets.move(r.bar, { low, high, ...q, seen });
      else r.cell.bar.append(r.bar = widgets.bar({ low, high, ...q, seen }));
      r.tag.hidden = seen === null;
      r.tr.className = seen === null ? "" : "known";
    }
    arrange();
  }
  function detailed() {
    if (chosen === null) return;
    const b = data.benchmarks[chosen], cell = cells[chosen], q = summary(data, chosen, cell), thing = app.benchmarks[chosen];
    const out = h("strong", { id: "p-at-least" });
    const ask = (text) => {
      const x = words.typed(text), why = Number.isNaN(x) ? "type a score" : "";
      out.textContent = why || `P(${thing.name} at least ${number(x)}) = ${probability(engine.atLeast(data, cell, x))}`;
    };
    const field = widgets.field("P(at least X), X =", String(Number(number(q.q50))), ask, { class: "number", inputmode: "decimal" });
    const points = data.levels.map((level, i) => ({ score: cell.score[i], p: 1 - level }));
    detail.replaceChildren(h("h2", {}, thing.name),
      h("p", { class: "sentence" }, `Median ${number(q.q50)}; 50 % interval ${number(q.q25)} to ${number(q.q75)}, 90 % ${number(q.q05)} to ${number(q.q95)}.`),
      h("div", { class: "row" }, field, h("p", { role: "status" }, out)),
      widgets.chart(`Probability that a reading of ${thing.name} is at least so high`, {
        width: Math.min(480, root.clientWidth - 24), height: 220, marginBottom: 34,
        x: { label: `score on ${thing.name}` }, y: { domain: [0, 1], grid: true, label: "probability" },
        marks: [Plot.lineY(points, { x: "score", y: "p", stroke: widgets.color("blue"), strokeWidth: 2 }), Plot.ruleX([q.q50], { stroke: widgets.color("orange"), strokeDasharray: "4 3" })],
      }));
    ask(field.querySelector("input").value);
  }

  // ---- surprises: every score against the others, one at a time so that typing goes on ----
  function surprises(own) {
    const names = Object.keys(told.scores), found = [];
    if (names.length < 2) { strange.replaceChildren(h("p", { class: "soft" }, "Type two scores, and each is set against the others.")); return; }
    strange.replaceChildren(h("p", { class: "soft" }, "Setting each score against the others…"));
    const step = (i) => {
      if (own !== turn || !root.isConnected) return;
      if (i === names.length) {
        found.sort((a, b) => a.tail - b.tail);
        strange.replaceChildren(h("ul", {}, found.map((one) => h("li", { class: one.tail < 0.05 ? "bad" : null },
          `${app.thing(one.id).name} = ${one.score} lies ${one.inside ? "inside" : "outside"} what the other scores say: ${number(one.q50)} (90 % ${number(one.q05)} to ${number(one.q95)}); as far out: ${probability(one.tail)}.`))));
        return;
      }
      const id = names[i], { [id]: score, ...rest } = told.scores, j = data.index.get(id);
      const cell = engine.predict(data, engine.condition(data, rest, told.facts, engine.generator(SEED)), { only: [j], mixture: MIXTURE })[j];
      const q = summary(data, j, cell), above = engine.atLeast(data, cell, score), below = engine.atMost(data, cell, score);
      found.push({ id, score, ...q, inside: q.q05 <= score && score <= q.q95, tail: Math.min(1, 2 * Math.min(above, below)) });
      setTimeout(step, 0, i + 1);
    };
    setTimeout(step, 30, 0);
  }

  function update() {
    const own = ++turn, began = performance.now();
    told = known(app, state);
    for (const [id, { input, why }] of [...inputs, ...factWhy]) {
      const text = told.wrong[id] ?? "";
      why.textContent = text; why.hidden = !text;
      input.setAttribute("aria-invalid", String(Boolean(text)));
    }
    latent = engine.condition(data, told.scores, told.facts, engine.generator(SEED));
    cells = engine.predict(data, latent, { mixture: MIXTURE });
    predicted();
    app.took = performance.now() - began;
    const n = Object.keys(told.scores).length;
    said.textContent = `${n === 0 ? "No score" : n === 1 ? "1 score" : `${n} scores`} known; ${data.B - n} benchmarks predicted.`;
    recommend(); detailed(); surprises(own);
  }
  let waiting = false;
  function changed() {
    app.save();
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => setTimeout(() => { waiting = false; if (root.isConnected) update(); }));
  }

  root.replaceChildren(
    h("h1", {}, "My model"),
    h("p", { class: "sentence soft" }, "Type the scores you know of a model, each on its benchmark's own scale. Everything else is predicted from them, here in this page: nothing leaves it."),
    app.campaign ? h("p", { class: "sentence" }, `Starts with a campaign${app.campaign.model ? ` for ${app.campaign.model}` : ""}: ${app.campaign.steps.length} benchmarks run.`) : "",
    h("div", { class: "columns" },
      h("section", { "aria-label": "What is known" }, h("h2", {}, "Scores"), add, given,
        h("button", { type: "button", class: "noprint", onclick: () => { state.scores = {}; state.facts = {}; app.save(); show(root, app); root.focus(); } }, "Clear all"),
        h("h2", {}, "Facts"), facts),
      h("section", { "aria-label": "Answers" }, said, h("h2", {}, "Run next"), nextOptions, next, h("h2", {}, "Surprises"), strange, detail,
        h("h2", {}, "Predictions"),
        h("div", { class: "row noprint" }, widgets.field("Find", filter.text, (v) => { filter.text = v; arrange(); }),
          widgets.choice("Order", [["reported", "most reported first"], ["name", "by name"], ["width", "surest first"]], state.more.order ?? "reported", (v) => { state.more.order = v; app.save(); arrange(); })),
        h("p", { class: "legend" }, h("span", {}, "bar: 90 % light, 50 % dark, gap = median, ring = known score")),
        h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Predictions" }, h("table", { id: "predictions" }, h("thead", {}, h("tr", {},
          ["benchmark", "median", "90 % interval"].map((t) => h("th", { scope: "col" }, t)), h("th", { scope: "col", class: "hide" }, "50 % interval"), h("th", { scope: "col" }, "between the ends of the scale"))), body)))));
  update();
}
