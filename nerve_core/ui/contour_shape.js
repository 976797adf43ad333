// Geometry of outlines. A point is [x, y] in px of the scan; an outline is a closed list of points; a nerve is
// { points, handles }, where handles are the places in points, in order, that the user sees and drags. All
// other points follow their handles, so that an outline keeps its detail wherever nothing was touched.

export const FEWEST = 4; // handles a nerve keeps
const STRETCH = 1.1; // how far along the outline a pull is felt, times its length
const MOST_MOVED = 0.22; // and at most this share of the outline to each side

const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

export function area(points) {
  let sum = 0;
  points.forEach(([x, y], i) => {
    const [u, v] = points[(i + 1) % points.length];
    sum += x * v - u * y;
  });
  return Math.abs(sum) / 2;
}

export function length(points) {
  return points.reduce((sum, point, i) => sum + distance(point, points[(i + 1) % points.length]), 0);
}

export function centre(points) {
  const sum = points.reduce(([x, y], [u, v]) => [x + u, y + v], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}

export function holds(points, [x, y]) {
  let inside = false;
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    const [[a, b], [c, d]] = [points[i], points[j]];
    if (b > y !== d > y && x < ((c - a) * (y - b)) / (d - b) + a) inside = !inside;
  }
  return inside;
}

// The nearest place on an outline: the edge that begins at `index`, the point on it, and how far it is.
export function nearest(points, at) {
  let best = { index: 0, point: points[0], distance: Infinity };
  points.forEach((a, index) => {
    const b = points[(index + 1) % points.length];
    const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
    const along = ((at[0] - a[0]) * dx + (at[1] - a[1]) * dy) / (dx * dx + dy * dy || 1);
    const t = Math.min(1, Math.max(0, along));
    const point = [a[0] + t * dx, a[1] + t * dy];
    const far = distance(point, at);
    if (far < best.distance) best = { index, point, distance: far };
  });
  return best;
}

