// Sight: the part of the scan that is seen. Always as wide for its height as the scan, and inside it.

const ROOM = 3; // the nerve's extent, times this, is what is seen at first
const MOST_ZOOM = 12;

const clip = (value, least, most) => Math.min(most, Math.max(least, value));

// `x`, `y`: left and top, in px from the scan's corner; `zoom` 1 shows the whole.
export function seen({ width, height }, x, y, zoom) {
  const [wide, high] = [width / zoom, height / zoom];
  return { x: clip(x, 0, width - wide), y: clip(y, 0, height - high), width: wide, height: high, zoom };
}

// One nerve with what lies around it; the whole where there is none.
export function fitted(data, nerve) {
  if (!nerve) return seen(data, 0, 0, 1);
  const { points } = nerve;
  const [xs, ys] = [points.map(([x]) => x + 0.5), points.map(([, y]) => y + 0.5)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const zoom = clip(Math.min(data.width / (right - left), data.height / (bottom - top)) / ROOM, 1, MOST_ZOOM / 2);
  return seen(data, (left + right - data.width / zoom) / 2, (top + bottom - data.height / zoom) / 2, zoom);
}

// Nearer or further, with one place, px from the corner, kept where it is on the screen.
export function closer(data, sight, factor, at = null) {
  const [u, v] = at ?? [sight.x + sight.width / 2, sight.y + sight.height / 2];
  const zoom = clip(sight.zoom * factor, 1, MOST_ZOOM);
  return seen(data, u - ((u - sight.x) * sight.zoom) / zoom, v - ((v - sight.y) * sight.zoom) / zoom, zoom);
}

// Two fingers: how far apart they are and where their middle is, CSS px.
export function spread(fingers) {
  const [a, b] = [...fingers.values()].map(({ clientX, clientY }) => [clientX, clientY]);
  return { span: Math.hypot(a[0] - b[0], a[1] - b[1]) || 1, middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] };
}

// What two fingers that began as `start` see now.
export function pinched(data, start, now, { left, top }) {
  const zoom = clip((start.sight.zoom * now.span) / start.span, 1, MOST_ZOOM);
  const scale = (start.scale * zoom) / start.sight.zoom; // CSS px a px of the scan
  const fixed = [start.middle[0] - left, start.middle[1] - top].map((offset) => offset / start.scale);
  const moved = [now.middle[0] - left, now.middle[1] - top].map((offset) => offset / scale);
  return seen(data, start.sight.x + fixed[0] - moved[0], start.sight.y + fixed[1] - moved[1], zoom);
}
