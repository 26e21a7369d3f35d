// What heatmaps' peaks and the locator's score are worth: the twin of hpe/engine/scores.py and hpe/pose/logistic.py.

const SCORE_JOINTS = 5; // of a person's joints, those that count towards the person's score
const LEAST_JOINT = 0.1;

export const sigmoid = (x) => 1 / (1 + Math.exp(-x));

export function logit(score, least = 1e-6) {
  const kept = Math.min(Math.max(score, least), 1 - Math.min(least, 1e-6));
  return Math.log(kept / (1 - kept));
}

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const best = (scores) => [...scores].sort((a, b) => b - a).slice(0, SCORE_JOINTS);

/** How likely a person is there, from the locator's score (null where no locator found the box) and the joints'. */
export function personScore(located, joints, calibration) {
  const top = best(joints);
  if (located === null) return mean(top);
  if (!calibration) return located * Math.sqrt(mean(top));
  const evidence = mean(top.map((score) => logit(score, LEAST_JOINT)));
  return sigmoid(calibration.locator * logit(located) + calibration.joints * evidence + calibration.intercept);
}

/** A peak's height -> a score: by the model's calibration, as it is without one. */
export const jointScore = (peak, calibration) =>
  calibration ? sigmoid(calibration.slope * peak + calibration.intercept) : Math.min(Math.max(peak, 0), 1);
