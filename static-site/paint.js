// People of a frame on a canvas over the moving picture: quicker than shapes that live for one frame.
import { jointsOf, limbsOf, personSize } from "./geometry.js";
import { COLOURS, personColour, rgb, side } from "./skeleton.js";

const DARK = "#15110e";

function paintPerson(context, person, { threshold, skeleton, scale, byPerson, numbers, mirrored }) {
  const stroke = Math.max(personSize(person) * 0.011 * scale, 2.5);
  const colour = (where) => rgb(byPerson ? personColour(person.id) : COLOURS[where]);
  const at = ({ x, y }) => [(x + 0.5) * scale, (y + 0.5) * scale];
  const limbs = limbsOf(person, threshold, skeleton);
  for (const casing of [true, false]) {
    for (const limb of limbs) {
      context.strokeStyle = casing ? "rgb(21 17 14 / 55%)" : colour(limb.side);
      context.lineWidth = casing ? stroke * 1.7 : stroke;
      context.beginPath();
      context.moveTo(...at(limb.a));
      context.lineTo(...at(limb.b));
      context.stroke();
    }
  }
  context.strokeStyle = DARK;
  context.lineWidth = stroke * 0.45;
  for (const joint of jointsOf(person, threshold).filter(({ sure }) => sure)) {
    context.fillStyle = colour(side(joint.name));
    context.beginPath();
    context.arc(...at(joint), stroke * 1.25, 0, 7);
    context.fill();
    context.stroke();
  }
  if (!numbers) return;
  const [x0, y0, x1] = person.box;
  const [x, y] = [((x0 + x1) / 2) * scale, Math.max(14, y0 * scale - 14)];
  context.fillStyle = DARK;
  context.strokeStyle = rgb(personColour(person.id));
  context.lineWidth = 3;
  context.beginPath();
  context.arc(x, y, 12, 0, 7);
  context.fill();
  context.stroke();
  context.fillStyle = "#fff";
  context.save();
  context.translate(x, y);
  if (mirrored) context.scale(-1, 1); // the canvas is a mirror, its numbers are not
  context.fillText(person.id, 0, 1);
  context.restore();
}

/** frame: an answer of the engine's `track`, or null for nobody. looks: {byPerson, numbers, mirrored}. */
export function paintFrame(context, frame, looks) {
  const { width } = context.canvas;
  if (!frame) return;
  context.lineCap = "round";
  context.font = "700 14px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  const { threshold, skeleton } = frame;
  for (const person of frame.people) paintPerson(context, person, { threshold, skeleton, scale: width / frame.width, ...looks });
}
