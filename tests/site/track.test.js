// The tracker of live and video, on people that a script moves.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { personScore } from "../../static-site/private/scores.js";
import { createFilter } from "../../static-site/private/smooth.js";
import { createTracker } from "../../static-site/private/track.js";

const NAMES = 16;
const card = { pose: { threshold: 0.5, personThreshold: 0.5 } };
const points = ([x0, y0, x1, y1]) => Array.from({ length: NAMES }, (_, j) => [x0 + ((x1 - x0) * ((j * 7) % 16)) / 15, y0 + ((y1 - y0) * j) / 15]);
const seen = (box, score = 0.9) => ({ points: points(box), scores: Array(NAMES).fill(score), box, score, located: 0.9 });

/** world(time): boxes of who is there. Counts how often everybody is looked for, and crops. */
function engine(world) {
  const asked = { located: 0, crops: 0 };
  const at = { time: 0 };
  return {
    asked, at, card, sigmas: Array(NAMES).fill(0.08),
    locate: async () => ((asked.located += 1), world(at.time).map((box) => ({ box, score: 0.9 }))),
    credible: (people) => people.filter(({ score }) => score >= 0.5),
    person: async (_, expected) => {
      asked.crops += 1;
      const overlap = (box) => Math.min(box[2], expected[2]) - Math.max(box[0], expected[0]);
      const [nearest] = world(at.time).toSorted((a, b) => overlap(b) - overlap(a));
      return nearest && overlap(nearest) > 0 ? seen(nearest) : seen(expected, 0.05);
    },
  };
}

/** People, [box, .., colour], on grey. */
function paint(people, width = 640, height = 360) {
  const image = { width, height, data: new Uint8ClampedArray(width * height * 4).fill(128) };
  for (const [[x0, y0, x1, y1], , colour] of people) for (let y = y0; y < y1; y++) for (let x = x0; x < Math.min(x1, width); x++) image.data.set(colour, (y * width + x) * 4);
  return image;
}

const GREY = paint([]);

async function run(world, frames, options) {
  const made = engine(world);
  const step = createTracker(made, options);
  const out = [];
  for (let i = 0; i < frames; i++) {
    made.at.time = i / 30;
    out.push(await step(GREY, made.at.time));
  }
  return { ...made, out };
}

const walking = (t) => [[100 + 60 * t, 50, 180 + 60 * t, 300], [400 - 40 * t, 60, 480 - 40 * t, 310]];

test("people keep their numbers while they walk, and are looked for every fifth frame", async () => {
  const { out, asked } = await run(walking, 30);
  for (const { people } of out) assert.deepEqual(people.map(({ id }) => id), [1, 2]);
  assert.equal(asked.located, 6);
  assert.equal(asked.crops, 30 * 2, "each person is looked at once a frame, whether everybody is looked for or not");
});

// The script of make_vectors.py: who is in each frame, as [box, the locator's score, colour].
function scripted(frames) {
  const at = { frame: 0 };
  const middle = ([x0, y0, x1, y1]) => [(x0 + x1) / 2, (y0 + y1) / 2];
  const apart = (a, b) => Math.hypot(middle(a)[0] - middle(b)[0], middle(a)[1] - middle(b)[1]);
  return {
    at, card: { pose: { threshold: 0.3, personThreshold: 0.3 } }, sigmas: Array(NAMES).fill(0.08),
    locate: async () => frames[at.frame].map(([box, score]) => ({ box, score })),
    credible: (people) => people.filter(({ score }) => score >= 0.3),
    person: async (_, crop, located) => {
      const [nearest] = frames[at.frame].map(([box]) => box).toSorted((a, b) => apart(a, crop) - apart(b, crop));
      const there = nearest && apart(nearest, crop) < 0.3 * (nearest[3] - nearest[1]);
      const scores = Array(NAMES).fill(there ? 0.9 : 0.02);
      return { points: points(there ? nearest : crop), scores, box: crop, score: personScore(located, scores, null), located };
    },
  };
}

