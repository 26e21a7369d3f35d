// Angles of a person's joints in the picture plane: the twin of hpe/pose/angles.py, by the same names. Vectors hold both.
import { logit } from "./private/scores.js";

const both = (corner, from, to) => Object.fromEntries(["left", "right"].map((side) => [`${side}_${corner}`, [from, corner, to].map((name) => `${side}_${name}`)]));

/** Name: one end, the corner, the other end; "" is straight up. */
export const ANGLES = {
  ...both("elbow", "shoulder", "wrist"), ...both("shoulder", "hip", "elbow"), ...both("hip", "shoulder", "knee"), ...both("knee", "hip", "ankle"),
  trunk: ["thorax", "pelvis", ""], neck: ["pelvis", "thorax", "head_top"],
};
const AT_HALF = -3.0; // a joint's expected distance from its place: exp(AT_HALF + SLOPE logit(score)) of the box's side
const SLOPE = -0.52;
const MOST = 90;

const tenth = (value) => Math.round(value * 10) / 10;
const inDegrees = (radians) => (radians * 180) / Math.PI;

/** The degrees that an angle at `corner` is off on average; up: whether its other end is straight up. */
function expectedError(first, corner, last, up, side) {
  const away = ({ score }) => side * Math.exp(AT_HALF + SLOPE * logit(score, 1e-3));
  const turn = (end) => {
    const [x, y] = [end.x - corner.x, end.y - corner.y];
    const length = Math.max(x * x + y * y, 1e-12);
    return [-y / length, x / length];
  };
  const [one, other] = [turn(first), up ? [0, 0] : turn(last)];
  const squared = ([x, y]) => x * x + y * y;
  const ofLast = up ? 0 : away(last) ** 2 * squared(other);
  const ofCorner = away(corner) ** 2 * squared([other[0] - one[0], other[1] - one[1]]);
  return MOST * Math.tanh(inDegrees(Math.sqrt(away(first) ** 2 * squared(one) + ofLast + ofCorner)) / MOST);
}

/** [{name, degrees, error}] of the angles whose joints are all sure, to a tenth of a degree. person: of an answer. */
export function anglesOf({ box: [x0, y0, x1, y1], keypoints }, threshold) {
  const at = new Map(keypoints.filter((k) => k.score >= threshold && k.score > 0).map((k) => [k.name, k]));
  return Object.entries(ANGLES).flatMap(([name, [a, middle, b]]) => {
    const [first, corner] = [at.get(a), at.get(middle)];
    const last = b ? at.get(b) : corner && { x: corner.x, y: corner.y - 1 };
    if (!first || !corner || !last) return [];
    const [u, v] = [first, last].map((k) => [k.x - corner.x, k.y - corner.y]);
    const lengths = Math.hypot(...u) * Math.hypot(...v);
    if (!lengths) return [];
    const cosine = (u[0] * v[0] + u[1] * v[1]) / lengths;
    const error = expectedError(first, corner, last, !b, Math.max(x1 - x0, y1 - y0));
    return [{ name, degrees: tenth(inDegrees(Math.acos(Math.min(1, Math.max(-1, cosine))))), error: tenth(error) }];
  });
}
