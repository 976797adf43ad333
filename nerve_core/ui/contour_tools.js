// What a press, a drag and a release do with each tool. `at` is the pointer in px of the scan.

import { centre, dense, holds, joined, nearest, neighbours, pulled, retraced, seeded, spliced, withHandle } from "./contour_shape.js";
import { Painting } from "./contour_paint.js";

const GRIP = { mouse: 12, finger: 26 }; // CSS px within which a point is taken hold of
const EDGE = { mouse: 9, finger: 18 }; // and within which an outline is
const STILL = { mouse: 2, finger: 6 }; // CSS px a press may move and still be a click
const PULL = 10; // CSS px within which a point jumps to an edge

const far = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
const px = (editor, limits) => limits[editor.coarse ? "finger" : "mouse"] / editor.zoom;

export function press(editor, at) {
  ({ points: takePoint, brush: beginStroke, erase: beginStroke, trace: beginTrace })[editor.tool](editor, at);
}

export function drag(editor, at) {
  const { gesture } = editor;
  if (!gesture) return;
  if (!gesture.moved && far(at, gesture.from) < px(editor, STILL)) return;
  gesture.moved = true;
  ({ pull: pullPoint, stroke, trace: drawFreely })[gesture.kind]?.(editor, at);
}

export function release(editor, at) {
  const { gesture } = editor;
  editor.gesture = null;
  if (gesture) ({ pull: letGo, stroke: endStroke, trace: endFree })[gesture.kind]?.(editor, gesture, at);
}

// Points -----------------------------------------------------------------------------------------------------

function takePoint(editor, at) {
  const { outlines } = editor;
  const index = outlines.selected;
  let nerve = outlines.nerve;
  if (nerve) {
    const away = nerve.handles.map((place) => far(nerve.points[place], at));
    let k = away.indexOf(Math.min(...away));
    const added = away[k] > px(editor, GRIP);
    if (added && nearest(nerve.points, at).distance <= px(editor, EDGE)) [nerve, k] = withHandle(nerve, at);
    else if (added) k = null;
    if (k !== null) {
      const base = dense(nerve);
      const place = base.points[base.handles[k]];
      outlines.handle = k;
      editor.gesture = {
        kind: "pull", index, base, k, from: at, added, shown: base, grip: [place[0] - at[0], place[1] - at[1]],
      };
      return;
    }
  }
  const other = outlines.at(at);
  outlines.handle = null;
  if (other !== null && other !== index) editor.choose(other);
  else editor.pan();
}

function pullPoint(editor, at) {
  const { gesture, outlines, wire } = editor;
  const { base, k, grip } = gesture;
  const to = outlines.inside([at[0] + grip[0], at[1] + grip[1]]);
  const bent = editor.snap.points && wire ? wired(editor, to) : pulled(base, k, to);
  gesture.shown = { ...outlines.nerves[gesture.index], ...bent, points: bent.points.map((point) => outlines.inside(point)) };
}

// Both sides of the point follow the edges of the picture up to the neighbouring points.
function wired({ gesture, wire, zoom, outlines }, to) {
  const { base, k } = gesture;
  const [before, after] = neighbours(base, k);
  gesture.ways ??= [before, after].map((place) => wire.from(base.points[place]));
  const at = wire.snapped(to, PULL / zoom);
  const [one, other] = gesture.ways.map((ways) => wire.path(ways, at));
  const [there, onwards] = joined(one, other.reverse());
  if (there.length < 3 || onwards.length < 3) return pulled(base, k, to);
  const made = spliced(base, before, after, [...there.slice(1), ...onwards.slice(1, -1)], there.length - 2);
  outlines.handle = made.handles.indexOf(there.length - 1);
  return made;
}

function letGo(editor, { index, base, added, moved, shown }) {
  const { outlines } = editor;
  if (moved) {
    const at = shown.points[shown.handles[outlines.handle]];
    if (outlines.put(index, shown)) outlines.handle = nearestHandle(outlines.nerve, at);
    editor.changed();
  } else if (added) {
    // A point more, the outline as it was: nothing to judge again.
    outlines.nerves = outlines.nerves.map((nerve, i) => (i === index ? { ...nerve, ...base } : nerve));
  }
  editor.focusPoint();
}

