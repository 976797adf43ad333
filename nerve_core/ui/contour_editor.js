// The outline editor: everything is drawn and measured here at once; what is done is sent to the server, which
// judges it and answers with new data. One event leaves: `edit`, { look, revision, contours or null }.

import { Wire } from "./contour_wire.js";
import { outlinesOf } from "./contour_state.js";
import { chips, lens, magnified, paint } from "./contour_draw.js";
import { drag, finish, lookAhead, press, refresh, release } from "./contour_tools.js";
import { pressed, removePoint } from "./contour_keys.js";
import { closer, fitted, pinched, seen, spread } from "./contour_sight.js";

const FRESH_BRUSH = 40; // the brush at first: the scan's longer side over this, as its diameter
const HINTS = {
  points: "Drag a point to move it, click on the outline to add one. Drag elsewhere to move the picture.",
  brush: "Paint to add to the nerve. Begin away from every nerve to paint a new one.",
  erase: "Rub out what does not belong to the nerve.",
  trace: "Click along the edge of a nerve, or draw around it. Begin and end on an outline to redraw only that part.",
  nothing: "Take Brush or Trace to outline a nerve.",
  tracing: "Click on along the edge; click on the first point, or press Enter twice, to close. Backspace: one back.",
};
// How the user likes to work, kept while the page is open.
const habit = { tool: "points", brush: null, snap: { points: false, trace: true } };

export default function (component) {
  const root = component.parentElement.querySelector(".editor");
  if (!root) return;
  root.editor ??= new Editor(root);
  root.editor.take(component.data, (message) => component.setTriggerValue("edit", message));
  return () => root.editor.leave();
}

class Editor {
  constructor(root) {
    this.root = root;
    this.svg = root.querySelector("svg.scan");
    Object.assign(this, { gesture: null, trace: null, cursor: null, coarse: false, wire: null, said: "", fingers: new Map() });
    this.observer = new ResizeObserver(() => this.draw());
    this.buttons();
    this.pointer();
    root.onkeydown = (event) => {
      if (!this.outlines || !pressed(this, event)) return;
      event.preventDefault();
      event.stopPropagation();
    };
    root.onkeyup = (event) => { if (event.key === " ") this.gripping = false; };
  }

  get tool() { return habit.tool; }
  get snap() { return habit.snap; }
  get brush() { return habit.brush; }
  get zoom() { return magnified(this.svg); }

  take(data, send) {
    this.observer.observe(this.root);
    this.root.style.setProperty("--mark", data.mark);
    this.send = send;
    const before = this.outlines;
    this.outlines = outlinesOf(data);
    if (before !== this.outlines) {
      Object.assign(this, { gesture: null, trace: null, cursor: null, sight: fitted(data, this.outlines.nerve) });
    }
    if (this.picture !== data.image) {
      Object.assign(this, { picture: data.image, wire: null });
      const image = new Image();
      image.src = data.image;
      image.decode().then(() => { this.wire = new Wire(image, data.image_width / data.width); }, () => {});
    }
    habit.brush ??= Math.max(2, Math.round(Math.max(data.width, data.height) / FRESH_BRUSH / 2));
    this.draw();
  }

  // What was not sent yet goes now: the page may be on its way to another scan.
  leave() {
    this.observer.disconnect();
    if (this.timer) this.post();
  }

  post() {
    clearTimeout(this.timer);
    this.timer = null;
    this.send(this.outlines.message);
  }

