// pending
export function show(root) { root.replaceChildren("pending"); }