function nearestHandle({ points, handles }, at) {
  const away = handles.map((place) => far(points[place], at));
  return away.indexOf(Math.min(...away));
}

// Brush and eraser -------------------------------------------------------------------------------------------

function beginStroke(editor, at) {
  const { outlines, brush, tool } = editor;
  const index = outlines.at(at, brush);
  if (index === null && tool === "brush" && outlines.nerves.length >= outlines.data.most) return editor.full();
  editor.gesture = { kind: "stroke", index, from: at, last: at, away: tool === "erase", moved: true };
  if (index !== null) outlines.selected = index;
  stroke(editor, at);
}

function stroke(editor, at) {
  const { gesture, outlines, brush, sight } = editor;
  if (gesture.index === null && gesture.away) {
    gesture.index = outlines.at(at, brush);
    if (gesture.index === null) return;
    outlines.selected = gesture.index;
    gesture.last = at;
  }
  if (!gesture.painting) {
    const own = gesture.index === null ? [] : outlines.nerves[gesture.index].points;
    gesture.painting = new Painting(around(own, sight, outlines.box, 2 * brush));
    if (own.length) gesture.painting.fill(own);
    gesture.others = outlines.nerves.filter((_, i) => i !== gesture.index).map(({ points }) => points);
  }
  gesture.painting.stroke(gesture.last, at, brush, gesture.away);
  if (!gesture.away) for (const other of gesture.others) gesture.painting.remove(other);
  gesture.last = at;
  gesture.stale = true;
}

// Traced once a drawn frame, not once a movement.
export function refresh({ gesture, outlines }) {
  if (!gesture?.stale) return;
  gesture.stale = false;
  const points = gesture.painting.outline();
  const old = gesture.index === null ? {} : outlines.nerves[gesture.index];
  gesture.shown = points && { ...old, points, handles: [] };
  gesture.gone = !points;
}

function endStroke(editor, gesture) {
  const { outlines } = editor;
  if (!gesture.painting) return;
  gesture.stale = true;
  refresh({ gesture, outlines });
  const old = gesture.index === null ? {} : outlines.nerves[gesture.index];
  if (gesture.gone) {
    if (gesture.index !== null) outlines.remove(gesture.index);
  } else outlines.put(gesture.index, { ...old, ...seeded(gesture.shown.points) });
  outlines.handle = null;
  editor.changed();
}

// What is seen and the whole nerve, no more: the smaller the box, the finer it is painted.
function around(points, sight, [left, top, right, bottom], margin) {
  const xs = [sight.x - 0.5, sight.x + sight.width - 0.5, ...points.map(([x]) => x)];
  const ys = [sight.y - 0.5, sight.y + sight.height - 0.5, ...points.map(([, y]) => y)];
  return [
    Math.max(left, Math.min(...xs) - margin), Math.max(top, Math.min(...ys) - margin),
    Math.min(right, Math.max(...xs) + margin), Math.min(bottom, Math.max(...ys) + margin),
  ];
}

// Tracing ----------------------------------------------------------------------------------------------------

function beginTrace(editor, at) {
  const { trace, outlines, snap, wire, zoom } = editor;
  if (trace) {
    const [first, last] = [trace.anchors[0], trace.anchors[trace.anchors.length - 1]];
    const closes = trace.onto === null && trace.anchors.length > 2 && far(first, at) <= px(editor, GRIP);
    const twice = far(last, at) <= px(editor, STILL) * 2 && trace.anchors.length > 2;
    if (closes || twice) return finish(editor);
    addAnchor(editor, at);
  } else {
    const index = outlines.at(at, 2 * px(editor, EDGE));
    const edge = index === null ? null : nearest(outlines.nerves[index].points, at);
    const onto = edge && edge.distance <= px(editor, EDGE) ? index : null;
    const free = snap.trace && wire ? wire.snapped(at, PULL / zoom) : at;
    const start = onto === null ? free : edge.point;
    editor.trace = { anchors: [start], points: [start], onto, lengths: [1] };
    aim(editor);
  }
  if (editor.trace) editor.gesture = { kind: "trace", index: -1, from: at };
}

