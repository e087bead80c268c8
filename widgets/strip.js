// The strip under the stage: the run against its steps. A bar of eras (terms, epochs, phases) on top and, where there
// are processes, the space-time diagram: a line a process, an arrow a message. A click on an event goes there, and
// lights what it could know of (its causal past) and what could know of it (its causal future): Lamport 1978.

const LANE = 30, TOP = 30, LEFT = 10;
const NAMES = [60, 128]; // the names are as wide as the longest one, within these bounds
const ERA = 56; // a bar narrower than this has no name rather than two letters of it
const LETTER = 7.8; // what a letter of a name takes
const GLYPH = { // kind of event -> its path around (0, 0); the legend in the player's help names them
  deliver: "M4 0A4 4 0 1 1-4 0 4 4 0 1 1 4 0Z",
  fire: "M0-5.5L5.5 0 0 5.5-5.5 0Z",
  request: "M-4.5-4.5H4.5V4.5H-4.5Z",
  crash: "M-5-5L5 5M5-5L-5 5",
  restart: "M-4-5.5L6 0-4 5.5Z",
  drop: "M-4.5-4.5L4.5 4.5M4.5-4.5L-4.5 4.5",
  local: "M3 0A3 3 0 1 1-3 0 3 3 0 1 1 3 0Z",
};

class Strip {
  constructor(parent, onPick) {
    this.box = document.createElement("div");
    this.box.className = "dp-strip";
    this.names = svg("svg", this.box, { class: "dp-names", "aria-hidden": "true" }); // stay where the run scrolls
    this.track = this.box.appendChild(document.createElement("div"));
    this.track.className = "dp-run";
    this.track.tabIndex = -1;
    this.svg = svg("svg", this.track, { role: "group", "aria-label": "The run over its steps" });
    parent.append(this.box);
    this.onPick = onPick;
    this.room = 900;
    this.scrolled = 0; // kept, for to ask the box would make the browser lay out the page
    this.track.onscroll = () => (this.scrolled = this.track.scrollLeft);
    new ResizeObserver(([entry]) => {
      if (Math.abs(entry.contentRect.width - this.room) < 8) return;
      this.room = entry.contentRect.width;
      if (!this.path) return;
      this.draw(this.path, this.lanes);
      this.mark(this.at, this.focus);
    }).observe(this.track);
  }

  /** Draw a branch: its frames from the root on, without the ones that are hidden. */
  draw(path, lanes) {
    Object.assign(this, { path, lanes, lit: null });
    this.box.hidden = !lanes.length && !path.some((frame) => frame.era);
    if (this.box.hidden) return;
    this.step = Math.max(20, Math.min(lanes.length ? 56 : 84, (this.room - LEFT - 16) / Math.max(1, path.length)));
    this.place = new Map(path.map((frame, i) => [frame.depth, i])); // depth -> column
    const width = LEFT + path.length * this.step + 16, height = TOP + lanes.length * LANE;
    this.full = Math.max(width, this.room - 8); // of a short run, too, what stands beside the cursor has room
    put(this.svg, { width: this.full, height, viewBox: `0 0 ${this.full} ${height}` });
    const longest = Math.max(0, ...lanes.map((lane) => [...lane].length));
    this.wide = Math.max(NAMES[0], Math.min(NAMES[1], longest * LETTER + 12));
    put(this.names, { width: lanes.length ? this.wide : 0, height });
    this.svg.replaceChildren();
    this.names.replaceChildren();
    this.drawEras();
    this.drawLanes(width);
    this.events = new Map(); // depth -> {frame, g, causes}
    const last = new Map(); // lane -> depth of its latest event
    for (const frame of path) if (frame.moment) this.drawEvent(frame, last);
    this.now = svg("line", this.svg, { class: "dp-now", y1: 22, y2: height });
    this.nowText = svg("text", this.svg, { class: "dp-label dp-small dp-nowtext", y: height - 2 });
  }

  x(depth) {
    let column = this.place.get(depth);
    for (let d = depth; column === undefined && d > 0; d--) column = this.place.get(d); // a hidden step: where it would be
    return LEFT + ((column ?? 0) + 0.5) * this.step;
  }

  y(lane) {
    return TOP + (this.lanes.indexOf(lane) + 0.5) * LANE;
  }

