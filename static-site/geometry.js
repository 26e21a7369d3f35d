// Sizes, joints and labels as plain numbers: no DOM, so that node can test it.
import { limbSide } from "./skeleton.js";

/** The size of the photo that a result is in px of. */
export const sizeOf = (result) => ({ width: result?.width ?? result?.image?.width, height: result?.height ?? result?.image?.height });

const MOST_PIXELS = 16_000_000; // a canvas may hold no more in Safari

/** The size of a saved picture of a photo of width x height px. */
export function savedSize({ width, height }) {
  const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (width * height)));
  return { width: Math.round(width * scale), height: Math.round(height * scale) };
}

/** Which joints to show: [{name, x, y, score, sure}]; one outside the picture, whose score is 0, never is. */
export const jointsOf = (person, threshold) =>
  person.keypoints.map((k) => ({ name: k.name, x: k.x, y: k.y, score: k.score, sure: k.score >= threshold && k.score > 0 }));

/** Limbs with both ends sure: [{a, b, side, score}]; the score is the weaker end's. skeleton: pairs of indices. */
export function limbsOf(person, threshold, skeleton) {
  const joints = jointsOf(person, threshold);
  return skeleton.map(([from, to]) => ({ a: joints[from], b: joints[to] }))
    .filter(({ a, b }) => a?.sure && b?.sure)
    .map(({ a, b }) => ({ a, b, side: limbSide(a.name, b.name), score: Math.min(a.score, b.score) }));
}

/** The same result in px of a picture of another size; pixel centres at integers, as in the API. */
export function scaleResult(result, width, height) {
  const was = sizeOf(result);
  const fx = width / was.width;
  const fy = height / was.height;
  const move = (v, f) => Math.round(((v + 0.5) * f - 0.5) * 100) / 100;
  return {
    ...result,
    ...("width" in result ? { width, height } : {}),
    ...("image" in result ? { image: { ...result.image, width, height } } : {}),
    people: result.people.map((p) => ({
      ...p,
      box: p.box.map((v, i) => move(v, i % 2 ? fy : fx)),
      keypoints: p.keypoints.map((k) => ({ ...k, x: move(k.x, fx), y: move(k.y, fy) })),
    })),
  };
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

/** The person whose box is the smallest round (x, y), as an index; -1 where there is none. */
export function personAt(people, x, y) {
  let best = -1;
  let least = Infinity;
  people.forEach(({ box: [x0, y0, x1, y1] = [0, 0, 0, 0] }, person) => {
    const area = (x1 - x0) * (y1 - y0);
    if (x >= x0 && x <= x1 && y >= y0 && y <= y1 && area < least) [best, least] = [person, area];
  });
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

const MOST_COVERED = 0.08;

/** Of boxes in order those that lie in a picture of this size, and on none of the ones before that are kept: their indices, as a Set. */
export function apart(boxes, { width, height }) {
  const kept = new Set();
  boxes.forEach((box, i) => {
    const inside = overlap(box, { x: 0, y: 0, w: width, h: height }) > (1 - MOST_COVERED) * box.w * box.h;
    if (inside && ![...kept].some((k) => overlap(boxes[k], box) > MOST_COVERED * box.w * box.h)) kept.add(i);
  });
  return kept;
}
