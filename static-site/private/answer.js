// People found on this device -> the API's own JSON answer, in px of the photo as it was given.
import { skeletonOf } from "../skeleton.js";

const round = (value, digits) => Number(value.toFixed(digits));

/** people: [{points, scores, box, score}] in px of the analysed picture {width, height}; photo: {width, height}. */
export function answerOf(people, analysed, photo, card, threshold, timings) {
  const [fx, fy] = [photo.width / analysed.width, photo.height / analysed.height];
  const place = (v, factor) => round((v + 0.5) * factor - 0.5, 2);
  return {
    image: { ...photo }, ...photo, analysed: { width: analysed.width, height: analysed.height }, threshold: round(threshold, 4),
    people: people.map(({ points, scores, box, score }) => ({
      score: round(score, 4),
      box: box.map((v, i) => place(v, i % 2 ? fy : fx)),
      keypoints: card.pose.keypoints.map((name, j) => ({
        name, x: place(points[j][0], fx), y: place(points[j][1], fy), score: round(scores[j], 4),
        confident: scores[j] >= threshold && scores[j] > 0,
      })),
    })),
    model: { name: card.name, sha256: card.pose.sha256, locator: { sha256: card.locate.sha256 } },
    skeleton: skeletonOf(card.pose.keypoints),
    timings_ms: timings,
  };
}
