// What was typed, in the fragment of the address, so that it travels with the page.

/** View and settings of a fragment; unknown keys are kept. */
export function read(fragment) {
  const pairs = new URLSearchParams(fragment.replace(/^#/, "")), state = { view: "mine", scores: {}, facts: {}, more: {} };
  for (const [key, value] of pairs) {
    if (key === "view") state.view = value;
    else if (key.startsWith("s.")) state.scores[key.slice(2)] = value;
    else if (key.startsWith("f.")) state.facts[key.slice(2)] = value;
    else state.more[key] = value;
  }
  return state;
}

export function written({ view, scores, facts, more }) {
  const pairs = new URLSearchParams({ view });
  for (const [key, value] of Object.entries(scores)) pairs.append(`s.${key}`, value);
  for (const [key, value] of Object.entries(facts)) if (value !== "") pairs.append(`f.${key}`, value);
  for (const [key, value] of Object.entries(more)) if (value !== "" && value !== null) pairs.append(key, value);
  return `#${pairs}`;
}
