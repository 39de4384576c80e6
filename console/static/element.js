/* Elements: making them without ever parsing text as markup. What members write is always a text node. */

const SVG = "http://www.w3.org/2000/svg";

/** Make an element. `props`: `class`, `on` (listeners by event name), or attributes; null, undefined and false are left out. */
export function h(tag, props, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
    else made.setAttribute(name === "class" ? "class" : name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((one) => one !== null && one !== undefined && one !== false && one !== ""));
  return made;
}

/** One icon of the sprite; decorative, so the words beside it or an aria-label must carry the meaning. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/console/static/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** Parse an SVG drawn by our server from numbers; anything else than one <svg> is refused. */
export function drawing(text) {
  const root = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  if (root.namespaceURI !== SVG || root.localName !== "svg") throw new Error("not a drawing");
  return document.importNode(root, true);
}

export const byId = (id) => document.getElementById(id);

/** Replace the children of `parent` by `wanted`, keeping nodes that stay: focus and scroll survive. */
export function arrange(parent, wanted) {
  let place = parent.firstChild;
  for (const node of wanted) {
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}

/** Say something to screen readers that is visible elsewhere on the page. */
export function announce(words) {
  const spoken = byId("spoken");
  spoken.textContent = "";
  requestAnimationFrame(() => { spoken.textContent = words; });
}

/** A round sign with the first character of a name. */
export function face(name, kind = "") {
  return h("span", { class: `face ${kind}`.trim(), "aria-hidden": "true" }, [...name.trim()][0] ?? "·");
}

/** A level chip in its tone. */
export const chip = (words, tone) => h("span", { class: `chip ${tone}` }, words);