function aim({ trace, snap, wire }) {
  trace.ways = snap.trace && wire ? wire.from(trace.anchors[trace.anchors.length - 1]) : null;
  trace.ahead = null;
}

function addAnchor(editor, at) {
  const { trace, outlines, snap, wire, zoom } = editor;
  const edge = trace.onto === null ? null : nearest(outlines.nerves[trace.onto].points, at);
  const ends = edge && edge.distance <= px(editor, EDGE) && far(edge.point, trace.anchors[0]) > px(editor, GRIP);
  const to = ends ? edge.point : outlines.inside(snap.trace && wire ? wire.snapped(at, PULL / zoom) : at);
  if (trace.ways) {
    const [before, next] = joined(trace.points, wire.path(trace.ways, to));
    trace.points = before;
    trace.lengths[trace.lengths.length - 1] = before.length;
    trace.anchors[trace.anchors.length - 1] = before[before.length - 1];
    trace.points.push(...next.slice(1));
  } else trace.points.push(to);
  trace.anchors.push(to);
  trace.lengths.push(trace.points.length);
  if (ends) finish(editor);
  else aim(editor);
}

export function lookAhead(editor, at) {
  const { trace, wire } = editor;
  if (!trace) return;
  const last = trace.anchors[trace.anchors.length - 1];
  trace.ahead = trace.ways ? wire.path(trace.ways, at) : [last, at];
}

function drawFreely(editor, at) {
  const { trace, outlines, gesture } = editor;
  gesture.free = true;
  trace.ahead = null;
  const place = outlines.inside(at);
  if (far(place, trace.points[trace.points.length - 1]) > 1 / editor.zoom) trace.points.push(place);
}

function endFree(editor, { free }) {
  const { trace, outlines } = editor;
  if (!free || !trace) return;
  const end = trace.points[trace.points.length - 1];
  const edge = trace.onto === null ? null : nearest(outlines.nerves[trace.onto].points, end);
  if (edge && edge.distance <= px(editor, EDGE) && far(edge.point, trace.anchors[0]) > px(editor, GRIP)) {
    trace.points.push(edge.point);
    return finish(editor);
  }
  if (far(end, trace.anchors[0]) <= 2 * px(editor, GRIP) && trace.points.length > 12) return finish(editor);
  trace.anchors.push(end);
  trace.lengths.push(trace.points.length);
  aim(editor);
}

// The last anchor taken back; the first one too ends the tracing.
export function stepBack(editor) {
  const { trace } = editor;
  trace.anchors.pop();
  trace.lengths.pop();
  if (!trace.anchors.length) editor.trace = null;
  else {
    trace.points.length = trace.lengths[trace.lengths.length - 1];
    aim(editor);
  }
}

// The traced line becomes a part of the outline it began on, else an outline of its own, which takes the place
// of one drawn around the same nerve.
export function finish(editor) {
  const { trace, outlines, wire } = editor;
  const { points, onto, ways, anchors } = trace;
  if (points.length < 3) return;
  editor.trace = null;
  editor.gesture = null;
  const ended = onto !== null && nearest(outlines.nerves[onto].points, points[points.length - 1]).distance < 0.5;
  if (ended) outlines.put(onto, retraced(outlines.nerves[onto], points));
  else {
    const closed = ways ? [...points, ...wire.path(ways, anchors[0]).slice(1, -1)] : points;
    const same = outlines.nerves.findIndex((old) => holds(old.points, centre(closed)) && holds(closed, centre(old.points)));
    if (same < 0 && outlines.nerves.length >= outlines.data.most) return editor.full();
    const old = same < 0 ? {} : outlines.nerves[same];
    outlines.put(same < 0 ? null : same, { ...old, ...seeded(closed) });
  }
  outlines.handle = null;
  editor.changed();
}
