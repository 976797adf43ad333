// A grid of scans. One event leaves: `open`, the index of the scan in its set. Texts come from manifests of
// unknown hands, so they are set as text, never as HTML.

export default function (component) {
  const list = component.parentElement.querySelector(".gallery");
  if (!list) return;
  list.replaceChildren(...component.data.tiles.map((tile) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", tile.problem ? `${tile.spoken}. ${tile.problem}` : tile.spoken);
    button.onclick = () => component.setTriggerValue("open", tile.index);
    if (tile.image) {
      const image = document.createElement("img");
      image.src = tile.image;
      image.alt = "";
      button.append(image);
    } else {
      button.append(words("span", "problem", tile.problem));
    }
    const line = words("span", "label", tile.label);
    const dot = words("i", "dot", "");
    dot.style.background = tile.colour;
    line.prepend(dot);
    const below = words("div", "words", "");
    below.append(words("span", "title", tile.title), line);
    button.append(below);
    const item = document.createElement("li");
    item.append(button);
    return item;
  }));
}

function words(kind, name, text) {
  const made = document.createElement(kind);
  made.className = name;
  made.textContent = text;
  return made;
}
