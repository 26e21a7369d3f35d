// The skeletons as SVG over the photo, in the photo's own px (the viewBox), so they stay crisp at any zoom.
import { heat, jointsOf, limbsOf, personSize, placeLabels } from "./geometry.js";
import { COLOURS, label, rgb, side } from "./skeleton.js";

const element = (name, attributes = {}) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
};

/** Stroke of a limb, in photo px: with the person's size, and never thinner than 2.5 px on the screen. */
export const strokeOf = (person, scale) => Math.max(personSize(person) * 0.011, 2.5 / scale);

function drawPerson(person, options) {
  const { threshold, show, picked, scale, skeleton } = options;
  const stroke = strokeOf(person, scale);
  const paint = (score, where) => rgb(show.heat ? heat(score) : COLOURS[where]);
  const group = element("g");
  const joints = jointsOf(person, threshold);
  if (show.skeleton) {
    const limbs = limbsOf(person, threshold, skeleton);
    // pathLength 1: one dash of the stylesheet draws a limb of any length in
    const line = ({ a, b }) => ({ x1: a.x, y1: a.y, x2: b.x, y2: b.y, "stroke-linecap": "round", pathLength: 1 });
    for (const limb of limbs) {
      group.append(element("line", { ...line(limb), class: "casing", "stroke-width": stroke * 1.7 }));
    }
    for (const limb of limbs) {
      group.append(element("line", { ...line(limb), "stroke-width": stroke, stroke: paint(limb.score, limb.side) }));
    }
  }
  joints.forEach((joint, index) => {
    const at = { cx: joint.x, cy: joint.y, "data-joint": joint.name };
    const chosen = index === picked;
    if (show.joints && joint.sure) {
      group.append(element("circle", {
        ...at, class: "dot", r: stroke * 1.25, "stroke-width": stroke * 0.45, fill: paint(joint.score, side(joint.name)),
      }));
    } else if (!joint.sure && (show.heat || chosen)) {
      group.append(element("circle", {
        ...at, class: "unsure", r: stroke * 1.25, "stroke-width": stroke * 0.6,
        "stroke-dasharray": `${stroke} ${stroke * 0.7}`, stroke: paint(joint.score, side(joint.name)),
      }));
    }
    if (chosen) {
      group.append(element("circle", { ...at, class: "ring", r: stroke * 2.6, "stroke-width": stroke * 0.6 }));
    }
  });
  if (show.names && options.named) group.append(...names(joints.filter((j) => j.sure), stroke, options));
  return group;
}

function names(joints, stroke, { image, scale }) {
  const size = Math.max(12 / scale, stroke * 2);
  const texts = joints.map((j) => ({ ...j, text: label(j.name) }));
  const boxes = placeLabels(texts, { ...image, size, gap: stroke * 2 + size * 0.2 });
  return texts.map((joint, i) => {
    const { x, y, w } = boxes[i];
    const text = element("text", {
      x: x + w / 2, y: y + size, "font-size": size, "text-anchor": "middle", "stroke-width": size * 0.28,
    });
    text.textContent = joint.text;
    return text;
  });
}

/** A person's number, above the head or, where there is no room, inside the picture's edge. */
function badge(person, index, { scale, image }) {
  const [x0, y0, x1] = person.box;
  const r = 11 / scale;
  const x = Math.min(Math.max((x0 + x1) / 2, r), image.width - r);
  const y = Math.min(Math.max(y0 - 2 * r, 1.2 * r), image.height - r);
  const text = element("text", { x, y: y + r * 0.38, "font-size": r * 1.1, "text-anchor": "middle" });
  text.textContent = index + 1;
  const group = element("g", { class: "badge" });
  group.append(element("circle", { cx: x, cy: y, r }), text);
  return group;
}

const drawn = new WeakMap(); // svg -> {people, key, layer, parts}: what it shows, so that little is built again

/**
 * Draws all people. options: image {width, height}, skeleton (pairs of joint indices), threshold, show
 * {skeleton, joints, names, heat}, person (the index of the one to bring out, -1 for all alike), named (of the one
 * whose names are shown), picked (the index of one joint, or -1), scale (screen px for a photo px). Pointing at people of a crowd changes a class or two.
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
    const part = before.parts[index];
    if (part?.named !== named || part.picked !== picked) {
      const group = drawPerson(person, { ...options, named, picked });
      if (!lone) group.append(badge(person, index, options));
      if (part) part.group.replaceWith(group);
      else before.layer.append(group);
      before.parts[index] = { group, named, picked };
    }
    before.parts[index].group.setAttribute("class", own || out < 0 ? "person" : "person other");
  });
}
