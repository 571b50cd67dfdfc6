// How elements are made. Text is only ever set as text: names and banners come from the wire.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes, listeners (`onclick: f`) and children: elements, or text. Null and false are left out. */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same in SVG. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Replaces all that is in an element. */
export function put(parent, ...children) {
  parent.replaceChildren(...present(children));
  return parent;
}

/** Sets a text, and only where it is another: an unchanged node is not laid out anew. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
  return element;
}

/** A label above what it names. */
export function field(label, input, note = null) {
  return el("label", { class: "field" }, el("span", { class: "label" }, label), input, note && el("span", { class: "note" }, note));
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...present(children));
  return element;
}

function present(children) {
  return children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false);
}
