// The lists beside the photo: people, and the joints of one of them by body part.
import { jointsOf } from "./geometry.js";
import { PARTS, label, side } from "./skeleton.js";

export const percent = (score) => `${Math.round(100 * Math.min(1, Math.max(0, score)))} %`;

export const make = (tag, properties = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
};

/** A button a person. onPoint(index, or -1 when the pointer or the focus leaves), onPick(index). */
export function listPeople(place, people, { onPoint, onPick }) {
  place.replaceChildren(...people.map((person, index) => {
    const button = make("button", { type: "button", className: "chip" },
      make("span", { className: "unseen" }, "Person "), `${index + 1} `, make("small", {}, percent(person.score)));
    button.addEventListener("click", () => onPick(index));
    for (const on of ["focus", "pointerenter"]) button.addEventListener(on, () => onPoint(index));
    for (const off of ["blur", "pointerleave"]) button.addEventListener(off, () => onPoint(-1));
    return button;
  }));
}

/** Marks who is picked (an index, or -1), without building the list again. */
export function markPeople(place, picked) {
  [...place.children].forEach((button, index) => button.setAttribute("aria-pressed", String(index === picked)));
}

function row(keypoint, index, part, { onHover, onPick }) {
  const where = side(keypoint.name);
  const name = make("button", { type: "button", className: where });
  // to eyes the heading of a side's part says it
  if (!part.toLowerCase().startsWith(where)) name.append(label(keypoint.name));
  else name.append(make("span", { className: "unseen" }, `${label(where)} `), label(keypoint.name.slice(where.length + 1)));
  const fill = make("i");
  fill.style.width = percent(keypoint.score).replace(" ", "");
  const line = make("tr", {},
    make("td", {}, name),
    make("td", { className: "num", textContent: `${Math.round(keypoint.x)}, ${Math.round(keypoint.y)}` }),
    make("td", { className: "num" }, percent(keypoint.score), make("span", { className: "bar" }, fill)));
  line.dataset.joint = index;
  name.addEventListener("click", () => onPick(index));
  name.addEventListener("focus", () => onHover(index));
  name.addEventListener("blur", () => onHover(-1));
  line.addEventListener("pointerenter", () => onHover(index));
  line.addEventListener("pointerleave", () => onHover(-1));
  return line;
}

/** The table's bodies, one a body part. onHover(index or -1), onPick(index): of the joint in the API's order. */
export function listJoints(table, person, actions) {
  for (const body of [...table.tBodies]) body.remove();
  const at = new Map((person?.keypoints ?? []).map((k, index) => [k.name, [k, index]]));
  const parts = [...PARTS];
  const rest = [...at.keys()].filter((name) => !PARTS.some(([, names]) => names.includes(name)));
  if (rest.length) parts.push(["Other", rest]);
  for (const [title, names] of parts) {
    const rows = names.filter((name) => at.has(name)).map((name) => row(...at.get(name), title, actions));
    if (!rows.length) continue;
    const head = make("tr", {}, make("th", { scope: "rowgroup", colSpan: 3, textContent: title }));
    table.append(make("tbody", {}, head, ...rows));
  }
}

/** Marks what the threshold and the choice say, without building the rows again (focus stays). */
export function markJoints(table, person, threshold, picked) {
  const joints = person ? jointsOf(person, threshold) : [];
  for (const line of table.querySelectorAll("[data-joint]")) {
    const index = Number(line.dataset.joint);
    line.className = `${joints[index].sure ? "" : "unsure"} ${index === picked ? "picked" : ""}`.trim();
    line.querySelector("button").setAttribute("aria-pressed", String(index === picked));
  }
}
