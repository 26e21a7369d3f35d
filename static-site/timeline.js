// Who is when: a row for each person of a clip.
import { personColour, rgb } from "./skeleton.js";
import { spans } from "./tracks.js";

const set = (node, attributes) => Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));

/** s between two frames. */
const stepOf = (frames) => (frames.length > 1 ? (frames.at(-1).time - frames[0].time) / (frames.at(-1).frame - frames[0].frame) : 0.1);

function row({ id, parts }, length) {
  const line = document.createElement("li");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  set(svg, { viewBox: `0 0 ${length} 1`, preserveAspectRatio: "none", "aria-hidden": "true" });
  for (const [from, to] of parts) {
    const bar = document.createElementNS(svg.namespaceURI, "rect");
    set(bar, { x: from, y: 0, width: Math.max(to - from, length / 400), height: 1, fill: rgb(personColour(id)) });
    svg.append(bar);
  }
  const said = Object.assign(document.createElement("span"), { textContent: `Person ${id}` });
  said.append(Object.assign(document.createElement("span"), { className: "unseen", textContent: parts.map(([a, b]) => ` ${a.toFixed(1)} to ${b.toFixed(1)} s`).join(",") }));
  line.append(said, svg);
  return line;
}

/** frames: see tracks.js; length: of the clip, s. Gives how many people there are. */
export function drawTimeline(list, frames, length) {
  const rows = spans(frames, 1.5 * stepOf(frames));
  list.replaceChildren(...rows.map((one) => row(one, length)));
  return rows.length;
}
