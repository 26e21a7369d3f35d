// Sizes, joints and labels as plain numbers: no DOM, so that node can test it.
import { LIMBS, limbSide } from "./skeleton.js";

/** The size with the longest side at most `limit`, whole px; never enlarged. */
export function fitWithin(width, height, limit) {
  const scale = Math.min(1, limit / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Which joints to show: [{name, x, y, score, sure}]. */
export const jointsOf = (person, threshold) =>
  person.keypoints.map((k) => ({ name: k.name, x: k.x, y: k.y, score: k.score, sure: k.score >= threshold }));

/** Limbs with both ends sure: [{a, b, side, score}]; the score is the weaker end's. */
export function limbsOf(person, threshold) {
  const byName = new Map(jointsOf(person, threshold).map((j) => [j.name, j]));
  return LIMBS.map(([from, to]) => ({ a: byName.get(from), b: byName.get(to), side: limbSide(from, to) }))
    .filter(({ a, b }) => a?.sure && b?.sure)
    .map((limb) => ({ ...limb, score: Math.min(limb.a.score, limb.b.score) }));
}

/** The threshold that the API's own `confident` marks were made with, as near as they tell. */
export function impliedThreshold(people, fallback = 0.3) {
  const points = people.flatMap((p) => p.keypoints);
  const sure = points.filter((k) => k.confident).map((k) => k.score);
  const unsure = points.filter((k) => !k.confident).map((k) => k.score);
  if (!sure.length && !unsure.length) return fallback;
  const low = unsure.length ? Math.max(...unsure) : 0;
  const high = sure.length ? Math.min(...sure) : 1;
  if (fallback > low && fallback <= high) return fallback;
  const round = Math.floor(high * 100) / 100;
  return round > low ? round : high;
}

/** The longer side of a person's box, px; of all joints where the box is empty. */
export function personSize(person) {
  const [x0, y0, x1, y1] = person.box ?? [0, 0, 0, 0];
  const size = Math.max(x1 - x0, y1 - y0);
  if (size > 0) return size;
  const xs = person.keypoints.map((k) => k.x);
  const ys = person.keypoints.map((k) => k.y);
  return Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys), 1);
}

/** The joint nearest to (x, y) within `reach` px: {person, joint} (indices), or null. */
export function nearestJoint(people, x, y, threshold, reach) {
  let best = null;
  let distance = reach;
  people.forEach((who, person) => jointsOf(who, threshold).forEach((j, joint) => {
    const d = Math.hypot(j.x - x, j.y - y);
    if (j.sure && d <= distance) [best, distance] = [{ person, joint }, d];
  }));
  return best;
}

export const RAMP = [[139, 98, 214], [190, 58, 120], [240, 110, 60], [250, 180, 60], [250, 245, 150]];

/** A score 0..1 as a colour [r, g, b], dark violet to light yellow: lightness alone tells it too. */
export function heat(score) {
  const at = Math.min(1, Math.max(0, score)) * (RAMP.length - 1);
  const i = Math.min(Math.floor(at), RAMP.length - 2);
  return RAMP[i].map((v, c) => Math.round(v + (RAMP[i + 1][c] - v) * (at - i)));
}

const overlap = (a, b) =>
  Math.max(0, Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x)) *
  Math.max(0, Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y));

/**
 * Where each joint's name goes: the place round its joint that covers the least of the other names and dots and
 * stays in the picture. joints: [{x, y, text}]; returns [{x, y, w, h}] boxes, in order.
 */
export function placeLabels(joints, { width, height, size, gap }) {
  const dots = joints.map((j) => ({ x: j.x - gap, y: j.y - gap, w: 2 * gap, h: 2 * gap }));
  const placed = [];
  for (const j of joints) {
    const w = j.text.length * size * 0.56;
    const h = size * 1.3;
    const spots = [[gap, -h / 2], [-gap - w, -h / 2], [gap, -h - gap / 2], [-gap - w, -h - gap / 2], [gap, gap / 2],
      [-gap - w, gap / 2], [-w / 2, gap], [-w / 2, -gap - h]]
      .map(([dx, dy]) => ({ x: j.x + dx, y: j.y + dy, w, h }));
    const cost = (box) => [...placed, ...dots].reduce((sum, other) => sum + overlap(box, other), 0) +
      3 * (w * h - overlap(box, { x: 0, y: 0, w: width, h: height }));
    placed.push(spots.reduce((best, box) => (cost(box) < cost(best) - 1e-6 ? box : best)));
  }
  return placed;
}