for (const { name, fps, every, frames, seen: expected } of JSON.parse(readFileSync(new URL("vectors.json", import.meta.url))).followed) {
  test(`who has which number, and when everybody is looked for, is as in Python: ${name}`, async () => {
    const engine = scripted(frames);
    const step = createTracker(engine, { every });
    const got = [];
    for (engine.at.frame = 0; engine.at.frame < frames.length; engine.at.frame++) {
      const { people, located } = await step(paint(frames[engine.at.frame], 400, 240), engine.at.frame / fps);
      got.push([people.map(({ id }) => id).sort(), located]);
    }
    assert.deepEqual(got, expected);
  });
}

test("what was taken for a person and is none is not looked at again at once", async () => {
  const made = engine((t) => walking(t).slice(0, 1));
  const people = made.locate;
  made.locate = async () => [...(await people()), { box: [300, 200, 340, 260], score: 0.4 }]; // a coat on a hook
  const coat = made.person;
  made.person = async (image, box, located) => (located === 0.4 ? ((made.asked.coat = 1 + (made.asked.coat ?? 0)), seen(box, 0.2)) : coat(image, box, located));
  const step = createTracker(made);
  for (let i = 0; i < 90; i++) {
    made.at.time = i / 30;
    assert.deepEqual((await step(GREY, made.at.time)).people.map(({ id }) => id), [1]);
  }
  assert.equal(made.asked.coat, 4, "in every fifth of 18 looks");
});

test("whoever is hidden for half a second has their number again", async () => {
  const { out } = await run((t) => walking(t).slice(0, t > 0.4 && t < 0.9 ? 1 : 2), 45);
  assert.deepEqual(out[20].people.map(({ id }) => id), [1]);
  assert.deepEqual(out.at(-1).people.map(({ id }) => id), [1, 2]);
});

test("somebody new gets the next number, an empty scene has nobody", async () => {
  const { out } = await run((t) => (t < 0.3 ? [] : walking(t).slice(0, 1)), 20);
  assert.deepEqual(out[0].people, []);
  assert.deepEqual(out.at(-1).people.map(({ id }) => id), [1]);
});

test("frames that come slowly lose nobody", async () => {
  const made = engine(() => [[100, 50, 180, 300]]);
  const step = createTracker(made);
  for (let time = 0; time < 12; time += 2) {
    made.at.time = time;
    assert.deepEqual((await step(GREY, time)).people.map(({ id }) => id), [1]);
  }
});

test("smoothing takes most of the tremble and follows a motion", () => {
  const smooth = createFilter();
  const scores = [0.9];
  let [still, raw] = [0, 0];
  for (let i = 0; i < 60; i++) {
    const noise = i % 2 ? 1 : -1;
    const [[x]] = smooth([[100 + noise, 50]], scores, 200, i / 30);
    if (i > 20) [still, raw] = [still + Math.abs(x - 100), raw + 1];
  }
  assert.ok(still < raw / 3);
  let at = 0;
  for (let i = 0; i < 30; i++) [[at]] = smooth([[100 + 20 * i, 50]], scores, 200, 2 + i / 30);
  assert.ok(at > 100 + 20 * 26, `${at} is less than three frames late`);
});

test("whoever comes back elsewhere has their number by their colours, a stranger there has not", async () => {
  const [RED, BLUE, GREEN] = [[200, 40, 40], [40, 40, 200], [30, 160, 60]];
  const [early, late, other] = [[60, 60, 140, 300], [210, 60, 290, 300], [500, 50, 580, 300]];
  for (const [colour, id] of [[RED, 2], [GREEN, 3]]) {
    const world = (t) => [[other, 1, BLUE], ...(t < 0.4 ? [[early, 1, RED]] : t < 0.9 ? [] : [[late, 1, colour]])];
    const made = engine((t) => world(t).map(([box]) => box));
    const step = createTracker(made);
    let last;
    for (let i = 0; i < 45; i++) {
      made.at.time = i / 30;
      last = await step(paint(world(made.at.time)), made.at.time);
    }
    assert.deepEqual(last.people.map((one) => [one.id, one.box[0]]), [[1, other[0]], [id, late[0]]]);
  }
});