  drawEras() {
    this.short = new Map(); // depth -> the name of an era whose bar has no room for it: said where the cursor stands
    for (let i = 0; i < this.path.length; ) {
      const era = this.path[i].era;
      let j = i + 1;
      while (j < this.path.length && this.path[j].era?.key === era?.key && this.path[j].era?.tone === era?.tone) j++;
      if (era) {
        const g = svg("g", this.svg, { class: `dp-mark r-${era.role ?? "ink"} t-${era.tone ?? "solid"}` });
        const width = (j - i) * this.step - 2, x = LEFT + i * this.step;
        svg("rect", g, { class: "dp-body", x, y: 3, width, height: 18, rx: 4 });
        const text = svg("text", g, { class: "dp-on", x: x + 6, y: 16, "font-size": 11.5 });
        const fitting = cut(era.label, width - 10, 11.5);
        text.textContent = fitting === era.label || width >= ERA ? fitting : "";
        if (fitting !== era.label) for (const frame of this.path.slice(i, j)) this.short.set(frame.depth, era.label);
        svg("title", g).textContent = era.label;
      }
      i = j;
    }
  }

  drawLanes(width) {
    for (const lane of this.lanes) {
      const y = this.y(lane);
      const name = svg("text", this.names, { class: "dp-label dp-strong", x: 4, y: y + 4 });
      name.textContent = cut(lane, this.wide - 8, 13);
      svg("line", this.svg, { class: "dp-lane", x1: 0, y1: y, x2: width, y2: y });
    }
    const down = new Map();
    for (const { moment, depth } of this.path) {
      if (moment?.kind === "crash") down.set(moment.lane, depth);
      if (moment?.kind === "restart") this.drawDown(moment.lane, down.get(moment.lane), this.x(depth)), down.delete(moment.lane);
    }
    for (const [lane, depth] of down) this.drawDown(lane, depth, width);
  }

  drawDown(lane, from, to) {
    if (from !== undefined) svg("line", this.svg, { class: "dp-lane dp-down", x1: this.x(from), y1: this.y(lane), x2: to, y2: this.y(lane) });
  }

  drawEvent(frame, last) {
    const { moment, depth } = frame;
    if (!this.lanes.includes(moment.lane)) return;
    const lost = moment.kind === "drop"; // what was lost has a cause, and causes nothing
    const causes = (lost ? [moment.sent] : [last.get(moment.lane), moment.sent]).filter((d) => d >= 0);
    let x = this.x(depth), y = this.y(moment.lane);
    const g = svg("g", this.svg, { class: `dp-mark dp-event r-${moment.role ?? "ink"} k-${moment.kind}`, tabindex: -1, role: "button", "aria-label": frame.event });
    if (moment.sent >= 0 && this.lanes.includes(moment.sender)) {
      const x1 = this.x(moment.sent), y1 = this.y(moment.sender);
      if (lost) y = y1 + (y - y1) * 0.6;
      svg("line", g, { class: "dp-stroke", x1, y1, x2: x, y2: y });
    }
    svg("path", g, { class: "dp-glyph", d: GLYPH[moment.kind] ?? GLYPH.local, transform: `translate(${x} ${y})` });
    svg("circle", g, { class: "dp-hit", cx: x, cy: y, r: 11 });
    svg("title", g).textContent = `${depth}: ${frame.event.replaceAll("**", "")}`;
    g.onclick = () => this.onPick(frame.n);
    this.events.set(depth, { frame, g, causes });
    if (!lost) last.set(moment.lane, depth);
  }

  /** Show where the cursor stands; the frame that is in focus has its past and future lit. */
  mark(frame, focus) {
    this.at = frame;
    if (this.box.hidden || !this.path) return;
    const x = this.x(frame.depth), right = x > this.full / 2;
    put(this.now, { x1: x, x2: x });
    put(this.nowText, { x: x + (right ? -5 : 5), "text-anchor": right ? "end" : "start" });
    const era = this.short.has(frame.depth) ? ` · ${this.short.get(frame.depth)}` : "";
    this.nowText.textContent = this.lanes.length ? `step ${frame.depth}${era}` : "";
    const left = x - this.scrolled;
    if (left < 0 || left > this.room - 30) this.track.scrollLeft = x - this.room / 2;
    this.focus = focus;
    if (focus !== this.lit) this.light((this.lit = focus));
  }

  light(focus) {
    const lit = focus === null ? null : this.cone(this.path.find((frame) => frame.n === focus)?.depth);
    for (const [depth, { g }] of this.events ?? []) {
      g.classList.toggle("dp-dim", lit !== null && !lit.past.has(depth) && !lit.future.has(depth));
      g.classList.toggle("dp-past", lit?.past.has(depth) ?? false);
      g.classList.toggle("dp-future", lit?.future.has(depth) ?? false);
    }
  }

  cone(depth) {
    const past = new Set([depth]), future = new Set([depth]);
    const depths = [...this.events.keys()];
    for (const d of depths.toReversed()) if (past.has(d)) for (const cause of this.events.get(d).causes) past.add(cause);
    for (const d of depths) if (this.events.get(d).causes.some((cause) => future.has(cause))) future.add(d);
    return { past, future };
  }
}
