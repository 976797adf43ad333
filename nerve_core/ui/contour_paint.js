// Painting and rubbing out: an outline is filled on a hidden canvas finer than the scan, the stroke is added or
// taken away, and the edge of what is left is traced again between its samples (marching squares).

import { area, simpler } from "./contour_shape.js";

const MOST_SAMPLES = 1e6;
const FINEST = 4; // samples a px
const HALF = 127.5;
const TRACED = 0.03; // px by which a traced outline may be simplified

// From which edge of a square to which its outline runs, by which corners lie inside: edges are 0 top, 1 right,
// 2 bottom, 3 left; corners count 1 top left, 2 top right, 4 bottom right, 8 bottom left.
const RUNS = {
  1: [[3, 0]], 2: [[0, 1]], 3: [[3, 1]], 4: [[1, 2]], 5: [[3, 0], [1, 2]], 6: [[0, 2]], 7: [[3, 2]],
  8: [[2, 3]], 9: [[2, 0]], 10: [[0, 1], [2, 3]], 11: [[2, 1]], 12: [[1, 3]], 13: [[1, 0]], 14: [[0, 3]],
};

export class Painting {
  // box: [left, top, right, bottom], px, edges between pixels; nothing is painted out of it.
  constructor(box) {
    const [left, top, right, bottom] = box;
    this.box = box;
    this.fine = Math.min(FINEST, Math.sqrt(MOST_SAMPLES / ((right - left) * (bottom - top))));
    this.canvas = document.createElement("canvas");
    this.canvas.width = Math.max(1, Math.floor((right - left) * this.fine));
    this.canvas.height = Math.max(1, Math.floor((bottom - top) * this.fine));
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.context.setTransform(this.fine, 0, 0, this.fine, -left * this.fine, -top * this.fine);
    this.context.lineCap = this.context.lineJoin = "round";
    this.used = [Infinity, Infinity, -Infinity, -Infinity];
  }

  fill(points) {
    this.#draw("source-over", points, 0, () => this.context.fill());
  }

  remove(points) {
    this.#draw("destination-out", points, 0, () => this.context.fill());
  }

  // A stroke of the brush from one point to another; `away` rubs out.
  stroke(from, to, radius, away) {
    this.context.lineWidth = 2 * radius;
    const end = from[0] === to[0] && from[1] === to[1] ? [to[0] + 1e-3, to[1]] : to;
    this.#draw(away ? "destination-out" : "source-over", [from, end], radius, () => this.context.stroke(), false);
  }

  #draw(how, points, margin, put, closed = true) {
    this.context.globalCompositeOperation = how;
    this.context.beginPath();
    for (const [x, y] of points) {
      this.context.lineTo(x, y);
      const [left, top, right, bottom] = this.used;
      this.used = [
        Math.min(left, x - margin), Math.min(top, y - margin), Math.max(right, x + margin), Math.max(bottom, y + margin),
      ];
    }
    if (closed) this.context.closePath();
    put();
  }

  // The largest outline on the canvas, or null when nothing is left; holes in it are filled.
  outline() {
    const loops = this.#loops();
    if (!loops.length) return null;
    const largest = loops.reduce((best, loop) => (area(loop) > area(best) ? loop : best));
    return simpler(largest, TRACED);
  }

  #loops() {
    const [left, top] = this.box;
    const clip = (value, most) => Math.min(most, Math.max(0, value));
    const x0 = clip(Math.floor((this.used[0] - left) * this.fine) - 2, this.canvas.width);
    const y0 = clip(Math.floor((this.used[1] - top) * this.fine) - 2, this.canvas.height);
    const x1 = clip(Math.ceil((this.used[2] - left) * this.fine) + 2, this.canvas.width);
    const y1 = clip(Math.ceil((this.used[3] - top) * this.fine) + 2, this.canvas.height);
    if (x1 <= x0 || y1 <= y0) return [];
    const pixels = this.context.getImageData(x0, y0, x1 - x0, y1 - y0).data;
    const [width, height] = [x1 - x0 + 2, y1 - y0 + 2]; // an empty frame around, so that every outline closes
    const levels = new Uint8Array(width * height);
    for (let y = 0; y < y1 - y0; y++) {
      for (let x = 0; x < x1 - x0; x++) levels[(y + 1) * width + x + 1] = pixels[4 * (y * (x1 - x0) + x) + 3];
    }
    const next = new Map();
    for (let y = 0; y < height - 1; y++) {
      for (let x = 0; x < width - 1; x++) {
        const at = y * width + x;
        const inside = (levels[at] > HALF) + 2 * (levels[at + 1] > HALF)
          + 4 * (levels[at + width + 1] > HALF) + 8 * (levels[at + width] > HALF);
        if (inside === 0 || inside === 15) continue;
        const edges = [2 * at, 2 * (at + 1) + 1, 2 * (at + width), 2 * at + 1];
        for (const [from, to] of RUNS[inside]) next.set(edges[from], edges[to]);
      }
    }
    const place = (edge) => {
      const at = edge >> 1;
      const other = edge % 2 ? at + width : at + 1;
      const share = (HALF - levels[at]) / (levels[other] - levels[at]);
      const [x, y] = [(at % width) + (edge % 2 ? 0 : share), Math.floor(at / width) + (edge % 2 ? share : 0)];
      return [left + (x0 + x - 0.5) / this.fine, top + (y0 + y - 0.5) / this.fine];
    };
    const loops = [];
    while (next.size) {
      const loop = [];
      let edge = next.keys().next().value;
      while (next.has(edge)) {
        loop.push(place(edge));
        const onwards = next.get(edge);
        next.delete(edge);
        edge = onwards;
      }
      if (loop.length > 2) loops.push(loop);
    }
    return loops;
  }
}

// The outline that is left of points once others are cut away and crossings are resolved; null when none is.
export function clean(points, others, box) {
  const painting = new Painting(box);
  painting.fill(points);
  for (const other of others) painting.remove(other);
  return painting.outline();
}
