// @ts-check
// The few words in which the card is built: elements, rich text, and what has to be undone when a card goes.

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Node | string | null | undefined} Child */

/**
 * An element with attributes and children; `on...` is a handler, everything else is written as in HTML.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) /** @type {any} */ (node)[name] = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/**
 * An SVG element, put at the end of `parent`.
 * @param {string} tag
 * @param {Element | null} parent
 * @param {Record<string, string | number>} [attributes]
 * @returns {any}
 */
export function svg(tag, parent, attributes = {}) {
  const node = document.createElementNS(SVG, tag);
  put(node, attributes);
  parent?.append(node);
  return node;
}

/**
 * Write attributes; one that is the same already costs the browser nothing.
 * @param {Element} node
 * @param {Record<string, string | number>} attributes
 */
export function put(node, attributes) {
  for (const name in attributes) {
    const value = String(attributes[name]);
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
}

/**
 * @param {Element} node
 * @param {string} text
 */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * A sentence with **bold** and *stressed* parts and `code`, as nodes.
 * @param {string} text
 * @returns {Child[]}
 */
export const rich = (text) =>
  text.split(/(\*\*.+?\*\*|\*[^*\s][^*]*\*|`.+?`)/).map((part, i) => {
    if (i % 2 === 0) return part;
    if (part.startsWith("**")) return h("b", {}, part.slice(2, -2));
    return h(part[0] === "*" ? "em" : "code", {}, part.slice(1, -1));
  });

/** @param {string} text */
export const plain = (text) => text.replaceAll(/\*\*|`/g, "").replaceAll(/\*([^*\s][^*]*)\*/g, "$1");

/**
 * An event's few words as a sentence, for a step in which no rule fired.
 * @param {string} words
 */
export const sentence = (words) => `${words.replace(/^(\**)(.)/, (_, bold, first) => bold + first.toUpperCase())}.`;

/**
 * Bring the children of `parent` to one for each item; those that exist are kept, so that focus stays.
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(at: number) => Element} make
 * @param {(node: any, item: T, at: number) => void} fill
 */
export function patch(parent, items, make, fill) {
  while (parent.children.length > items.length) parent.lastElementChild?.remove();
  items.forEach((item, i) => fill(parent.children[i] ?? parent.appendChild(make(i)), item, i));
}

/**
 * Items by a key, in the order in which the keys come.
 * @template T
 * @param {Iterable<T>} items
 * @param {(item: T) => string} key
 * @returns {Map<string, T[]>}
 */
export function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) {
    const name = key(item);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(item);
  }
  return groups;
}

/** What is undone when the card goes: listeners, observers, timers. */
export class Undo {
  constructor() {
    /** @type {(() => void)[]} */
    this.all = [];
  }

  /** @param {() => void} undo */
  add(undo) {
    this.all.push(undo);
  }

  /**
   * @param {EventTarget} target
   * @param {string} type
   * @param {(event: any) => void} handler
   */
  on(target, type, handler) {
    target.addEventListener(type, handler);
    this.add(() => target.removeEventListener(type, handler));
  }

  /**
   * @param {Element} node
   * @param {(entry: ResizeObserverEntry) => void} handler
   */
  resized(node, handler) {
    const observer = new ResizeObserver((entries) => handler(entries[entries.length - 1]));
    observer.observe(node);
    this.add(() => observer.disconnect());
  }

  run() {
    for (const undo of this.all.splice(0).reverse()) undo();
  }
}

/** In a square of 16. */
const ICON = {
  first: "M3 3h2v10H3zM13 3v10L6 8z",
  back: "M10.5 2.5L5 8l5.5 5.5",
  play: "M4.5 2.5v11l9-5.5z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  forward: "M5.5 2.5L11 8l-5.5 5.5",
  last: "M11 3h2v10h-2zM3 3v10l7-5z",
  more: "M1.6 8a1.6 1.6 0 1 0 3.2 0 1.6 1.6 0 1 0-3.2 0M6.4 8a1.6 1.6 0 1 0 3.2 0 1.6 1.6 0 1 0-3.2 0M11.2 8a1.6 1.6 0 1 0 3.2 0 1.6 1.6 0 1 0-3.2 0",
  why: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm0 1.4a5.6 5.6 0 1 1 0 11.2A5.6 5.6 0 0 1 8 2.4zM7.2 7h1.6v4.6H7.2zM8 4.3a1 1 0 1 1 0 2 1 1 0 0 1 0-2z",
};

/** @param {keyof typeof ICON} name */
export function icon(name) {
  const drawing = svg("svg", null, {
    viewBox: "0 0 16 16",
    class: `dp-icon dp-icon-${name}`,
    "aria-hidden": "true",
  });
  svg("path", drawing, { d: ICON[name] });
  return drawing;
}
