// People found on this device -> the API's own JSON answer, in px of the photo as it was given.
import { skeletonOf } from "../skeleton.js";
import { statesOf } from "../states.js";

const round = (value, digits) => Number(value.toFixed(digits));

/** people: [{points, scores, box, score}], of a clip with raw points, in px of the analysed picture {width, height}; photo: {width, height}. */
export function answerOf(people, analysed, photo, card, threshold, timings) {
  const factors = [photo.width / analysed.width, photo.height / analysed.height];
  const place = (v, i) => (v + 0.5) * factors[i % 2] - 0.5;
  return {
    image: { ...photo }, ...photo, analysed: { width: analysed.width, height: analysed.height }, threshold: round(threshold, 4),
    people: people.map(({ points, scores, box, score, raw }) => {
      const keypoints = card.pose.keypoints.map((name, j) => ({ name, x: place(points[j][0], 0), y: place(points[j][1], 1), score: scores[j] }));
      const sides = box.map(place);
      const states = statesOf({ box: sides, keypoints }, threshold, photo);
      return {
        ...(raw ? { raw: Object.fromEntries(raw.map((point, j) => [card.pose.keypoints[j], point.map((v, i) => round(place(v, i), 1))])) } : {}),
        score: round(score, 4), box: sides.map((v) => round(v, 2)),
        keypoints: keypoints.map((k, j) => ({
          name: k.name, x: round(k.x, 2), y: round(k.y, 2), score: round(k.score, 4), confident: k.score >= threshold && k.score > 0, state: states[j],
        })),
      };
    }),
    model: { name: card.name, sha256: card.pose.sha256, locator: { sha256: card.locate.sha256 } },
    skeleton: skeletonOf(card.pose.keypoints),
    timings_ms: timings,
  };
}
