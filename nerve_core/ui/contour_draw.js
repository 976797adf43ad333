// What the editor shows: picture, the model's outline, the outlines, their points, and the tool in the hand.

import { length } from "./contour_shape.js";

const SVG = "http://www.w3.org/2000/svg";
const SHARP_PIXELS = 3; // magnification from which single pixels are shown as squares
const DOT = { small: 4.5, large: 6.5 }; // radius of a point, CSS px, for mouse and for finger

export function made(parent, name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  parent.appendChild(element);
  return element;
}

export function magnified(svg) {
  return svg.getScreenCTM()?.a || 1;
}

const path = (points, closed = true) =>
  points.length ? `M${points.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`).join("L")}${closed ? "Z" : ""}` : "";

export function paint(editor) {
  const { svg, outlines, sight, tool } = editor;
  const { data } = outlines;
  svg.setAttribute("viewBox", `${sight.x} ${sight.y} ${sight.width} ${sight.height}`);
  svg.setAttribute("aria-label", data.label);
  svg.dataset.tool = tool;
  const image = svg.querySelector("image");
  if (image.getAttribute("href") !== data.image) image.setAttribute("href", data.image);
  image.setAttribute("width", data.width);
  image.setAttribute("height", data.height);
  const zoom = magnified(svg);
  svg.classList.toggle("sharp", (zoom * data.width) / data.image_width >= SHARP_PIXELS);
  const model = svg.querySelector(".model");
  model.replaceChildren();
  if (!outlines.untouched) for (const points of data.model) made(model, "path", { d: path(points) });
  lines(editor, svg.querySelector(".nerves"));
  dots(editor, svg.querySelector(".handles"), zoom);
  hand(editor, svg.querySelector(".hand"), zoom);
}

function lines({ outlines, gesture }, group) {
  group.replaceChildren();
  outlines.nerves.forEach((nerve, index) => {
    const { points } = gesture?.index === index && gesture.shown ? gesture.shown : nerve;
    const chosen = index === outlines.selected;
    const look = nerve.judged ?? outlines.data.unjudged;
    made(group, "path", { d: path(points), class: "under" });
    made(group, "path", {
      d: path(points), class: chosen ? "line chosen" : "line", stroke: look.colour, "stroke-dasharray": look.dash,
      "data-nerve": index + 1,
    });
  });
  if (gesture?.shown && gesture.index === null) {
    made(group, "path", { d: path(gesture.shown.points), class: "line chosen", stroke: outlines.data.unjudged.colour });
  }
}

// Circles are kept from one drawing to the next: the one that has the keyboard must not lose it.
function dots({ outlines, gesture, tool, coarse }, group, zoom) {
  const nerve = gesture?.shown ?? outlines.nerve;
  const handles = tool === "points" && nerve ? nerve.handles : [];
  while (group.children.length > handles.length) group.lastChild.remove();
  while (group.children.length < handles.length) made(group, "circle", { tabindex: 0, role: "button" });
  // Small enough to leave the outline between them in sight.
  const room = (length(nerve?.points ?? []) * zoom) / Math.max(1, handles.length) / 3;
  const radius = Math.max(2.5, Math.min(coarse ? DOT.large : DOT.small, room));
  handles.forEach((place, k) => {
    const [x, y] = nerve.points[place];
    const chosen = k === outlines.handle;
    const dot = group.children[k];
    dot.setAttribute("cx", x);
    dot.setAttribute("cy", y);
    dot.setAttribute("r", (radius * (chosen ? 1.35 : 1)) / zoom);
    dot.setAttribute("class", chosen ? "chosen" : "");
    dot.setAttribute("aria-label", `Point ${k + 1} of ${handles.length}, x ${x.toFixed(1)} px, y ${y.toFixed(1)} px`);
  });
}

// The brush around the pointer, or the line that is being traced.
function hand({ outlines, tool, cursor, brush, trace }, group, zoom) {
  group.replaceChildren();
  if ((tool === "brush" || tool === "erase") && cursor) {
    made(group, "circle", { cx: cursor[0], cy: cursor[1], r: brush, class: `brush ${tool}` });
  }
  if (tool !== "trace") return;
  if (trace) {
    made(group, "path", { d: path(trace.points, false), class: "under" });
    made(group, "path", { d: path(trace.points, false), class: "drawn" });
    if (trace.ahead) made(group, "path", { d: path(trace.ahead, false), class: "drawn ahead" });
    trace.anchors.forEach(([x, y], i) => {
      made(group, "circle", { cx: x, cy: y, r: (i ? 4 : 6) / zoom, class: i ? "anchor" : "anchor first" });
    });
  }
  if (cursor) {
    made(group, "path", {
      class: "cross", d: `M${cursor[0] - 9 / zoom} ${cursor[1]}h${18 / zoom}M${cursor[0]} ${cursor[1] - 9 / zoom}v${18 / zoom}`,
    });
  }
}

// The sizes, live, with what the model measured and what it says of each nerve.
export function chips(editor, parent) {
  const { outlines, gesture } = editor;
  parent.dataset.empty = outlines.nerves.length || gesture?.shown ? "" : "No nerve is outlined.";
  const shown = outlines.nerves.map((nerve, index) => (gesture?.index === index && gesture.shown ? gesture.shown : nerve));
  if (gesture?.shown && gesture.index === null) shown.push(gesture.shown);
  while (parent.children.length > shown.length) parent.lastChild.remove();
  while (parent.children.length < shown.length) {
    const chip = document.createElement("button");
    chip.type = "button";
    chip.className = "chip";
    chip.innerHTML = "<b></b><span class='area'></span><span class='change'></span><span class='word'></span>";
    parent.append(chip);
  }
  shown.forEach(({ points, judged, own }, index) => {
    const chip = parent.children[index];
    const [size, unit] = outlines.size(points);
    const look = judged ?? outlines.data.unjudged;
    chip.onclick = () => editor.choose(index, true);
    chip.setAttribute("aria-pressed", String(index === outlines.selected));
    chip.style.setProperty("--own", look.colour);
    chip.dataset.area = size.toFixed(4);
    chip.children[0].textContent = judged?.number ?? index + 1;
    chip.children[1].textContent = `${sized(size, unit)} ${unit}`;
    chip.children[2].textContent = own ? compared(size, outlines.size(own)[0], unit) : "not outlined by the model";
    chip.children[3].textContent = outlines.waiting || !judged ? "judging …" : judged.said;
    chip.children[3].classList.toggle("waiting", outlines.waiting);
  });
}

const sized = (value, unit) =>
  value.toLocaleString("en", { minimumFractionDigits: unit === "mm²" ? 1 : 0, maximumFractionDigits: unit === "mm²" ? 1 : 0 });

function compared(size, before, unit) {
  const share = Math.round((size / before - 1) * 100);
  if (Math.abs(size / before - 1) < 0.0005) return "as the model drew it";
  return `model ${sized(before, unit)}, ${share < 0 ? "−" : "+"}${Math.abs(share)} %`;
}

// Under a finger nothing is seen, so what is there is shown beside, magnified.
export function lens({ svg, coarse, cursor, gesture }, glass) {
  const useful = coarse && cursor && gesture && gesture.kind !== "pan" && gesture.kind !== "pinch";
  glass.toggleAttribute("hidden", !useful);
  if (!useful) return;
  const half = 24 / magnified(svg);
  glass.setAttribute("viewBox", `${cursor[0] + 0.5 - half} ${cursor[1] + 0.5 - half} ${2 * half} ${2 * half}`);
  const { left, width } = svg.getBoundingClientRect();
  const place = svg.getScreenCTM().a * cursor[0] + svg.getScreenCTM().e;
  glass.classList.toggle("right", place < left + width / 2);
  const stage = svg.querySelector(".stage").cloneNode(true);
  stage.querySelector(".handles").remove(); // they would hide what is looked at
  glass.replaceChildren(stage);
  const [x, y] = [cursor[0] + 0.5, cursor[1] + 0.5];
  made(glass, "path", { class: "cross", d: `M${x - half / 6} ${y}h${half / 3}M${x} ${y - half / 6}v${half / 3}` });
}
