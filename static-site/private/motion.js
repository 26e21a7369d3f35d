// People between the networks' answers: optical flow carries them from each frame of a camera to the next, and an answer, which is
// late by then, corrects where they are now.
import { carried, pyramidOf } from "./flow.js";
import { createFilter } from "./smooth.js";

const BUDGET_MS = 12; // a frame: with many people, some wait for the networks

const pointsOf = ({ keypoints }) => keypoints.map(({ x, y }) => [x, y]);
const plus = (points, shifts) => points.map(([x, y], j) => [x + shifts[j][0], y + shifts[j][1]]);
const minus = (points, others) => points.map(([x, y], j) => [x - others[j][0], y - others[j][1]]);
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** The person with these points, their box moved by the shifts that led there. */
const placed = (person, points, shifts) => ({
  ...person, box: person.box.map((v, i) => v + median(shifts.map((s) => s[i % 2]))),
  keypoints: person.keypoints.map((k, j) => ({ ...k, x: points[j][0], y: points[j][1] })),
});

/** Numbers are px of the frames that the answers are about. */
export function createMotion({ now = () => performance.now(), budget = BUDGET_MS } = {}) {
  let people = []; // {person, filter, whole: from which mark on flow has followed them}
  let picture = null;
  let scale = 1;
  let marks = 0;

  function shiftsOf(person, from) {
    if (from?.[0].width !== picture?.[0].width || !picture) return null;
    const small = pointsOf(person).map((p) => p.map((v) => (v + 0.5) * scale - 0.5));
    return carried(from, picture, small, person.keypoints.map(({ confident }) => confident))?.map((s) => s.map((v) => v / scale)) ?? null;
  }

  function carry(one, from) {
    const shifts = shiftsOf(one.person, from);
    if (!shifts) return { ...one, whole: marks + 1 };
    one.filter.carry(shifts);
    return { ...one, person: placed(one.person, plus(pointsOf(one.person), shifts), shifts) };
  }

  return {
    /** The next frame, {data: RGBA, width, height} of whatever size; width: of the frames that the answers are about. */
    see(image, width) {
      const from = picture;
      picture = pyramidOf(image);
      scale = image.width / width;
      const until = now() + budget;
      if (from?.[0].width !== image.width) return;
      people = people.map((one) => (now() < until ? carry(one, from) : { ...one, whole: marks + 1 }));
    },
    /** A mark of this frame, for the answer about it. */
    mark() {
      marks += 1;
      return { number: marks, picture, places: new Map(people.map(({ person }) => [person.id, pointsOf(person)])) };
    },
    /** An answer about the frame of that mark. time: of that frame, s. */
    correct(frame, mark, time) {
      people = frame.people.map((person) => {
        const old = people.find((one) => one.person.id === person.id);
        const then = mark.places.get(person.id);
        const followed = old && then && old.whole <= mark.number;
        const shifts = followed ? minus(pointsOf(old.person), then) : shiftsOf(person, mark.picture) ?? person.keypoints.map(() => [0, 0]);
        const filter = followed ? old.filter : createFilter();
        // where flow was lost, the tracker's own smoothing is what is left
        const points = plus(followed ? Object.values(person.raw) : pointsOf(person), shifts);
        const size = Math.sqrt((person.box[2] - person.box[0]) * (person.box[3] - person.box[1]));
        return { person: placed(person, filter(points, person.keypoints.map(({ score }) => score), size, time), shifts), filter, whole: mark.number };
      });
    },
    people: () => people.map(({ person }) => person),
    forget() {
      people = [];
      picture = null;
    },
  };
}
