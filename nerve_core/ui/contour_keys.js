// Everything by keyboard. A key that means something here goes no further.

import { dense, nearest, neighbours, pulled, withHandle, withoutHandle } from "./contour_shape.js";
import { finish, lookAhead, press, release, stepBack } from "./contour_tools.js";

const TOOLS = { p: "points", b: "brush", e: "erase", t: "trace" };
const PATIENCE = 300; // ms after the last arrow key until the server is asked
const MOVES = { plain: 1, shift: 5 }; // px of the scan that an arrow key moves a point

// Does what the key says; whether it meant anything.
export function pressed(editor, event) {
  const { key, shiftKey, target } = event;
  const low = key.toLowerCase();
  if (event.altKey) return false;
  if (event.ctrlKey || event.metaKey) {
    if (low === "z" && !shiftKey) editor.turn(editor.outlines.undo());
    else if (low === "z" || low === "y") editor.turn(editor.outlines.redo());
    else return false;
    return true;
  }
  if (target.matches("input")) return false;
  if (TOOLS[low]) editor.use(TOOLS[low]);
  else if (key === "+" || key === "-") editor.closer(key === "+" ? 1.4 : 1 / 1.4);
  else if (key === "[" || key === "]") editor.resize(key === "[" ? 0.8 : 1.25);
  else if (!editor.svg.contains(target)) return false;
  else return arrows(editor, key, shiftKey, target) || others(editor, key, target);
  return true;
}

function arrows(editor, key, shiftKey, target) {
  const step = MOVES[shiftKey ? "shift" : "plain"];
  const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[key];
  if (!by) return false;
  const { outlines, sight } = editor;
  if (editor.tool !== "points") {
    const [x, y] = editor.cursor ?? [sight.x + sight.width / 2, sight.y + sight.height / 2];
    editor.cursor = outlines.inside([x + by[0], y + by[1]]);
    lookAhead(editor, editor.cursor);
    editor.draw();
  } else if (outlines.handle !== null && target !== editor.svg) nudge(editor, by);
  else editor.move(8 * by[0], 8 * by[1]);
  return true;
}

function others(editor, key, target) {
  const { outlines, tool, trace } = editor;
  const point = tool === "points" && target !== editor.svg && outlines.handle !== null;
  if (key === "Escape") editor.giveUp();
  else if (trace && key === "Backspace") stepBack(editor);
  else if (point && (key === "Delete" || key === "Backspace")) removePoint(editor);
  else if (key === "Delete") editor.removeNerve();
  else if (point && (key.toLowerCase() === "a" || key === "Insert")) addPoint(editor);
  else if (tool !== "points" && editor.cursor && (key === "Enter" || key === " ")) click(editor);
  else if (key === " ") editor.gripping = true;
  else return false;
  editor.draw();
  return true;
}

// A press and release where the cross is; twice at one place ends a tracing.
function click(editor) {
  const at = editor.cursor;
  if (editor.trace?.anchors.length > 2 && editor.placed && Math.hypot(at[0] - editor.placed[0], at[1] - editor.placed[1]) < 0.5) {
    finish(editor);
    return;
  }
  editor.placed = at;
  press(editor, at);
  release(editor, at);
}

function nudge(editor, by) {
  const { outlines } = editor;
  const k = outlines.handle;
  const base = dense(outlines.nerve);
  const [x, y] = base.points[base.handles[k]];
  const bent = pulled(base, k, outlines.inside([x + by[0], y + by[1]]));
  const points = bent.points.map((point) => outlines.inside(point));
  outlines.put(outlines.selected, { ...outlines.nerve, ...bent, points }, `nudge ${outlines.selected} ${k}`);
  editor.changed(PATIENCE);
  editor.focusPoint();
}

// A point halfway to the next one.
function addPoint(editor) {
  const { outlines } = editor;
  const base = dense(outlines.nerve);
  const from = base.handles[outlines.handle];
  const [, next] = neighbours(base, outlines.handle);
  const n = base.points.length;
  const halfway = base.points[(from + Math.round(((next - from + n) % n) / 2)) % n];
  const [made, k] = withHandle(base, nearest(base.points, halfway).point);
  outlines.nerves = outlines.nerves.map((nerve, i) => (i === outlines.selected ? { ...nerve, ...made } : nerve));
  outlines.handle = k;
  editor.focusPoint();
}

export function removePoint(editor) {
  const { outlines } = editor;
  const k = outlines.handle;
  if (k === null) return;
  const fewer = withoutHandle(outlines.nerve, k);
  if (fewer === outlines.nerve) return editor.say("An outline keeps at least four points.");
  if (outlines.put(outlines.selected, fewer)) {
    outlines.handle = Math.min(k, outlines.nerve.handles.length - 1);
    editor.focusPoint();
  }
  editor.changed();
}