export function crosses(points) {
  const n = points.length;
  const side = (a, b, c) => (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
  for (let i = 0; i < n - 2; i++) {
    const [a, b] = [points[i], points[i + 1]];
    const [left, right] = a[0] < b[0] ? [a[0], b[0]] : [b[0], a[0]];
    for (let j = i + 2; j < n; j++) {
      const [c, d] = [points[j], points[(j + 1) % n]];
      if ((c[0] < left && d[0] < left) || (c[0] > right && d[0] > right)) continue;
      if (side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0) return true;
    }
  }
  return false;
}

export function overlap(one, other) {
  return one.some((point) => holds(other, point)) || other.some((point) => holds(one, point));
}

// A nerve with handles spread evenly along its outline.
export function seeded(outline) {
  const points = outline.length < 60 ? dense({ points: outline, handles: [] }).points : outline;
  const around = length(points);
  const count = Math.round(Math.min(24, Math.max(12, around / 30)));
  const handles = [];
  let walked = 0;
  points.forEach((point, i) => {
    if (handles.length < count && walked >= (handles.length * around) / count) handles.push(i);
    walked += distance(point, points[(i + 1) % points.length]);
  });
  return { points, handles };
}

// The same outline with points so close that it can be bent smoothly.
export function dense({ points, handles }) {
  const step = Math.max(0.75, length(points) / 1500);
  const known = new Set(handles);
  const made = { points: [], handles: [] };
  points.forEach((a, i) => {
    const b = points[(i + 1) % points.length];
    if (known.has(i)) made.handles.push(made.points.length);
    const parts = Math.ceil(distance(a, b) / step) || 1;
    for (let k = 0; k < parts; k++) {
      made.points.push([a[0] + ((b[0] - a[0]) * k) / parts, a[1] + ((b[1] - a[1]) * k) / parts]);
    }
  });
  return made;
}

// Indices from one place to another, walking forwards.
function run(from, to, n) {
  const found = [from];
  for (let i = from; i !== to; ) found.push((i = (i + 1) % n));
  return found;
}

export function neighbours({ handles }, k) {
  const n = handles.length;
  return [handles[(k - 1 + n) % n], handles[(k + 1) % n]];
}

// One handle moved: the outline follows smoothly as far as the neighbours, or further for a long way, so that no
// spike arises; the rest stays as it is.
export function pulled(nerve, k, to) {
  const { points, handles } = nerve;
  const n = points.length;
  const at = handles[k];
  const [before, after] = neighbours(nerve, k);
  const by = [to[0] - points[at][0], to[1] - points[at][1]];
  const far = Math.min(STRETCH * Math.hypot(...by), length(points) * MOST_MOVED);
  const moved = points.slice();
  moved[at] = to;
  for (const [step, next] of [[-1, before], [1, after]]) {
    let reach = 0;
    for (let i = at; i !== next; i = (i + step + n) % n) reach += distance(points[i], points[(i + step + n) % n]);
    reach = Math.max(reach, far);
    let walked = 0;
    for (let i = at; ; ) {
      const onwards = (i + step + n) % n;
      walked += distance(points[i], points[onwards]);
      if (walked >= reach || onwards === at) break;
      const s = 1 - walked / reach;
      const weight = s * s * (3 - 2 * s);
      moved[onwards] = [points[onwards][0] + by[0] * weight, points[onwards][1] + by[1] * weight];
      i = onwards;
    }
  }
  return { ...nerve, points: moved };
}

// The outline between two of its points replaced by a path; `keep` is the place in the path of a new handle.
export function spliced(nerve, from, to, path, keep = null) {
  const { points, handles } = nerve;
  const n = points.length;
  const gap = (to - from + n) % n;
  const rest = run(to, from, n).slice(0, -1).map((i) => points[i]);
  const kept = handles
    .map((handle) => (handle - from + n) % n)
    .filter((handle) => handle === 0 || handle >= gap)
    .map((handle) => (handle === 0 ? 0 : handle - gap + 1 + path.length));
  if (keep !== null) kept.push(keep + 1);
  return { ...nerve, points: [points[from], ...path, ...rest], handles: kept.sort((a, b) => a - b) };
}

// A handle added where the outline is nearest to a point: the shape stays the same.
export function withHandle(nerve, at) {
  const { index, point } = nearest(nerve.points, at);
  const made = spliced(nerve, index, (index + 1) % nerve.points.length, [point], 0);
  return [made, made.handles.indexOf(1)];
}

// A handle taken away: a smooth bow between its neighbours takes the place of what it held.
export function withoutHandle(nerve, k) {
  if (nerve.handles.length <= FEWEST) return nerve;
  const { points } = nerve;
  const n = points.length;
  const [from, to] = neighbours(nerve, k);
  const [a, b] = [points[from], points[to]];
  const reach = distance(a, b);
  const tangent = (at, step) => {
    let i = at;
    for (let walked = 0; walked < Math.min(6, reach / 2) && i !== (step > 0 ? from : to); ) {
      const next = (i + step + n) % n;
      walked += distance(points[i], points[next]);
      i = next;
    }
    const far = distance(points[at], points[i]) || 1;
    return [((points[i][0] - points[at][0]) / far) * reach, ((points[i][1] - points[at][1]) / far) * reach];
  };
  const [out, onwards] = [tangent(from, -1).map((value) => -value), tangent(to, 1)];
  const path = [];
  const parts = Math.max(2, Math.ceil(reach / 0.75));
  for (let i = 1; i < parts; i++) {
    const t = i / parts;
    const weights = [2 * t ** 3 - 3 * t ** 2 + 1, t ** 3 - 2 * t ** 2 + t, -2 * t ** 3 + 3 * t ** 2, t ** 3 - t ** 2];
    const mix = (axis) => weights[0] * a[axis] + weights[1] * out[axis] + weights[2] * b[axis] + weights[3] * onwards[axis];
    path.push([mix(0), mix(1)]);
  }
  return spliced(nerve, from, to, path);
}

// A part of the outline drawn anew: of the two parts that the path's ends cut, the one nearer to it goes.
export function retraced(nerve, path) {
  const made = dense(nerve);
  const n = made.points.length;
  const place = (at) => {
    const { index, point } = nearest(made.points, at);
    const next = (index + 1) % n;
    return distance(made.points[index], point) < distance(made.points[next], point) ? index : next;
  };
  const [from, to] = [place(path[0]), place(path[path.length - 1])];
  if (from === to) return nerve;
  const inner = path.slice(1, -1);
  const away = (part) => part.reduce((sum, i) => sum + Math.min(...path.map((p) => distance(p, made.points[i]))), 0) / part.length;
  const forwards = away(run(from, to, n)) <= away(run(to, from, n));
  const { points } = forwards ? spliced(made, from, to, inner) : spliced(made, to, from, inner.reverse());
  return { ...nerve, ...seeded(points) };
}

// Two paths that meet, without the way there and back where they run along each other at the meeting point.
export function joined(path, next) {
  const most = Math.min(path.length, next.length) - 2;
  let same = 0;
  while (same < most && distance(path[path.length - 1 - same], next[same]) < 1.6) same++;
  const cut = Math.max(0, same - 1);
  return [path.slice(0, path.length - cut), next.slice(cut)];
}

// Fewer points for the same outline, none of it moved by more than `most` px (Douglas and Peucker 1973).
export function simpler(points, most) {
  const n = points.length;
  let far = 0;
  points.forEach((point, i) => { if (distance(point, points[0]) > distance(points[far], points[0])) far = i; });
  const keep = new Set([0, far]);
  const stack = [[0, far], [far, n]];
  while (stack.length) {
    const [from, to] = stack.pop();
    const [a, b] = [points[from], points[to % n]];
    const span = distance(a, b) || 1;
    let [worst, at] = [most, -1];
    for (let i = from + 1; i < to; i++) {
      const [x, y] = points[i];
      const off = Math.abs((b[0] - a[0]) * (a[1] - y) - (a[0] - x) * (b[1] - a[1])) / span;
      if (off > worst) [worst, at] = [off, i];
    }
    if (at >= 0) {
      keep.add(at);
      stack.push([from, at], [at, to]);
    }
  }
  return points.filter((_, i) => keep.has(i));
}
