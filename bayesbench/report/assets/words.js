// Numbers, names and elements. Text enters the page as text only, never as markup.

/** An element: properties by name, `on…` handlers, children that are elements or text. */
export function h(tag, attributes = {}, ...children) {
  const own = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) own.addEventListener(name.slice(2), value);
    else if (name === "value") own.value = value;
    else own.setAttribute(name, value === true ? "" : value);
  }
  own.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return own;
}

export function svg(tag, attributes = {}, ...children) {
  const own = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) own.setAttribute(name, value);
  own.append(...children);
  return own;
}

/** About three digits. */
export function number(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "-";
  const size = Math.abs(value);
  return value.toFixed(size >= 1000 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

export const probability = (p) => (p > 0 && p < 0.005 ? "<0.01" : p < 1 && p > 0.995 ? ">0.99" : p.toFixed(2));
export const signed = (value) => (value > 0 ? "+" : "") + number(value);

export const folded = (text) =>
  Array.from(text.replaceAll("+", "plus").toLowerCase()).filter((c) => /[\p{L}\p{N}]/u.test(c)).join("");

/** Things whose id, name or another spelling holds the text: those that begin with it first. */
export function suggested(things, text, most = 12) {
  const wanted = folded(text), found = [];
  for (const thing of things) {
    let best = 9, by = "";
    for (const spelling of [thing.name, thing.id, ...thing.others]) {
      const at = folded(spelling).indexOf(wanted), own = folded(spelling) === wanted ? 0 : at === 0 ? 1 : at > 0 ? 2 : 9;
      if (own < best) { best = own; by = spelling; }
    }
    if (best < 9) found.push({ thing, best, by });
  }
  found.sort((a, b) => a.best - b.best || (b.thing.scored ?? 0) - (a.thing.scored ?? 0));
  return found.slice(0, most);
}

/** A number as people type it, or NaN; a comma may stand for the point. */
export function typed(text) {
  const plain = text.trim().replace(/%$/, "").trim();
  return /^[-+]?(\d+([.,]\d*)?|[.,]\d+)(e[-+]?\d+)?$/i.test(plain) ? Number(plain.replace(",", ".")) : NaN;
}

/** A release date as a decimal year at the middle of its period, or NaN. */
export function year(text) {
  const match = /^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?$/.exec(text.trim());
  if (!match) return NaN;
  const y = Number(match[1]), m = match[2] === undefined ? null : Number(match[2]);
  if (y < 1950 || y > 2200) return NaN;
  if (m === null) return y + 0.5;
  if (m < 1 || m > 12) return NaN;
  const lengths = Array.from({ length: 12 }, (_, k) => new Date(Date.UTC(y, k + 1, 0)).getUTCDate());
  const total = lengths.reduce((a, b) => a + b), before = lengths.slice(0, m - 1).reduce((a, b) => a + b, 0);
  if (match[3] === undefined) return y + (before + lengths[m - 1] / 2) / total;
  const d = Number(match[3]);
  return d < 1 || d > lengths[m - 1] ? NaN : y + (before + d - 0.5) / total;
}

/** A link to a source, if it is one of the web; else its text. */
export function link(address) {
  if (!/^https?:\/\//i.test(address)) return h("span", {}, address);
  return h("a", { href: address, rel: "noopener noreferrer", target: "_blank" }, address.replace(/^https?:\/\//i, ""));
}
