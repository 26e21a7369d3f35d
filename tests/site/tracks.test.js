import assert from "node:assert/strict";
import { test } from "node:test";
import { frameAt, framesOf, spans } from "../../static-site/tracks.js";

const person = (id, x) => ({ id, score: 0.9, box: [x, 0, x + 10, 20], keypoints: [{ name: "nose", x, y: 5, score: 0.8 }] });
const FRAMES = [
  { time: 0, people: [person(1, 0)] }, { time: 0.1, people: [person(1, 10), person(2, 50)] }, { time: 0.2, people: [person(2, 50)] },
  { time: 1, people: [person(1, 90)] },
];

test("between two frames people are between their places", () => {
  assert.equal(frameAt(FRAMES, 0.05).people[0].keypoints[0].x, 5);
  assert.equal(frameAt(FRAMES, 0.1).people.length, 2);
  assert.equal(frameAt(FRAMES, 0.15).people[0].keypoints[0].x, 10, "who is gone after it stays until then");
  assert.equal(frameAt(FRAMES, 7).people[0].id, 1);
  assert.equal(frameAt([], 0), null);
});

test("who is when is told in parts", () => {
  assert.deepEqual(spans(FRAMES, 0.15), [{ id: 1, parts: [[0, 0.1], [1, 1]] }, { id: 2, parts: [[0.1, 0.2]] }]);
});

test("a clip's rows are frames again, and who left is gone in between", () => {
  const row = (frame, id) => JSON.stringify({ frame, time: frame / 10, id, score: 0.9, box: [0, 0, 10, 20], threshold: 0.4, keypoints: { thorax: [1, 2, 0.8], upper_neck: [1, 1, 0.3] }, raw: {}, angles: {} });
  const frames = framesOf(`${[row(2, 1), row(2, 2), row(3, 1), row(6, 1)].join("\n")}\n`, { width: 640, height: 480 });
  assert.deepEqual(frames.map(({ frame, people }) => [frame, people.length]), [[0, 0], [2, 2], [3, 1], [4, 0], [6, 1], [7, 0]]);
  assert.equal(frameAt(frames, 0.1).people.length, 0, "nobody before they come");
  assert.equal(frameAt(frames, 0.5).people.length, 0, "nor while they are away");
  const { threshold, width, skeleton, people } = frames[1];
  assert.deepEqual([threshold, width, skeleton, people[0].keypoints[1]], [0.4, 640, [[0, 1]], { name: "upper_neck", x: 1, y: 1, score: 0.3 }]);
  assert.deepEqual(framesOf("", {}), []);
  assert.throws(() => framesOf("<html>", {}), ({ kind }) => kind === "badAnswer");
});
