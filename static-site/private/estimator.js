// A picture -> the people in it: the twin of hpe/engine/estimator.py. Knows the networks only as two functions.
import { isLimb, partnerOf } from "../skeleton.js";
import { oneEach, sigmaOf } from "./boxes.js";
import { cropMap, undo } from "./frames.js";
import { addMirrored, decodeJoints, meanPeak } from "./heatmaps.js";
import { createLocator } from "./locator.js";
import { jointScore, personScore, sizeIn } from "./scores.js";
import { boxTurnedBack, turnedBack, turnedPicture } from "./turned.js";
import { mirrorImage, warp } from "./warp.js";

export const MAX_PEOPLE = 20;
const surest = (people) => Math.max(0, ...people.map(({ score }) => score));

/**
 * card: see card.js. networks: {locate, pose}, each run(bytes RGB, [height, width]) -> {data, height, width}.
 * Returns {find(image, {people}), inBox(image, box), person(image, box, located), credible(people, best),
 * locate(image, most), sigmas, card}; image: {data: RGBA, width, height}.
 */
export function createEstimator(card, networks) {
  const { frame, sigma, calibration, keypoints, flipTest } = card.pose;
  const sigmas = keypoints.map(sigmaOf);
  const limbs = keypoints.flatMap((name, j) => (isLimb(name) ? [j] : []));
  const partners = keypoints.map((name) => keypoints.indexOf(partnerOf(name)));
  const locator = createLocator(card.locate, networks.locate);

  /** A crop's maps; of a doubtful one the mean of its and its mirror image's. */
  async function heatmaps(crop) {
    const maps = await networks.pose(crop, frame);
    const { data, height, width } = maps;
    const peak = flipTest && meanPeak(data, limbs, height, width);
    if (!flipTest || peak <= flipTest.above || peak >= flipTest.below) return maps;
    const seen = data.slice(); // the next run may write over it
    addMirrored(seen, (await networks.pose(mirrorImage(crop, frame), frame)).data, partners, height, width);
    return { data: seen, height, width };
  }

  /** One crop -> {points [[x, y]], scores}; keypoints outside the picture score 0. once: no second look at doubtful ones. */
  async function joints(image, box, once) {
    const map = cropMap(box, frame);
    const crop = warp(image, map, frame);
    const { data, height, width } = await (once ? networks.pose(crop, frame) : heatmaps(crop));
    const found = decodeJoints(data, keypoints.length, height, width, sigma);
    const points = found.map(({ x, y }) => undo([x, y], map));
    const inside = ([x, y]) => x >= -0.5 && y >= -0.5 && x <= image.width - 0.5 && y <= image.height - 0.5;
    return { points, scores: found.map(({ peak }, j) => (inside(points[j]) ? jointScore(peak, calibration) : 0)) };
  }

  /** One box -> {points, scores, box, score, located}; located: the locator's score of it, null if it found none there. */
  async function person(image, box, located, once = false) {
    const pose = await joints(image, box, once);
    const score = personScore(located, pose.scores, card.pose.person, limbs, sizeIn(box, image));
    return { ...pose, box, score, located };
  }

  /** Of what crops show, those who are people, once each, best first. best: the score of somebody who is there already. */
  function credible(found, best = 0) {
    if (Math.max(best, ...found.map(({ score }) => score)) < card.pose.photoThreshold) return [];
    const kept = found.filter(({ score }) => score >= card.pose.personThreshold)
      .map((one) => ({ ...one, known: one.scores.map((score) => score >= card.pose.threshold) }));
    return oneEach(kept, sigmas);
  }

  async function everybody(image, people) {
    const found = [];
    for (const { box, score } of await locator.find(image, people)) found.push(await person(image, box, score));
    return credible(found);
  }

  /** Who is there in a picture that lies on its side or upside down, in px of the picture as it is. */
  async function turned(image, { pixels, score: least, person_threshold: surely }, people) {
    let best = { quarter: 0, score: 0 };
    for (const quarter of [1, 2, 3]) {
      const score = await locator.surest(turnedPicture(image, quarter), pixels);
      if (score >= least && score > best.score) best = { quarter, score };
    }
    const { quarter } = best;
    const found = quarter ? await everybody(turnedPicture(image, quarter), people) : [];
    if (surest(found) < surely) return [];
    return found.map((one) => ({ ...one, points: one.points.map((p) => turnedBack(p, quarter, image)), box: boxTurnedBack(one.box, quarter, image) }));
  }

  /** Everybody, best first; a photo in which nobody is found for sure is looked at turned. */
  async function find(image, { people = MAX_PEOPLE } = {}) {
    const found = await everybody(image, people);
    const { turned: look } = card.locate;
    if (!look || surest(found) >= (look.sure ?? look.person_threshold)) return found;
    const others = await turned(image, look, people);
    return surest(others) > surest(found) ? others : found;
  }

  /** One person in a box that is given, whatever the locator says. */
  const inBox = (image, box) => person(image, box, null);

  return { find, inBox, person, credible, locate: locator.find, sigmas, card };
}
