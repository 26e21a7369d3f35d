import assert from "node:assert/strict";
import { test } from "node:test";
import { frameAt, spans, tracksCsv, tracksJsonl } from "../../static-site/tracks.js";

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

test("tracks are a line a person a frame", () => {
  const lines = tracksJsonl(FRAMES).trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ time, id }) => [time, id]), [[0, 1], [0.1, 1], [0.1, 2], [0.2, 2], [1, 1]]);
  const rows = tracksCsv(FRAMES).trim().split("\n");
  assert.equal(rows[0], "time,id,score,box_x0,box_y0,box_x1,box_y1,nose_x,nose_y,nose_score");
  assert.equal(rows.length, 6);
  assert.equal(rows[1], "0.0000,1,0.9,0,0,10,20,0,5,0.8");
});
