// The clickable scan: original beside overlay, both drawn by the browser, so that opacity and the
// outline/filled switch need no round trip. One event leaves: `point`, {x, y} in px of the scan, or
// {clear: true}. Pixel centres lie at whole numbers, so the drawing is shifted by half a pixel.

const SVG = "http://www.w3.org/2000/svg";
const UNDO_RADIUS = 14; // CSS px within which a second click takes the point away
const NARROW = 620; // CSS px below which the overlay alone is shown at first
const SHARP_FROM = 2; // magnification from which single pixels are shown as squares

// How the user likes to look, kept while the page is open: a new frame or file must not reset it.
const taste = { style: "outline", opacity: 0.45, layout: null, truth: false };

export default function (component) {
  const root = component.parentElement;
  const view = root.querySelector(".view");
  if (!view) return;
  if (!view.scan) {
    view.scan = { cursor: null };
    taste.layout ??= view.clientWidth < NARROW ? "single" : "both";
    build(view);
  }
  const state = view.scan;
  state.send = (value) => component.setTriggerValue("point", value);
  const fresh = component.data;
  if (!state.data || state.data.image !== fresh.image) state.cursor = null;
  state.data = fresh;
  state.point = fresh.point;
  state.waiting = false;
  draw(view);
  return () => state.observer.disconnect();
}

function build(view) {
  const state = view.scan;
  for (const button of view.querySelectorAll("[data-style]")) {
    button.onclick = () => { taste.style = button.dataset.style; draw(view); };
  }
  for (const button of view.querySelectorAll("[data-layout]")) {
    button.onclick = () => { taste.layout = button.dataset.layout; draw(view); };
  }
  view.querySelector(".opacity").value = taste.opacity * 100;
  view.querySelector(".show-truth").checked = taste.truth;
  view.querySelector(".opacity").oninput = (event) => { taste.opacity = event.target.value / 100; draw(view); };
  view.querySelector(".show-truth").onchange = (event) => { taste.truth = event.target.checked; draw(view); };
  view.querySelector(".clear").onclick = () => clear(view);
  for (const svg of view.querySelectorAll("svg.scan")) {
    svg.onpointermove = (event) => { if (event.pointerType !== "touch") hover(view, toScan(svg, event)); };
    svg.onpointerleave = () => hover(view, null);
    svg.onblur = () => hover(view, null);
    svg.onclick = (event) => choose(view, svg, toScan(svg, event));
    svg.onkeydown = (event) => key(view, svg, event);
  }
  state.observer = new ResizeObserver(() => draw(view));
  state.observer.observe(view);
}

function toScan(svg, event) {
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  return [at.x - 0.5, at.y - 0.5];
}

function magnification(svg) {
  const matrix = svg.getScreenCTM();
  return matrix ? matrix.a : 1;
}

function inside(view, [x, y]) {
  const { width, height } = view.scan.data;
  return x >= -0.5 && y >= -0.5 && x < width - 0.5 && y < height - 0.5;
}

function clamp(view, [x, y]) {
  const { width, height } = view.scan.data;
  const round = (value, last) => Math.round(Math.min(Math.max(value, 0), last) * 10) / 10;
  return [round(x, width - 1), round(y, height - 1)];
}

function choose(view, svg, at) {
  const state = view.scan;
  if (!state.data.clickable || !inside(view, at)) return;
  const reach = UNDO_RADIUS / magnification(svg);
  if (state.point && Math.hypot(at[0] - state.point[0], at[1] - state.point[1]) <= reach) return clear(view);
  state.point = clamp(view, at);
  state.waiting = true;
  draw(view);
  state.send({ x: state.point[0], y: state.point[1] });
}

function clear(view) {
  const state = view.scan;
  if (!state.point) return;
  state.point = null;
  state.waiting = true;
  draw(view);
  state.send({ clear: true });
}

function key(view, svg, event) {
  const state = view.scan;
  const { width, height } = state.data;
  const step = (event.shiftKey ? 0.05 : 0.01) * Math.max(width, height);
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
  const from = state.cursor || state.point || [width / 2, height / 2];
  if (moves[event.key]) hover(view, clamp(view, [from[0] + moves[event.key][0], from[1] + moves[event.key][1]]));
  else if (event.key === "Enter" || event.key === " ") choose(view, svg, from);
  else if (event.key === "Escape") clear(view);
  else return;
  event.preventDefault();
}

function hover(view, at) {
  view.scan.cursor = at && inside(view, at) ? at : null;
  for (const svg of view.querySelectorAll("svg.scan")) crosshair(view, svg);
  hint(view);
}

function element(parent, name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  parent.appendChild(made);
  return made;
}

