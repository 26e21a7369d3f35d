// What heatmaps' peaks and the locator's score are worth: the twin of hpe/engine/scores.py and hpe/pose/logistic.py.

const SCORE_JOINTS = 5; // of a person's joints, those that count towards the person's score
const GIVEN = 0.9; // the locator's score of a box that it did not find
const LEAST_JOINT = 0.1;
const LEAST_LIMB = 0.03;
const LEAST_SIZE = 0.015; // share of the picture's longer side

export const sigmoid = (x) => 1 / (1 + Math.exp(-x));

export function logit(score, least = 1e-6) {
  const kept = Math.min(Math.max(score, least), 1 - Math.min(least, 1e-6));
  return Math.log(kept / (1 - kept));
}

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const best = (scores) => [...scores].sort((a, b) => b - a).slice(0, SCORE_JOINTS);

/** The root of a box's area as a share of the picture's longer side. */
export const sizeIn = ([x0, y0, x1, y1], { width, height }) =>
  Math.sqrt(Math.max(x1 - x0, 0) * Math.max(y1 - y0, 0)) / Math.max(width, height);

/**
 * How likely a person is there, from the locator's score (null for a box that it did not find) and the joints'.
 * limbs: numbers of the limb joints; size: of the box, by sizeIn.
 */
export function personScore(located, joints, calibration, limbs = [], size = 1) {
  const top = best(joints);
  if (!calibration) return located === null ? mean(top) : located * Math.sqrt(mean(top));
  const evidence = mean(top.map((score) => logit(score, LEAST_JOINT)));
  const { locator, joints: weight, intercept, limbs: ofLimbs = 0, size: ofSize = 0 } = calibration;
  return sigmoid(
    locator * logit(located ?? GIVEN) + weight * evidence + limbEvidence(ofLimbs, limbs.map((j) => joints[j])) +
      ofSize * Math.log2(Math.max(size, LEAST_SIZE)) + intercept,
  );
}

/** weights: of the limb joints' logits, least sure first, in as many groups; one number weighs their mean. */
function limbEvidence(weights, scores) {
  const logits = scores.map((score) => logit(score, LEAST_LIMB));
  if (typeof weights === "number") return weights && weights * mean(logits);
  const sorted = logits.sort((a, b) => a - b);
  const each = sorted.length / weights.length;
  return weights.reduce((sum, weight, i) => sum + weight * mean(sorted.slice(i * each, (i + 1) * each)), 0);
}

/** A peak's height -> a score: by the model's calibration, as it is without one. */
export const jointScore = (peak, calibration) =>
  calibration ? sigmoid(calibration.slope * peak + calibration.intercept) : Math.min(Math.max(peak, 0), 1);
