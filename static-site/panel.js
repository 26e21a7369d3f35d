// The lists beside the photo: people, and the joints of the one who is looked at.
import { jointsOf } from "./geometry.js";
import { label, side } from "./skeleton.js";

export const percent = (score) => `${Math.round(100 * Math.min(1, Math.max(0, score)))} %`;

const make = (tag, properties = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
};

/** Radio buttons, one a person; onPick(index). */
export function listPeople(place, people, onPick) {
  place.replaceChildren(...people.map((person, index) => {
    const radio = make("input", { type: "radio", name: "person" });
    radio.addEventListener("change", () => onPick(index));
    return make("label", { className: "chip" }, radio, ` Person ${index + 1} · ${percent(person.score)}`);
  }));
}

/** The table's rows. onHover(index or -1), onPick(index). */
export function listJoints(body, person, { onHover, onPick }) {
  body.replaceChildren(...(person?.keypoints ?? []).map((k, index) => {
    const name = make("button", { type: "button", className: side(k.name), textContent: label(k.name) });
    const fill = make("i");
    fill.style.width = percent(k.score).replace(" ", "");
    const row = make("tr", {},
      make("td", {}, name),
      make("td", { className: "num", textContent: `${Math.round(k.x)}, ${Math.round(k.y)}` }),
      make("td", { className: "num" }, percent(k.score), make("span", { className: "bar" }, fill)));
    name.addEventListener("click", () => onPick(index));
    name.addEventListener("focus", () => onHover(index));
    name.addEventListener("blur", () => onHover(-1));
    row.addEventListener("pointerenter", () => onHover(index));
    row.addEventListener("pointerleave", () => onHover(-1));
    return row;
  }));
}

/** Marks what the threshold and the choice say, without building the rows anew (focus stays). */
export function markJoints(body, person, threshold, picked) {
  const joints = person ? jointsOf(person, threshold) : [];
  [...body.rows].forEach((row, index) => {
    row.className = `${joints[index].sure ? "" : "unsure"} ${index === picked ? "picked" : ""}`.trim();
    row.querySelector("button").setAttribute("aria-pressed", String(index === picked));
  });
}
