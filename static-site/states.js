// What is to be said of each keypoint: the twin of hpe/pose/states.py, which says where its numbers are from. Vectors hold both.
import { logit, sigmoid } from "./private/scores.js";
import { isLimb } from "./skeleton.js";

const TOUCHES = 0.01;
const OUTSIDE = [-2.05, -1.37, -2.95, -1.04];
const HIDDEN = [-0.56, 0.22, -0.15, 1.35, 0.46, 0.54, -3.29];
const SURELY_OUTSIDE = 0.5;
const MAYBE_HIDDEN = 0.45;
const MOST_GAP = 2;
const NEAR = 0.3;

const sideOf = ([x0, y0, x1, y1]) => Math.max(x1 - x0, y1 - y0, 1);

const likely = (figures, weights) => sigmoid(figures.reduce((sum, value, i) => sum + value * weights[i], weights.at(-1)));
const logitOf = (score) => logit(Math.min(Math.max(score, 0.01), 0.995));
const mirrored = (name) => name.replace(/^(left|right)_/, (_, side) => (side === "left" ? "right_" : "left_"));

/** From a point to the nearest edge of the picture that the box touches, in box sides; MOST_GAP for none. */
function gapOf({ x, y }, box, { width, height }) {
  const ends = [-0.5, -0.5, width - 0.5, height - 0.5];
  const within = [x - ends[0], y - ends[1], ends[2] - x, ends[3] - y];
  const apart = [box[0] - ends[0], box[1] - ends[1], ends[2] - box[2], ends[3] - box[3]];
  const room = [width, height, width, height].map((length) => length * TOUCHES + 1);
  return Math.min(MOST_GAP, ...within.filter((_, i) => apart[i] <= room[i]).map((v) => v / sideOf(box)));
}

/**
 * A person of an answer {box, keypoints: [{name, x, y, score}]} in px of a picture {width, height} -> each keypoint's
 * "visible", "hidden", "outside" or "unsure".
 */
export function statesOf({ box, keypoints }, threshold, size) {
  const at = new Map(keypoints.map((k) => [k.name, k]));
  const values = new Map(keypoints.map(({ name, score }) => [name, logitOf(score)]));
  const best = [...values.values()].sort((a, b) => b - a).slice(0, 5);
  const mean = best.reduce((a, b) => a + b, 0) / best.length;
  const [left, right] = [at.get("left_shoulder"), at.get("right_shoulder")];
  const apart = left && right ? Math.hypot(left.x - right.x, left.y - right.y) / sideOf(box) : 0;
  return keypoints.map((k) => {
    const sure = k.score >= threshold && k.score > 0;
    const gap = gapOf(k, box, size);
    const beyond = gap < MOST_GAP && likely([values.get(k.name), gap, Math.min(gap, NEAR)], OUTSIDE) >= SURELY_OUTSIDE;
    if (k.score <= 0 || (beyond && !sure)) return "outside";
    if (isLimb(k.name)) {
      const down = (k.y - box[1]) / Math.max(box[3] - box[1], 1);
      const figures = [values.get(k.name), mean, values.get(mirrored(k.name)), apart, down, gap];
      if (likely(figures, HIDDEN) >= MAYBE_HIDDEN) return "hidden";
    }
    return sure ? "visible" : "unsure";
  });
}
