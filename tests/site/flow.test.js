// Optical flow and what it makes of late answers, on a pattern that moves as the test says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { carried, pyramidOf } from "../../static-site/private/flow.js";
import { createMotion } from "../../static-site/private/motion.js";

const [WIDTH, HEIGHT] = [320, 240];

/** Waves of several lengths, moved by dx, dy px; outside `box` (if one is given) all is grey. */
function picture(dx, dy, box = [0, 0, WIDTH, HEIGHT]) {
  const data = new Uint8ClampedArray(WIDTH * HEIGHT * 4).fill(128);
  const value = (x, y) => 128 + 40 * Math.sin(x / 5 + y / 9) + 40 * Math.sin(y / 6 - x / 13) + 25 * Math.sin(x / 2.5) * Math.sin(y / 3);
  for (let y = Math.max(0, Math.ceil(box[1] + dy)); y < Math.min(HEIGHT, box[3] + dy); y++) {
    for (let x = Math.max(0, Math.ceil(box[0] + dx)); x < Math.min(WIDTH, box[2] + dx); x++) data.fill(value(x - dx, y - dy), (y * WIDTH + x) * 4, (y * WIDTH + x) * 4 + 3);
  }
  return { data, width: WIDTH, height: HEIGHT };
}

const POINTS = Array.from({ length: 12 }, (_, j) => [110 + 30 * (j % 4), 80 + 35 * Math.floor(j / 4)]);
const SURE = POINTS.map((_, j) => j !== 5);

test("points are carried as far as the picture moved, unsure ones with the nearest", () => {
  for (const [dx, dy] of [[0, 0], [0.4, -0.3], [3.3, -2.1], [-7.6, 4.2]]) {
    const shifts = carried(pyramidOf(picture(0, 0)), pyramidOf(picture(dx, dy)), POINTS, SURE);
    for (const [x, y] of shifts) assert.ok(Math.hypot(x - dx, y - dy) < 0.1, `${x}, ${y} is not ${dx}, ${dy}`);
  }
});

test("who left, or shows nothing that can be followed, is not carried", () => {
  const here = pyramidOf(picture(0, 0));
  assert.equal(carried(here, pyramidOf(picture(0, 0, [0, 0, 1, 1])), POINTS, SURE), null);
  assert.equal(carried(pyramidOf(picture(0, 0, [0, 0, 1, 1])), here, POINTS, SURE), null);
  assert.equal(carried(here, here, POINTS.map(() => [-5, 300]), SURE), null);
});

const answer = (x, id = 1) => {
  const keypoints = POINTS.map(([px, py], j) => ({ name: `k${j}`, x: 2 * (px + x), y: 2 * py, score: 0.9, confident: true }));
  return { people: [{ id, box: [200 + 2 * x, 140, 440 + 2 * x, 320], keypoints, raw: Object.fromEntries(keypoints.map(({ name, x: at, y }) => [name, [at, y]])) }] };
};

/** Frames of 640 px, seen at half the size, in which somebody moves; every answer is four frames late. -> how far off they are shown, px. */
function watched(speed, { seen = picture } = {}) {
  const motion = createMotion({ budget: Infinity });
  const off = [];
  let asked = null;
  for (let i = 0; i < 40; i++) {
    const x = speed * i;
    motion.see(seen(x, 0), 640);
    if (asked && i === asked.i + 4) {
      motion.correct(answer(asked.x), asked.mark, asked.i / 30);
      asked = null;
    }
    asked ??= { i, x, mark: motion.mark() };
    if (i > 12) off.push(Math.abs(motion.people()[0].keypoints[0].x - 2 * (POINTS[0][0] + x)));
  }
  return Math.max(...off);
}

test("people are shown where they are now, though an answer is late", () => {
  assert.ok(watched(1.7) < 1, "somebody who moves 3.4 px a frame, 13.6 between answers");
  assert.ok(watched(0) < 0.1, "somebody who stands");
});

test("where nothing can be followed, the last answer is shown as it is", () => {
  const off = watched(1.7, { seen: () => picture(0, 0, [0, 0, 1, 1]) });
  assert.ok(off > 10 && off < 40, `${off} px behind: four to eight frames`);
});

test("somebody new is shown at once, somebody gone is not shown any more", () => {
  const motion = createMotion();
  motion.see(picture(0, 0), 640);
  motion.correct(answer(0), motion.mark(), 0);
  motion.correct({ people: [...answer(0).people, ...answer(20, 2).people] }, motion.mark(), 0.1);
  assert.deepEqual(motion.people().map(({ id }) => id), [1, 2]);
  motion.correct({ people: [] }, motion.mark(), 0.2);
  assert.deepEqual(motion.people(), []);
});

test("more people than there is time for wait for the networks", () => {
  let clock = 0;
  const motion = createMotion({ now: () => (clock += 5), budget: 12 }); // each look at the clock takes 5 ms
  motion.see(picture(0, 0), 640);
  motion.correct({ people: [1, 2, 3, 4].flatMap((id) => answer(0, id).people) }, motion.mark(), 0);
  motion.see(picture(2, 0), 640);
  const moved = motion.people().map(({ keypoints }) => Math.round(keypoints[0].x - 220));
  assert.deepEqual(moved, [4, 4, 0, 0]);
});
