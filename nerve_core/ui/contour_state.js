// The outlines of one frame with every step that led to them. Kept while the page is open, so that going to
// another scan and back loses nothing.

import { area, centre, crosses, holds, overlap, seeded } from "./contour_shape.js";
import { clean } from "./contour_paint.js";

const STEPS = 200; // steps that can be undone
const SOON = 900; // ms within which moves of one point by arrow keys are one step
const VISITS = 30; // frames whose steps are kept
const visits = new Map();

export function outlinesOf(data) {
  const known = visits.get(data.look);
  const outlines = known && known.revision >= data.revision ? known : new Outlines(data);
  visits.delete(data.look);
  visits.set(data.look, outlines);
  if (visits.size > VISITS) visits.delete(visits.keys().next().value);
  outlines.take(data);
  return outlines;
}

class Outlines {
  constructor(data) {
    this.data = data;
    this.nerves = data.nerves.map((points) => ({ ...seeded(points), touched: data.corrected, own: this.model(points) }));
    this.selected = this.nerves.length ? 0 : null;
    this.handle = null;
    this.past = [];
    this.future = [];
    this.revision = data.revision;
    this.last = { what: "", when: 0 };
  }

  // What the server says: its judgement counts where it is of these very outlines.
  take(data) {
    this.data = data;
    this.problem = data.revision === this.revision ? data.problem : "";
    this.waiting = data.revision !== this.revision;
    if (this.waiting || data.judged.length !== this.nerves.length) return;
    this.nerves.forEach((nerve, i) => { nerve.judged = data.judged[i]; });
  }

  get box() {
    return [-0.5, -0.5, this.data.width - 0.5, this.data.height - 0.5];
  }

  get nerve() {
    return this.selected === null ? null : this.nerves[this.selected];
  }

  get untouched() {
    return this.nerves.length === this.data.model.length && this.nerves.every((nerve) => !nerve.touched);
  }

  inside([x, y]) {
    const [left, top, right, bottom] = this.box;
    return [Math.min(right, Math.max(left, x)), Math.min(bottom, Math.max(top, y))];
  }

  // One step: other outlines in place of these. Steps of the same kind that follow quickly are one.
  step(nerves, selected, what = "") {
    const now = performance.now();
    const same = what && what === this.last.what && now - this.last.when < SOON;
    if (!same) this.past = [...this.past, { nerves: this.nerves, selected: this.selected }].slice(-STEPS);
    this.last = { what, when: now };
    this.future = [];
    this.#show({ nerves, selected });
  }

  #show({ nerves, selected }) {
    this.nerves = nerves;
    this.selected = selected !== null && selected < nerves.length ? selected : nerves.length ? 0 : null;
    if (!this.nerve || this.handle >= this.nerve.handles.length) this.handle = null;
    this.revision += 1;
    this.waiting = true;
    this.problem = "";
  }

  undo() {
    return this.#turn(this.past, this.future);
  }

  redo() {
    return this.#turn(this.future, this.past);
  }

  #turn(from, to) {
    if (!from.length) return false;
    to.push({ nerves: this.nerves, selected: this.selected });
    this.last = { what: "", when: 0 };
    this.#show(from.pop());
    return true;
  }

  // Put a nerve in the place of another (`index` null: as a new one), free of crossings and of the others'
  // ground; one too small to be a nerve goes. Says whether anything is left of it.
  put(index, nerve, what = "") {
    let { points, handles } = nerve;
    const others = this.nerves.filter((other, i) => i !== index && overlap(points, other.points));
    if (crosses(points) || others.length) {
      points = clean(points, others.map((other) => other.points), this.box);
      if (points) ({ points, handles } = seeded(points));
    }
    if (!points || area(points) < this.data.smallest) {
      if (index !== null) this.remove(index);
      return false;
    }
    const own = "own" in nerve ? nerve.own : this.model(points);
    const made = { ...nerve, points, handles, touched: true, own };
    const nerves = index === null ? [...this.nerves, made] : this.nerves.map((old, i) => (i === index ? made : old));
    this.step(nerves, index ?? nerves.length - 1, what);
    return true;
  }

  remove(index) {
    this.handle = null;
    this.step(this.nerves.filter((_, i) => i !== index), 0);
  }

  reset() {
    this.handle = null;
    this.step(this.data.model.map((points) => ({ ...seeded(points), touched: false, own: points })), 0);
  }

  // The nerve at a place, or within `reach` px of it; the selected one first.
  at(place, reach = 0) {
    const order = this.nerves.map((_, i) => i).sort((a, b) => (b === this.selected) - (a === this.selected));
    const near = ({ points }) => reach && points.some(([x, y]) => Math.hypot(x - place[0], y - place[1]) <= reach);
    return order.find((i) => holds(this.nerves[i].points, place) || near(this.nerves[i])) ?? null;
  }

  // [area, unit] by the (row, column) scale of the calibrated part that holds the outline.
  size(points) {
    const [x, y] = centre(points);
    const part = this.data.parts.find(({ box: [top, left, bottom, right] }) => top <= y && y < bottom && left <= x && x < right);
    const spacing = part ? part.spacing : this.data.spacing;
    return spacing ? [area(points) * spacing[0] * spacing[1], "mm²"] : [area(points), "px²"];
  }

  // The model's outline of the same nerve, if it had one.
  model(points) {
    return this.data.model.find((each) => holds(each, centre(points)) || holds(points, centre(each))) ?? null;
  }

  get message() {
    const rounded = ({ points }) => points.map((point) => point.map((value) => Math.round(value * 1000) / 1000));
    return {
      look: this.data.look,
      revision: this.revision,
      contours: this.untouched ? null : this.nerves.map(rounded),
    };
  }
}
