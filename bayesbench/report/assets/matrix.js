// Matrix: every cell as a colour on a canvas; a cell that is chosen shows its readings and sources.
import * as words from "./words.js";
import * as widgets from "./widgets.js";
import * as joint from "./joint.js";

const { h, number } = words, SIZE = 11, LEFT = 150, TOP = 120;
const HOW = [["predicted", "observed and predicted"], ["observed", "observed only"], ["width", "width of the 90 % interval"]];

function orders(app) {
  const factors = app.fitted.factors, found = [["reported", "most reported first"], ["name", "by name"]];
  if (factors) found.push(...factors.models[1][0].map((_, k) => [`f${k}`, k === 0 ? "by ability" : `by factor ${k}`]));
  return found;
}

export function show(root, app) {
  const held = (app.held ??= joint.open(app.data, app.fitted)), more = app.state.more, { B } = app.data;
  const how = more.show ?? "predicted", order = more.sort ?? "reported", factors = app.fitted.factors;
  const counts = app.models.map((m) => { let n = 0; for (let j = 0; j < B; j++) n += !Number.isNaN(held.observed[m.row * B + j]); return n; });
  const rows = app.models.toSorted(order === "name" ? (a, b) => a.name.localeCompare(b.name)
    : order.startsWith("f") && factors ? (a, b) => factors.models[1][b.row][Number(order.slice(1))] - factors.models[1][a.row][Number(order.slice(1))] : (a, b) => counts[b.row] - counts[a.row]);
  const columns = app.benchmarks.toSorted(order === "name" ? (a, b) => a.name.localeCompare(b.name) : (a, b) => b.scored - a.scored);
  const width = LEFT + SIZE * columns.length, height = TOP + SIZE * rows.length, dense = Math.min(window.devicePixelRatio || 1, 2);
  const canvas = h("canvas", { width: width * dense, height: height * dense, tabindex: "0", role: "application", "aria-label": "Matrix of models and benchmarks: move with the arrow keys, the cell is read out below" });
  canvas.style.width = `${width}px`; canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d"), said = h("div", { role: "status", "aria-live": "polite", id: "cell" }, h("p", { class: "soft" }, "Choose a cell by mouse, touch or arrow keys."));
  const reach = columns.map((c) => {
    const b = app.data.benchmarks[c.column], all = app.models.map((m) => joint.summary(held, m.row, c.column).q50);
    return widgets.ends(b, all);
  });
  // one hue from light to dark (viridis is even for the colour-blind); lower-is-better is turned round
  const paint = (share) => d3.interpolateViridis(0.08 + 0.92 * Math.min(Math.max(share, 0), 1));
  let at = [0, 0];
  function draw() {
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.fillStyle = widgets.color("paper"); pen.fillRect(0, 0, width, height);
    rows.forEach((m, r) => columns.forEach((c, k) => {
      const one = joint.summary(held, m.row, c.column), [low, high] = reach[k], x = LEFT + k * SIZE, y = TOP + r * SIZE;
      if (how === "observed" && one.seen === null) return;
      const share = how === "width" ? 1 - (one.q95 - one.q05) / (high - low) : ((one.seen ?? one.q50) - low) / (high - low);
      pen.fillStyle = paint(how !== "width" && app.data.benchmarks[c.column].sign < 0 ? 1 - share : share);
      if (one.seen !== null || how === "width") pen.fillRect(x, y, SIZE - 1, SIZE - 1);
      else pen.fillRect(x + 2.5, y + 2.5, SIZE - 6, SIZE - 6);
    }));
    pen.fillStyle = widgets.color("ink"); pen.font = "9px system-ui, sans-serif"; pen.textBaseline = "middle"; pen.textAlign = "right";
    rows.forEach((m, r) => pen.fillText(m.name.length > 28 ? `${m.name.slice(0, 27)}…` : m.name, LEFT - 5, TOP + (r + 0.5) * SIZE));
    pen.textAlign = "left";
    columns.forEach((c, k) => { pen.save(); pen.translate(LEFT + (k + 0.5) * SIZE, TOP - 4); pen.rotate(-Math.PI / 2.6); pen.fillText(c.name.length > 24 ? `${c.name.slice(0, 23)}…` : c.name, 0, 0); pen.restore(); });
    pen.strokeStyle = widgets.color("orange"); pen.lineWidth = 2;
    pen.strokeRect(LEFT + at[1] * SIZE - 1, TOP + at[0] * SIZE - 1, SIZE + 1, SIZE + 1);
  }
  function pick(r, k) {
    if (r < 0 || k < 0 || r >= rows.length || k >= columns.length) return;
    at = [r, k];
    draw();
    const m = rows[r], c = columns[k], one = joint.summary(held, m.row, c.column), found = held.readings.get(m.row * B + c.column) ?? [];
    said.replaceChildren(h("p", {}, h("strong", {}, `${m.name} on ${c.name}: `), one.seen === null ? "not run; " : "", `predicted ${number(one.q50)} (50 % ${number(one.q25)} to ${number(one.q75)}, 90 % ${number(one.q05)} to ${number(one.q95)})`),
      found.length ? h("ul", {}, found.map((f) => h("li", {}, `reading ${f.score}: `, f.source ? words.link(f.source) : "its source is not in this page"))) : "");
  }
  canvas.addEventListener("click", (e) => { const box = canvas.getBoundingClientRect(); pick(Math.floor((e.clientY - box.top - TOP) / SIZE), Math.floor((e.clientX - box.left - LEFT) / SIZE)); });
  canvas.addEventListener("keydown", (e) => {
    const move = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[e.key];
    if (!move) return;
    e.preventDefault();
    pick(at[0] + move[0], at[1] + move[1]);
    const frame = canvas.parentElement, x = LEFT + at[1] * SIZE, y = TOP + at[0] * SIZE;
    frame.scrollTo({ left: Math.min(Math.max(frame.scrollLeft, x - frame.clientWidth + 40), Math.max(x - LEFT, 0)), top: Math.min(Math.max(frame.scrollTop, y - frame.clientHeight + 40), Math.max(y - TOP, 0)) });
  });
  const set = (key) => (v) => { more[key] = v; app.save(); show(root, app); };
  root.replaceChildren(h("h1", {}, "Matrix"),
    h("div", { class: "row noprint" }, widgets.choice("Show", HOW, how, set("show")), widgets.choice("Order", orders(app), order, set("sort"))),
    h("p", { class: "legend" }, h("span", {}, "full square: observed, small square: predicted; dark to bright: ", how === "width" ? "wide to narrow" : "bad to good on the benchmark's scale")),
    said, h("div", { class: "scroll", tabindex: "-1" }, canvas));
  draw();
}
