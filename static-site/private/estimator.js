// A picture -> the people in it: the twin of hpe/engine/estimator.py. Knows the networks only as two functions.
import { oneEach, sigmaOf } from "./boxes.js";
import { cropMap, undo } from "./frames.js";
import { decodeJoints } from "./heatmaps.js";
import { createLocator } from "./locator.js";
import { jointScore, personScore, sizeIn } from "./scores.js";
import { warp } from "./warp.js";

export const MAX_PEOPLE = 20;
const LIMB = /_(shoulder|elbow|wrist|hip|knee|ankle)$/;

/**
 * card: see card.js. networks: {locate, pose}, each run(bytes RGB, [height, width]) -> {data, height, width}.
 * Returns {find(image, {people}), joints(image, box)}; image: {data: RGBA, width, height}.
 */
export function createEstimator(card, networks) {
  const { frame, sigma, calibration, keypoints } = card.pose;
  const sigmas = keypoints.map(sigmaOf);
  const limbs = keypoints.flatMap((name, j) => (LIMB.test(name) ? [j] : []));
  const locate = createLocator(card.locate, networks.locate);

  /** One crop -> {points [[x, y]], scores}; keypoints outside the picture score 0. */
  async function joints(image, box) {
    const map = cropMap(box, frame);
    const { data, height, width } = await networks.pose(warp(image, map, frame), frame);
    const found = decodeJoints(data, keypoints.length, height, width, sigma);
    const points = found.map(({ x, y }) => undo([x, y], map));
    const inside = ([x, y]) => x >= -0.5 && y >= -0.5 && x <= image.width - 0.5 && y <= image.height - 0.5;
    return { points, scores: found.map(({ peak }, j) => (inside(points[j]) ? jointScore(peak, calibration) : 0)) };
  }

  async function find(image, { people = MAX_PEOPLE } = {}) {
    const found = [];
    for (const { box, score: located } of await locate(image, people)) {
      const pose = await joints(image, box);
      found.push({ ...pose, box, score: personScore(located, pose.scores, card.pose.person, limbs, sizeIn(box, image)) });
    }
    if (Math.max(0, ...found.map(({ score }) => score)) < card.pose.photoThreshold) return [];
    const kept = found.filter(({ score }) => score >= card.pose.personThreshold)
      .map((one) => ({ ...one, known: one.scores.map((score) => score >= card.pose.threshold) }));
    return oneEach(kept, sigmas);
  }

  /** One person in a box that is given, whatever the locator says. */
  async function inBox(image, box) {
    const pose = await joints(image, box);
    return { ...pose, box, score: personScore(null, pose.scores, null) };
  }

  return { find, inBox, joints };
}
