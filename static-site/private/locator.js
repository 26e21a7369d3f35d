// Where people are: the twin of hpe/engine/detector.py. One look, or a coarse one and, where somebody is small, a finer.
import { USUAL, decodeBoxes, iou } from "./boxes.js";
import { fitLonger, fitPixels } from "./frames.js";
import { logit, sigmoid } from "./scores.js";
import { SMOOTH, warp } from "./warp.js";

const LARGER = 1.1; // a second look shows people at least so much larger, or there is none
const LEAST = 0.03; // boxes down to this score are kept until the scores of both looks are averaged
const SAME = 0.5; // IoU from which both looks see the same person
const MULTIPLE = 32;

/** One person seen in both looks has the score of the mean logit. */
export function together(fine, coarse) {
  if (!coarse.length) return fine;
  return fine.map(({ box, score }) => {
    const [alike, same] = coarse.map((one) => [iou(box, one.box), one]).reduce((a, b) => (b[0] > a[0] ? b : a));
    return { box, score: sigmoid(alike >= SAME ? (logit(score) + logit(same.score)) / 2 : logit(score)) };
  }).sort((a, b) => b.score - a.score);
}

/** The longer side of the second look's frame; times: the picture's longer side to the smallest person's. */
export function longer({ fine, input_size: size }, times) {
  if (!fine) return size;
  return Math.min(Math.max(Math.ceil((fine.person_px * times) / MULTIPLE) * MULTIPLE, size), fine.longest);
}

/** card.locate, run(bytes, frame) -> {data, height, width} of maps. Returns {find(image, most), surest}: [{box, score}], best first. */
export function createLocator(card, run) {
  async function look(image, { map, frame }, threshold) {
    const { data, height, width } = await run(warp(image, map, frame, SMOOTH), frame);
    return decodeBoxes(data, height, width, image, { map, unit: card.unit, threshold, calibration: card.calibration ?? USUAL });
  }

  async function looks(image) {
    const { width, height } = image;
    const { coarse } = card;
    if (!coarse) return look(image, fitLonger(width, height, card.input_size), card.threshold);
    const least = Math.min(card.threshold, coarse.score, LEAST);
    const first = fitPixels(width, height, coarse.pixels);
    const found = await look(image, first, least);
    const sides = found.filter(({ score }) => score >= coarse.score).map(({ box: [x0, y0, x1, y1] }) => Math.max(x1 - x0, y1 - y0));
    const smallest = Math.min(...sides);
    if (smallest * first.map.scale >= coarse.small_px) return found;
    const second = fitLonger(width, height, longer(card, Math.max(width, height) / smallest));
    if (second.map.scale <= LARGER * first.map.scale) return found;
    return together(await look(image, second, least), found);
  }

  /** The best box's score in one look at a frame of at most `pixels` px, 0 without any. */
  async function surest(image, pixels) {
    const found = await look(image, fitPixels(image.width, image.height, pixels), LEAST);
    return Math.max(0, ...found.map(({ score }) => score));
  }

  async function find(image, most) {
    const found = await looks(image);
    // low scores are credible beside a high one, but not on their own
    if (Math.max(0, ...found.map(({ score }) => score)) < card.photoThreshold) return [];
    return found.filter(({ score }) => score >= card.threshold).slice(0, most);
  }

  return { find, surest };
}
