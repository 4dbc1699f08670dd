// Opens the data and shows the view that the address names.
import * as engine from "./engine.js";
import * as words from "./words.js";
import * as state from "./state.js";
import * as mine from "./mine.js";
import * as models from "./models.js";
import * as benchmarks from "./benchmarks.js";
import * as matrix from "./matrix.js";
import * as map from "./map.js";
import * as checks from "./checks.js";

const VIEWS = [["mine", "My model", mine], ["models", "Models", models], ["benchmarks", "Benchmarks", benchmarks],
  ["matrix", "Matrix", matrix], ["map", "Map", map], ["checks", "Checks", checks]];

function range(b) {
  if (b.lower !== null && b.upper !== null) return `(${b.lower} to ${b.upper}${b.sign < 0 ? ", lower is better" : ""})`;
  return b.sign < 0 ? "(lower is better)" : "(open scale)";
}

function opened() {
  const given = JSON.parse(document.getElementById("data").textContent);
  const data = engine.open(given.engine), app = { data, about: given.about, fitted: given.fitted, campaign: given.campaign, took: null };
  app.benchmarks = data.benchmarks.map((b, j) => ({ ...given.about.benchmarks[j], id: b.id, name: b.name, scored: b.scored, range: range(b), column: j }));
  app.thing = (id) => app.benchmarks[data.index.get(id)] ?? { id, name: id, others: [], range: "" };
  app.models = given.fitted.models.map((m, row) => ({ ...m, row }));
  app.state = state.read(location.hash);
  if (!location.hash && app.campaign) {
    const facts = Object.entries(app.campaign.facts).map(([k, v]) => [k, v === true ? "yes" : v === false ? "no" : String(v)]);
    app.state.scores = Object.fromEntries(Object.entries(app.campaign.scores).map(([k, v]) => [k, String(v)]));
    app.state.facts = Object.fromEntries(facts);
    app.state.more = { ...(app.campaign.costs ? { cost: "1" } : {}), ...(app.campaign.budget === null ? {} : { budget: String(app.campaign.budget) }) };
  }
  let own = location.hash;
  app.save = () => { own = state.written(app.state); history.replaceState(null, "", own); };
  const root = document.getElementById("main"), nav = document.getElementById("nav");
  const render = () => {
    const [id, title, view] = VIEWS.find(([name]) => name === app.state.view) ?? VIEWS[0];
    app.state.view = id;
    document.title = `${title} · bayesbench`;
    for (const a of nav.children) { if (a.dataset.view === id) a.setAttribute("aria-current", "page"); else a.removeAttribute("aria-current"); }
    view.show(root, app);
  };
  app.go = (view, more = {}) => { app.state.view = view; Object.assign(app.state.more, more); own = state.written(app.state); history.pushState(null, "", own); render(); root.focus(); scrollTo(0, 0); };
  for (const [id, title] of VIEWS) {
    nav.append(words.h("a", { href: `#view=${id}`, "data-view": id, onclick: (event) => { event.preventDefault(); app.go(id); } }, title));
  }
  document.getElementById("skip").addEventListener("click", (event) => { event.preventDefault(); root.focus(); });
  addEventListener("hashchange", () => { if (location.hash !== own) { own = location.hash; app.state = state.read(own); render(); } });
  addEventListener("popstate", () => { if (location.hash !== own) { own = location.hash; app.state = state.read(own); render(); } });
  const { origin } = app.about;
  document.getElementById("origin").textContent = `${data.benchmarks.length} benchmarks, ${origin.models} models, ${origin.scores} scores; fitted by ${origin.method}, ${origin.created}; ${data.S} of ${origin.draws} draws travel in this page. Nothing is loaded or sent.`;
  document.getElementById("loading").remove();
  render();
  window.bayesbench = app;
}

// the first frame shows the frame of the page before the draws are read
if (typeof document !== "undefined") requestAnimationFrame(() => setTimeout(opened));