function draw(view) {
  const state = view.scan;
  const data = state.data;
  if (!data) return;
  for (const button of view.querySelectorAll("[data-style]")) {
    button.setAttribute("aria-pressed", String(button.dataset.style === taste.style));
  }
  for (const button of view.querySelectorAll("[data-layout]")) {
    button.setAttribute("aria-pressed", String(button.dataset.layout === taste.layout));
  }
  view.querySelector(".panels").classList.toggle("single", taste.layout === "single");
  view.querySelector(".clear").hidden = !state.point;
  view.querySelector(".truth").hidden = !data.truth.length;
  const [original, overlay] = view.querySelectorAll("svg.scan");
  for (const svg of [original, overlay]) {
    svg.setAttribute("viewBox", `0 0 ${data.width} ${data.height}`);
    svg.setAttribute("aria-label", data.label);
    let image = svg.querySelector("image");
    if (!image) image = element(svg, "image", { x: 0, y: 0, preserveAspectRatio: "none" });
    image.setAttribute("width", data.width);
    image.setAttribute("height", data.height);
    if (image.getAttribute("href") !== data.image) image.setAttribute("href", data.image);
    svg.classList.toggle("sharp", magnification(svg) * data.width / data.image_width >= SHARP_FROM);
    svg.querySelector("g.layer")?.remove();
    const layer = element(svg, "g", { class: "layer", transform: "translate(0.5 0.5)" });
    if (svg === overlay) nerves(view, layer, magnification(svg));
    mark(state, layer, magnification(svg), data);
    crosshair(view, svg);
  }
  hint(view);
}

function nerves(view, layer, zoom) {
  const { data } = view.scan;
  const { style, opacity, truth } = taste;
  if (data.region) {
    const [top, left, bottom, right] = data.region;
    const box = { x: left - 0.5, y: top - 0.5, width: right - left, height: bottom - top };
    element(layer, "rect", { ...box, class: "region", stroke: data.region_colour });
  }
  const shown = style === "off" ? [] : data.nerves;
  for (const nerve of shown) {
    if (style === "filled") {
      element(layer, "path", { d: nerve.path, fill: nerve.colour, "fill-opacity": opacity, "fill-rule": "evenodd" });
    } else {
      const group = element(layer, "g", { opacity: 0.25 + 0.75 * Math.min(1, opacity / 0.45) });
      element(group, "path", { d: nerve.path, class: "under" });
      element(group, "path", { d: nerve.path, class: "outline", stroke: nerve.colour, "stroke-dasharray": nerve.dash });
    }
  }
  if (truth) for (const path of data.truth) element(layer, "path", { d: path, class: "true" });
  for (const nerve of shown) {
    const size = 16 / zoom;
    const x = Math.min(nerve.label[0] + 5 / zoom, data.width - size);
    const y = Math.min(Math.max(nerve.label[1] + size / 3, size), data.height - 2 / zoom);
    const text = element(layer, "text", { x, y, class: "number", fill: nerve.colour, "font-size": size, "stroke-width": 4 / zoom });
    text.textContent = nerve.number;
  }
}

function mark(state, layer, zoom, data) {
  if (!state.point) return;
  const [x, y] = state.point;
  const group = element(layer, "g", { class: state.waiting ? "waiting" : "", "data-point": `${x},${y}` });
  const ring = 9 / zoom, gap = 4 / zoom, end = 15 / zoom;
  const d = `M${x - ring} ${y}a${ring} ${ring} 0 1 0 ${2 * ring} 0a${ring} ${ring} 0 1 0 ${-2 * ring} 0`
    + `M${x - end} ${y}H${x - gap}M${x + gap} ${y}H${x + end}M${x} ${y - end}V${y - gap}M${x} ${y + gap}V${y + end}`;
  element(group, "path", { d, class: "halo" });
  element(group, "path", { d, class: "mark", stroke: data.point_colour });
}

function crosshair(view, svg) {
  svg.querySelector("g.cross")?.remove();
  const { cursor, data } = view.scan;
  if (!cursor || !data.clickable) return;
  const group = element(svg, "g", { class: "cross", transform: "translate(0.5 0.5)" });
  element(group, "line", { x1: 0, x2: data.width, y1: cursor[1], y2: cursor[1], class: "hair" });
  element(group, "line", { x1: cursor[0], x2: cursor[0], y1: 0, y2: data.height, class: "hair" });
}

function hint(view) {
  const { cursor, point, waiting, data } = view.scan;
  let text = "Click or tap the nerve to point at it. Keyboard: arrow keys, then Enter.";
  if (point) text = "Click the mark again, or press Escape, to take the point away.";
  if (waiting) text = "Looking again …";
  if (!data.clickable) text = "";
  const at = cursor ? ` · x ${Math.round(cursor[0])} px, y ${Math.round(cursor[1])} px` : "";
  const line = view.querySelector(".hint");
  line.hidden = !data.clickable;
  if (line.textContent !== text + at) line.textContent = text + at;
}
