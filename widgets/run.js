// What a page knows of a run: its frames as a tree, and the few words in which the card is built.

/** An element with attributes and children; `class`, `on...` and properties as they are written in HTML. */
function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node[name] = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** A sentence with **bold** parts and `code`, as nodes. */
const rich = (text) => text.split(/(\*\*.+?\*\*|`.+?`)/).map((part, i) => (i % 2 === 0 ? part : part[0] === "*" ? h("b", {}, part.slice(2, -2)) : h("code", {}, part.slice(1, -1))));
/** An event's few words as a sentence, for a step in which no rule fired. */
const sentence = (words) => `${words.replace(/^(\**)(.)/, (_, bold, first) => bold + first.toUpperCase())}.`;
const plain = (text) => text.replaceAll("**", "").replaceAll("`", "");

/** Bring the children of `parent` to one for each item; those that exist are kept, so that focus stays. */
function patch(parent, items, make, fill) {
  while (parent.children.length > items.length) parent.lastElementChild.remove();
  items.forEach((item, i) => fill(parent.children[i] ?? parent.appendChild(make(i)), item, i));
}

/** The frames of a run as a tree; the pictures of its steps put together from what changed. */
class Run {
  constructor(model) {
    this.frames = new Map();
    this.children = new Map();
    this.pictures = new Map();
    this.words = [...model.get("words")];
    this.codes = { ...model.get("codes") };
    this.add(model.get("frames"));
  }

  add(frames) {
    for (const frame of frames) {
      if (this.frames.has(frame.n)) continue;
      this.frames.set(frame.n, frame);
      this.children.set(frame.n, []);
      if (frame.parent !== undefined) this.children.get(frame.parent).push(frame.n);
    }
  }

  picture(n) {
    const missing = [];
    for (let frame = this.frames.get(n); frame && !this.pictures.has(frame.n); frame = this.frames.get(frame.parent)) missing.push(frame);
    for (const frame of missing.reverse()) this.pictures.set(frame.n, this.draw(frame, this.pictures.get(frame.parent)));
    return this.pictures.get(n);
  }

  draw(frame, before) {
    const panels = new Map();
    for (const change of frame.panels) {
      const old = before?.get(change.id);
      let marks = old?.marks ?? new Map();
      if (change.set || change.gone) {
        marks = new Map(marks);
        for (const id of change.gone ?? []) marks.delete(id);
        for (const mark of change.set ?? []) marks.set(mark.id, mark);
      }
      panels.set(change.id, { head: change.head ?? old.head, marks });
    }
    return panels;
  }

  /** The branch through `n`: from the root to it and on to its leaf, following `preferred` where that goes along. */
  branch(n, preferred = []) {
    const path = [];
    for (let frame = this.frames.get(n); frame; frame = this.frames.get(frame.parent)) path.unshift(frame);
    const liked = new Set(preferred.map((frame) => frame.n));
    for (let next = this.children.get(n); next?.length; next = this.children.get(path.at(-1).n))
      path.push(this.frames.get(next.find((child) => liked.has(child)) ?? next[0]));
    return path;
  }

  leaves() {
    return [...this.frames.values()].filter((frame) => !this.children.get(frame.n).length);
  }

  choices(n) {
    return this.frames.get(n).next.map((word, index) => {
      const [place, when] = Array.isArray(word) ? word : [word, ""];
      const taken = this.children.get(n).find((child) => this.frames.get(child).choice === index);
      return { ...this.words[place], when, index, taken };
    });
  }
}

const ICON = { // in a square of 16
  first: "M3 3h2v10H3zM13 3v10L6 8z", back: "M10.5 2.5L5 8l5.5 5.5", play: "M4 2.5v11L13 8z", pause: "M4 3h3v10H4zM9 3h3v10H9z",
  forward: "M5.5 2.5L11 8l-5.5 5.5", last: "M11 3h2v10h-2zM3 3v10l7-5z",
};

function icon(name) {
  const drawing = svg("svg", null, { viewBox: "0 0 16 16", class: `dp-icon dp-icon-${name}`, "aria-hidden": "true" });
  svg("path", drawing, { d: ICON[name] });
  return drawing;
}