  changed(patience = 0) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.post(), patience);
    this.draw();
  }

  // Drawn once a frame of the screen, however many events there were.
  draw() {
    if (this.drawing || !this.outlines) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = null;
      refresh(this);
      paint(this);
      lens(this, this.root.querySelector("svg.lens"));
      chips(this, this.root.querySelector(".chips"));
      this.bar();
    });
  }

  bar() {
    const { root, outlines, tool } = this;
    for (const button of root.querySelectorAll("button[data-tool]")) {
      button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
    }
    const [size, snap] = [root.querySelector(".size"), root.querySelector(".snap")];
    size.hidden = tool !== "brush" && tool !== "erase";
    size.querySelector("input").value = this.brush;
    snap.hidden = !size.hidden;
    snap.querySelector("input").checked = Boolean(this.snap[tool]);
    root.querySelector(".undo").disabled = !outlines.past.length;
    root.querySelector(".redo").disabled = !outlines.future.length;
    root.querySelector(".less").disabled = tool !== "points" || outlines.handle === null;
    root.querySelector(".delete").disabled = outlines.selected === null;
    root.querySelector(".reset").disabled = outlines.untouched;
    root.querySelector(".finish").hidden = !(this.trace?.anchors.length > 1);
    // A button that has just done all it can would take the keyboard with it.
    if (root.getRootNode().activeElement?.disabled) this.svg.focus({ preventScroll: true });
    const doing = this.trace ? "tracing" : tool === "points" && !outlines.nerve ? "nothing" : tool;
    const hint = outlines.problem || this.said || HINTS[doing];
    const line = root.querySelector(".hint");
    line.classList.toggle("problem", Boolean(outlines.problem));
    if (line.textContent !== hint) line.textContent = hint;
  }

  // What tools, keys and buttons ask for ------------------------------------------------------------------------

  use(tool) {
    habit.tool = tool;
    Object.assign(this, { trace: null, gesture: null, said: "" });
    this.draw();
  }

  turn(done) {
    this.trace = null;
    if (done) this.changed();
    else this.draw();
  }

  choose(index, look = false) {
    this.outlines.selected = index;
    this.outlines.handle = null;
    if (look) this.sight = fitted(this.outlines.data, this.outlines.nerve);
    this.draw();
  }

  resize(factor) {
    habit.brush = Math.min(80, Math.max(1, factor > 1 ? Math.ceil(this.brush * factor) : Math.floor(this.brush * factor)));
    this.draw();
  }

  removeNerve() {
    if (this.outlines.selected === null) return;
    this.outlines.remove(this.outlines.selected);
    this.changed();
  }

  giveUp() {
    if (!this.trace) this.outlines.handle = null;
    this.trace = null;
    this.svg.focus({ preventScroll: true });
    this.draw();
  }

  say(text) {
    this.said = text;
    this.draw();
  }

  full() {
    this.say(`There are ${this.outlines.data.most} outlines, as many as can be judged: delete one first.`);
  }

  focusPoint() {
    this.draw();
    const focus = () => this.svg.querySelectorAll(".handles circle")[this.outlines.handle]?.focus({ preventScroll: true });
    requestAnimationFrame(() => requestAnimationFrame(focus));
  }

  closer(factor, at = null) {
    this.sight = closer(this.outlines.data, this.sight, factor, at);
    this.draw();
  }

  move(dx, dy) {
    this.sight = seen(this.outlines.data, this.sight.x + dx, this.sight.y + dy, this.sight.zoom);
    this.draw();
  }

  pan() {
    this.gesture = { kind: "pan", sight: this.sight, client: this.client };
  }

  // Wiring -------------------------------------------------------------------------------------------------------

  buttons() {
    const on = (name, act) => { this.root.querySelector(name).onclick = act; };
    for (const button of this.root.querySelectorAll("button[data-tool]")) button.onclick = () => this.use(button.dataset.tool);
    on(".undo", () => this.turn(this.outlines.undo()));
    on(".redo", () => this.turn(this.outlines.redo()));
    on(".less", () => removePoint(this));
    on(".delete", () => this.removeNerve());
    on(".reset", () => { this.outlines.reset(); this.changed(); });
    on(".nearer", () => this.closer(1.4));
    on(".further", () => this.closer(1 / 1.4));
    on(".whole", () => {
      const { data, nerve } = this.outlines;
      this.sight = this.sight.zoom > 1 ? seen(data, 0, 0, 1) : fitted(data, nerve);
      this.draw();
    });
    on(".finish", () => { finish(this); this.draw(); });
    this.root.querySelector(".size input").oninput = (event) => { habit.brush = Number(event.target.value); this.draw(); };
    this.root.querySelector(".snap input").onchange = (event) => { this.snap[this.tool] = event.target.checked; this.draw(); };
  }

  corner(event) {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
    return [x, y];
  }

  at(event) {
    return this.corner(event).map((value) => value - 0.5);
  }

  pointer() {
    const { svg } = this;
    svg.onpointerdown = (event) => {
      if (event.button > 1) return;
      this.coarse = event.pointerType === "touch";
      if (this.coarse) this.fingers.set(event.pointerId, event);
      svg.setPointerCapture(event.pointerId);
      Object.assign(this, { client: [event.clientX, event.clientY], cursor: this.at(event), said: "" });
      if (this.fingers.size === 2) {
        this.gesture = { kind: "pinch", sight: this.sight, scale: this.zoom, ...spread(this.fingers) };
      } else if (event.button === 1 || this.gripping) this.pan();
      else if (!this.gesture) press(this, this.cursor);
      this.draw();
    };
    svg.onpointermove = (event) => {
      if (this.fingers.has(event.pointerId)) this.fingers.set(event.pointerId, event);
      const { gesture, outlines } = this;
      this.cursor = this.at(event);
      if (gesture?.kind === "pinch" && this.fingers.size === 2) {
        this.sight = pinched(outlines.data, gesture, spread(this.fingers), svg.getBoundingClientRect());
      } else if (gesture?.kind === "pan") {
        const by = [gesture.client[0] - event.clientX, gesture.client[1] - event.clientY].map((value) => value / this.zoom);
        this.sight = seen(outlines.data, gesture.sight.x + by[0], gesture.sight.y + by[1], gesture.sight.zoom);
      } else if (gesture) {
        for (const each of event.getCoalescedEvents?.() ?? []) drag(this, this.at(each));
        drag(this, this.cursor);
      } else if (!this.coarse) lookAhead(this, this.cursor);
      this.draw();
    };
    svg.onpointerup = svg.onpointercancel = (event) => {
      this.fingers.delete(event.pointerId);
      if (event.type === "pointercancel" || ["pinch", "pan"].includes(this.gesture?.kind)) this.gesture = null;
      else release(this, this.at(event));
      if (this.coarse) this.cursor = null;
      this.draw();
    };
    svg.onpointerleave = () => {
      if (this.gesture) return;
      this.cursor = null;
      if (this.trace) this.trace.ahead = null;
      this.draw();
    };
    svg.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // else the page scrolls
      event.preventDefault();
      this.closer(Math.exp(-event.deltaY / 200), this.corner(event));
    }, { passive: false });
    svg.addEventListener("focusin", (event) => {
      const k = [...svg.querySelectorAll(".handles circle")].indexOf(event.target);
      if (k < 0 || k === this.outlines.handle) return;
      this.outlines.handle = k;
      this.draw();
    });
  }
}
