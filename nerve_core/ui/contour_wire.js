// Intelligent scissors (Mortensen and Barrett 1995): the cheapest path between two points, where going along a
// strong edge of the picture is cheap. Costs come from the scan's own pixels, smoothed over the speckle.

const REACH = 170; // px of the picture around an anchor within which paths are sought
const STRONG = 0.95; // share of the window's pixels below the edge strength that counts as full
const DEAR = 30; // cost of a step where there is no edge; along a full edge it is 1
const SMOOTH = 400; // a picture this wide is smoothed by 1 px, a wider one by more

export class Wire {
  // picture: the decoded image; zoom: its px a px of the scan.
  constructor(picture, zoom) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(picture, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    this.zoom = zoom;
    this.width = canvas.width;
    this.height = canvas.height;
    const grey = new Float32Array(this.width * this.height);
    for (let i = 0; i < grey.length; i++) grey[i] = data[4 * i];
    const radius = Math.max(1, Math.round(this.width / SMOOTH));
    this.edges = this.#strength(this.#blurred(this.#blurred(grey, radius), radius));
  }

  // Mean over a square, as two passes of a running sum; the last pixel repeats beyond the border.
  #blurred(values, radius) {
    const pass = (source, count, step, lines, stride) => {
      const made = new Float32Array(source.length);
      for (let line = 0; line < lines; line++) {
        const at = (i) => source[line * stride + Math.min(count - 1, Math.max(0, i)) * step];
        let sum = 0;
        for (let i = -radius; i <= radius; i++) sum += at(i);
        for (let i = 0; i < count; i++) {
          made[line * stride + i * step] = sum / (2 * radius + 1);
          sum += at(i + radius + 1) - at(i - radius);
        }
      }
      return made;
    };
    return pass(pass(values, this.width, 1, this.height, this.width), this.height, this.width, this.width, 1);
  }

  #strength(values) {
    const { width, height } = this;
    const made = new Float32Array(values.length);
    for (let y = 1; y < height - 1; y++) {
      for (let x = 1; x < width - 1; x++) {
        const at = y * width + x;
        made[at] = Math.hypot(values[at + 1] - values[at - 1], values[at + width] - values[at - width]);
      }
    }
    return made;
  }

  #pixel([x, y]) {
    const clip = (value, most) => Math.min(most, Math.max(0, Math.round(value)));
    return [clip((x + 0.5) * this.zoom - 0.5, this.width - 1), clip((y + 0.5) * this.zoom - 0.5, this.height - 1)];
  }

  #point(x, y) {
    return [(x + 0.5) / this.zoom - 0.5, (y + 0.5) / this.zoom - 0.5];
  }

  // The strongest edge within `reach` px of the scan; nearer ones are preferred.
  snapped(at, reach) {
    const [x, y] = this.#pixel(at);
    const radius = Math.max(1, Math.round(reach * this.zoom));
    let [best, found] = [-1, at];
    for (let v = Math.max(0, y - radius); v <= Math.min(this.height - 1, y + radius); v++) {
      for (let u = Math.max(0, x - radius); u <= Math.min(this.width - 1, x + radius); u++) {
        const away = Math.hypot(u - x, v - y) / radius;
        const worth = this.edges[v * this.width + u] * (1 - 0.5 * away);
        if (away <= 1 && worth > best) [best, found] = [worth, this.#point(u, v)];
      }
    }
    return found;
  }

  // Cheapest ways from one anchor to every pixel around (Dijkstra 1959, with buckets as costs are small).
  from(anchor) {
    const [x, y] = this.#pixel(anchor);
    const [left, top] = [Math.max(0, x - REACH), Math.max(0, y - REACH)];
    const [right, bottom] = [Math.min(this.width - 1, x + REACH), Math.min(this.height - 1, y + REACH)];
    const [width, height] = [right - left + 1, bottom - top + 1];
    const near = new Float32Array(width * height);
    for (let v = 0; v < height; v++) {
      near.set(this.edges.subarray((top + v) * this.width + left, (top + v) * this.width + right + 1), v * width);
    }
    const full = near.slice().sort()[Math.floor(STRONG * (near.length - 1))] || 1;
    const cost = Uint8Array.from(near, (edge) => 1 + Math.round((DEAR - 1) * (1 - Math.min(1, edge / full)) ** 2));
    const spent = new Int32Array(cost.length).fill(2 ** 30);
    const back = new Int32Array(cost.length).fill(-1);
    const buckets = Array.from({ length: 7 * DEAR + 1 }, () => []);
    const start = (y - top) * width + (x - left);
    spent[start] = 0;
    buckets[0].push(start);
    const steps = [];
    for (const dy of [-1, 0, 1]) for (const dx of [-1, 0, 1]) if (dx || dy) steps.push([dx, dy, dx && dy ? 7 : 5]);
    for (let now = 0, waiting = 1; waiting > 0; now++) {
      const bucket = buckets[now % buckets.length];
      while (bucket.length) {
        const at = bucket.pop();
        waiting--;
        if (spent[at] !== now) continue;
        const [u, v] = [at % width, Math.floor(at / width)];
        for (const [dx, dy, long] of steps) {
          if (u + dx < 0 || v + dy < 0 || u + dx >= width || v + dy >= height) continue;
          const to = at + dy * width + dx;
          const total = now + long * cost[to];
          if (total >= spent[to]) continue;
          spent[to] = total;
          back[to] = at;
          buckets[total % buckets.length].push(to);
          waiting++;
        }
      }
    }
    return { anchor, left, top, width, height, back };
  }

  // The path of `ways` to a point, both ends included; straight on where it leaves the window.
  path(ways, to) {
    const [x, y] = this.#pixel(to);
    const u = Math.min(ways.width - 1, Math.max(0, x - ways.left));
    const v = Math.min(ways.height - 1, Math.max(0, y - ways.top));
    const found = [];
    for (let at = v * ways.width + u; at >= 0; at = ways.back[at]) {
      found.push(this.#point((at % ways.width) + ways.left, Math.floor(at / ways.width) + ways.top));
    }
    found.reverse();
    found[0] = ways.anchor;
    if (found.length > 1 && u === x - ways.left && v === y - ways.top) found[found.length - 1] = to;
    else found.push(to);
    return rounded(found);
  }
}

// The steps from pixel to pixel averaged away; the ends stay.
function rounded(path) {
  let smooth = path;
  for (let turn = 0; turn < 3; turn++) {
    smooth = smooth.map((point, i) => {
      if (i === 0 || i === smooth.length - 1) return point;
      const [a, b] = [smooth[i - 1], smooth[i + 1]];
      return [(a[0] + 2 * point[0] + b[0]) / 4, (a[1] + 2 * point[1] + b[1]) / 4];
    });
  }
  return smooth;
}
