// The few helpers that the page needs; text always goes in as text, never as markup.

/** An element with attributes and children; a property that begins with "on" listens. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** The same element with a style property set: the page's policy allows no style attributes. */
export function styled(node, property, value) {
  node.style.setProperty(property, value);
  return node;
}

export const percent = (share) => {
  const value = share * 100;
  if (value > 99.9) return "over 99.9\u202f%";
  if (value < 0.1) return "under 0.1\u202f%";
  return `${value.toFixed(value > 99 || value < 1 ? 1 : 0)}\u202f%`;
};

export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** Asks the service; its refusal, or its silence, becomes an Error with a sentence. */
export async function ask(path, form, signal) {
  let response;
  try {
    response = await fetch(path, form ? { method: "POST", body: form, signal } : {});
  } catch {
    throw new Error("The service does not answer, or refused the upload. Is it still running?");
  }
  const reply = await response.json().catch(() => null);
  if (response.ok && reply !== null) return reply;
  const said = reply?.error ?? `The service answered with an error (${response.status}).`;
  const error = new Error(said.charAt(0).toUpperCase() + said.slice(1) + (/[.!?]$/.test(said) ? "" : "."));
  error.canForce = Boolean(reply?.force);
  throw error;
}
