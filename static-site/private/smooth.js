// Keypoints through time without the tremble: the 1 euro filter (Casiez, Roussel and Vogel, CHI 2012), weighed by scores. The twin
// of hpe/video/smooth.py.

export const LIVE = { cutoff: 1, beta: 7, speedCutoff: 1.5 };
const HALF = 0.3; // the score at which a new position counts for half of what it would
const LEAST = 0.02;

const gain = (cutoff, passed) => {
  const turns = 2 * Math.PI * cutoff * passed;
  return turns / (turns + 1);
};
const weightOf = (score) => Math.max((score ** 2 / (score ** 2 + HALF ** 2)) * (1 + HALF ** 2), LEAST);

/**
 * Returns smooth(points [[x, y]], scores, size (root of the box's area, px), time s) -> points; times rise. smooth.carry(shifts):
 * it is known that the points moved so far, px, in between.
 */
export function createFilter({ cutoff, beta, speedCutoff } = LIVE) {
  let at = null;
  let speed;
  let last;
  let before;
  const smooth = (points, scores, size, time) => {
    if (!at) {
      [at, last, before] = [points.map((p) => [...p]), points, time];
      speed = points.map(() => [0, 0]);
      return points;
    }
    const passed = Math.max(Math.abs(time - before), 1e-3);
    at = points.map(([x, y], j) => {
      const weight = weightOf(scores[j]);
      const g = gain(speedCutoff, passed) * weight;
      speed[j] = [x, y].map((v, axis) => speed[j][axis] + g * ((v - last[j][axis]) / passed - speed[j][axis]));
      const fast = Math.hypot(...speed[j]) / Math.max(size, 1);
      const h = gain(cutoff + beta * fast, passed) * weight;
      return [x, y].map((v, axis) => at[j][axis] + h * (v - at[j][axis]));
    });
    [last, before] = [points, time];
    return at;
  };
  const shifted = (points, shifts) => points.map(([x, y], j) => [x + shifts[j][0], y + shifts[j][1]]);
  smooth.carry = (shifts) => {
    if (at) [at, last] = [shifted(at, shifts), shifted(last, shifts)];
  };
  return smooth;
}
