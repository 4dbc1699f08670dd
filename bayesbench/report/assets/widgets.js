// Parts that several views share: a field that suggests names, bars of intervals, tables, charts.
import * as words from "./words.js";

const { h, svg, number } = words;
let made = 0;

/** A field that suggests names by any of their spellings; `chosen` is called with the thing. */
export function picker(label, things, chosen, { keep = false, value = "" } = {}) {
  const id = `pick-${made++}`, list = h("ul", { id: `${id}-list`, role: "listbox", "aria-label": label, hidden: true });
  let found = [], at = -1;
  const input = h("input", {
    id, type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", value,
    "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": `${id}-list`,
  });
  const say = h("p", { class: "bad", role: "alert" });
  const mark = (to) => {
    at = to;
    Array.from(list.children).forEach((item, i) => item.setAttribute("aria-selected", String(i === at)));
    if (at >= 0) { input.setAttribute("aria-activedescendant", list.children[at].id); list.children[at].scrollIntoView({ block: "nearest" }); }
    else input.removeAttribute("aria-activedescendant");
  };
  const close = () => { list.hidden = true; input.setAttribute("aria-expanded", "false"); mark(-1); };
  const take = (one) => { input.value = keep ? one.thing.name : ""; say.textContent = ""; close(); chosen(one.thing); };
  const open = () => {
    found = input.value.trim() ? words.suggested(things(), input.value) : [];
    list.replaceChildren(...found.map((one, i) => h(
      "li", { id: `${id}-${i}`, role: "option", "aria-selected": "false", onpointerdown: (e) => { e.preventDefault(); take(one); } },
      one.thing.name, one.by !== one.thing.name ? h("span", {}, one.by) : null,
    )));
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    if (found.length) mark(0);
  };
  input.addEventListener("input", () => { say.textContent = ""; open(); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (list.hidden) open();
      if (found.length) mark((at + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length);
      event.preventDefault();
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (list.hidden) open();
      if (found.length) take(found[Math.max(at, 0)]);
      else if (input.value.trim()) say.textContent = `no name like “${input.value.trim()}” is known`;
    } else if (event.key === "Escape") close();
  });
  return h("div", { class: "field" }, h("label", { for: id }, label), h("div", { class: "box" }, input, list), say);
}

/** Interval bars between two ends: 90 % light, 50 % dark, the median a gap, a reading a ring. */
export function bar(values) {
  const own = svg("svg", { class: "bar", viewBox: "0 0 200 18", preserveAspectRatio: "none", role: "img" },
    svg("line", { class: "axis", x1: 4, x2: 196, y1: 9, y2: 9 }), svg("rect", { class: "outer", y: 5, height: 8 }),
    svg("rect", { class: "inner", y: 5, height: 8 }), svg("line", { class: "middle", y1: 3, y2: 15 }), svg("circle", { class: "seen", cy: 9, r: 5 }));
  move(own, values);
  return own;
}

/** The same bars at other values. */
export function move(own, { low, high, q05, q25, q50, q75, q95, seen }) {
  const x = (v) => 4 + 192 * Math.min(Math.max((v - low) / (high - low || 1), 0), 1), [, outer, inner, middle, ring] = own.children;
  own.setAttribute("aria-label", `median ${number(q50)}, 50 % ${number(q25)} to ${number(q75)}, 90 % ${number(q05)} to ${number(q95)}`);
  outer.setAttribute("x", x(q05)); outer.setAttribute("width", Math.max(x(q95) - x(q05), 1));
  inner.setAttribute("x", x(q25)); inner.setAttribute("width", Math.max(x(q75) - x(q25), 1));
  middle.setAttribute("x1", x(q50)); middle.setAttribute("x2", x(q50));
  const known = seen !== null && seen !== undefined;
  ring.setAttribute("visibility", known ? "visible" : "hidden");
  if (known) ring.setAttribute("cx", x(seen));
}

/** Ends that bars of a benchmark are drawn between. */
export function ends(b, values) {
  if (b.lower !== null && b.upper !== null) return [b.lower, b.upper];
  const low = Math.min(...values), high = Math.max(...values), room = 0.05 * (high - low || 1);
  return [low - room, high + room];
}

/** A table that its column heads sort; columns are {title, value, show, left, hide}. */
export function table(caption, columns, rows, { sort = -1, up = true, mark = () => false } = {}) {
  let by = sort, rising = up;
  const body = h("tbody"), heads = [];
  const fill = () => {
    const sorted = Array.from(rows);
    if (by >= 0) {
      const value = columns[by].value;
      sorted.sort((a, b) => {
        const x = value(a), y = value(b);
        if (x === null || y === null) return (x === null) - (y === null);
        return (rising ? 1 : -1) * (typeof x === "string" ? x.localeCompare(y) : x - y);
      });
    }
    heads.forEach((head, i) => head.setAttribute("aria-sort", i !== by ? "none" : rising ? "ascending" : "descending"));
    body.replaceChildren(...sorted.map((row) => h("tr", { class: mark(row) ? "known" : null }, columns.map((c) =>
      h("td", { class: [c.left ? "left" : "", c.hide ? "hide" : ""].join(" ").trim() || null }, c.show ? c.show(row) : number(c.value(row)))))));
  };
  for (const [i, c] of columns.entries()) {
    const flip = () => { rising = by === i ? !rising : Boolean(c.left); by = i; fill(); };
    heads.push(h("th", { scope: "col", class: [c.left ? "left" : "", c.hide ? "hide" : ""].join(" ").trim() || null },
      c.value ? h("button", { type: "button", onclick: flip }, c.title) : c.title));
  }
  fill();
  return h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption }, h("table", {}, h("thead", {}, h("tr", {}, heads)), body));
}

/** A chart by Plot with a caption; its label is read out in place of the drawing. */
export function chart(caption, options) {
  const own = Plot.plot({ style: { background: "none", color: "inherit", fontFamily: "inherit", overflow: "visible" }, ...options });
  // Plot names the groups of its marks, which may not bear a name of their own
  for (const group of own.querySelectorAll("g[aria-label]")) group.removeAttribute("aria-label");
  own.setAttribute("role", "img");
  own.setAttribute("aria-label", caption);
  return h("figure", {}, own, h("figcaption", {}, caption));
}

export const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export function checkbox(label, checked, changed) {
  const own = h("input", { type: "checkbox", onchange: () => changed(own.checked) });
  own.checked = checked;
  return h("label", { class: "inline" }, own, label);
}

export function choice(label, options, value, changed) {
  const id = `pick-${made++}`, own = h("select", { id, onchange: () => changed(own.value) },
    options.map(([key, text]) => h("option", { value: key }, text)));
  own.value = value;
  return h("div", { class: "field" }, h("label", { for: id }, label), own);
}

export function field(label, value, changed, attributes = {}) {
  const id = `pick-${made++}`, own = h("input", { id, type: "text", value, autocomplete: "off", ...attributes, oninput: () => changed(own.value, own) });
  return h("div", { class: attributes.class === "number" ? "field narrow" : "field" }, h("label", { for: id }, label), own);
}
