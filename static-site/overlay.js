// The skeletons as SVG in the photo's own px (the viewBox), so they stay crisp at any zoom. All that is seen is in the
// attributes: the same elements are shown, saved as SVG and drawn into saved pictures.
import { apart, heat, jointsOf, limbsOf, personSize, placeLabels } from "./geometry.js";
import { COLOURS, label, personColour, rgb, side } from "./skeleton.js";

const DARK = "#15110e";

export const element = (name, attributes = {}) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
};

/** Stroke of a limb, in photo px: with the person's size; on the screen at least 2.5 px, less for people who are small there. */
export function strokeOf(person, scale) {
  const size = personSize(person);
  return Math.max(size * 0.011, Math.min(2.5, Math.max(1.2, (size * scale) / 50)) / scale);
}

function drawPerson(person, number, options) {
  const { threshold, show, picked, scale, skeleton } = options;
  const stroke = strokeOf(person, scale);
  const colour = (score, where) => rgb(show.heat ? heat(score) : show.people ? personColour(person.id ?? number + 1) : COLOURS[where]);
  const group = element("g");
  const joints = jointsOf(person, threshold);
  if (show.skeleton) {
    const limbs = limbsOf(person, threshold, skeleton);
    // pathLength 1: one dash of the stylesheet draws a limb of any length in
    const line = ({ a, b }) => ({ x1: a.x, y1: a.y, x2: b.x, y2: b.y, "stroke-linecap": "round", pathLength: 1 });
    for (const limb of limbs) {
      group.append(element("line", { ...line(limb), class: "casing", "stroke-width": stroke * 1.7, stroke: DARK, "stroke-opacity": 0.55 }));
    }
    for (const limb of limbs) {
      group.append(element("line", { ...line(limb), "stroke-width": stroke, stroke: colour(limb.score, limb.side) }));
    }
  }
  joints.forEach((joint, index) => {
    const at = { cx: joint.x, cy: joint.y, "data-joint": joint.name };
    const chosen = index === picked;
    if (show.joints && joint.sure) {
      group.append(element("circle", {
        ...at, class: "dot", r: stroke * 1.25, "stroke-width": stroke * 0.45, stroke: DARK, fill: colour(joint.score, side(joint.name)),
      }));
    } else if (!joint.sure && (show.heat || chosen)) {
      group.append(element("circle", {
        ...at, class: "unsure", r: stroke * 1.25, "stroke-width": stroke * 0.6, fill: DARK, "fill-opacity": 0.25,
        "stroke-dasharray": `${stroke} ${stroke * 0.7}`, stroke: colour(joint.score, side(joint.name)),
      }));
    }
    if (chosen) {
      group.append(element("circle", { ...at, class: "ring", r: stroke * 2.6, "stroke-width": stroke * 1.2, fill: "none", stroke: DARK }));
      group.append(element("circle", { cx: joint.x, cy: joint.y, r: stroke * 2.6, "stroke-width": stroke * 0.6, fill: "none", stroke: "#fff" }));
    }
  });
  if (show.names && options.named) group.append(...names(joints.filter((j) => j.sure), stroke, options));
  return group;
}

const LETTERS = { fill: "#fff", "font-family": "system-ui, sans-serif", "font-weight": 600, "text-anchor": "middle" };

function names(joints, stroke, { image, scale }) {
  const size = Math.max(12 / scale, stroke * 2);
  const texts = joints.map((j) => ({ ...j, text: label(j.name) }));
  const boxes = placeLabels(texts, { ...image, size, gap: stroke * 2 + size * 0.2 });
  const seen = apart(boxes, image);
  return texts.flatMap((joint, i) => {
    if (!seen.has(i)) return []; // on another name, or cut off, nobody could read it; nearer, by zoom, there is room
    const { x, y, w } = boxes[i];
    const text = element("text", {
      ...LETTERS, x: x + w / 2, y: y + size, "font-size": size, "stroke-width": size * 0.28, stroke: DARK, "stroke-opacity": 0.85,
      "stroke-linejoin": "round", "paint-order": "stroke",
    });
    text.textContent = joint.text;
    return text;
  });
}

/** A person's number, above the head; inside the picture's edge where there is no room, and smaller for small people. */
function badge(person, index, { scale, image, show }) {
  const [x0, y0, x1] = person.box;
  const r = Math.min(11, Math.max(6, (personSize(person) * scale) / 9)) / scale;
  const x = Math.min(Math.max((x0 + x1) / 2, r), image.width - r);
  const y = Math.min(Math.max(y0 - 1.6 * r, 1.2 * r), image.height - r);
  const text = element("text", { ...LETTERS, "font-weight": 700, x, y: y + r * 0.38, "font-size": r * 1.1 });
  text.textContent = person.id ?? index + 1;
  const group = element("g", { class: "badge" });
  const edge = show.people ? rgb(personColour(person.id ?? index + 1)) : "#fff";
  group.append(element("circle", { cx: x, cy: y, r, fill: DARK, stroke: edge, "stroke-width": 2 / scale }), text);
  return group;
}

// Numbers over a crowd hide it: from so many people on, only the one that is pointed at has one.
const CROWD = 8;

const drawn = new WeakMap(); // svg -> {people, key, layer, parts}: what it shows, so that little is built again

/**
 * Draws all people. options: image {width, height}, skeleton (pairs of joint indices), threshold, show
 * {skeleton, joints, names, heat, people}, person (the index of the one to bring out, -1 for all alike), named (of the one
 * whose names are shown), picked (the index of one joint, or -1), scale (screen px for a photo px), badges (false: none).
 * A person with an `id` has the number and the colour of it. Pointing at people of a crowd changes an attribute or two.
 */
export function drawOverlay(svg, people, options) {
  const { image, threshold, show, scale, person: out } = options;
  const key = JSON.stringify([image, threshold, show, scale]);
  let before = drawn.get(svg);
  if (before?.people !== people || before.key !== key || before.layer.parentNode !== svg) {
    svg.setAttribute("viewBox", `0 0 ${image.width} ${image.height}`);
    // Pixel centres are at integers in the API's numbers, and at halves in SVG's.
    before = { people, key, layer: element("g", { transform: "translate(0.5 0.5)" }), parts: [] };
    drawn.set(svg, before);
    svg.replaceChildren(before.layer);
  }
  const lone = people.length === 1;
  people.forEach((person, index) => {
    const own = lone || index === out;
    const named = index === options.named; // everybody's names would hide everybody
    const picked = own ? options.picked : -1;
    const marked = options.badges !== false && !lone && (index === out || people.length < CROWD);
    const part = before.parts[index];
    if (part?.named !== named || part.picked !== picked || part.marked !== marked) {
      const group = drawPerson(person, index, { ...options, named, picked });
      if (marked) group.append(badge(person, index, options));
      if (part) part.group.replaceWith(group);
      else before.layer.append(group);
      before.parts[index] = { group, named, picked, marked };
    }
    const { group } = before.parts[index];
    group.setAttribute("class", own || out < 0 ? "person" : "person other");
    if (own || out < 0) group.removeAttribute("opacity");
    else group.setAttribute("opacity", 0.22);
  });
}
