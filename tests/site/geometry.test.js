import assert from "node:assert/strict";
import { test } from "node:test";
import * as g from "../../static-site/geometry.js";
import { boxOf } from "../../static-site/crop.js";
import { JOINTS } from "../../static-site/skeleton.js";
import { clamp, zoomAt } from "../../static-site/zoom.js";

const SKELETON = JOINTS.slice(1).map((_, i) => [i, i + 1]); // one long chain

const person = (score = 0.5) => ({
  score, box: [0, 0, 100, 200], keypoints: JOINTS.map((name, i) => ({ name, x: 10 * i, y: 5 * i, score, confident: true })),
});

test("limbs are drawn only between sure joints, as sure as the weaker one", () => {
  const someone = person();
  assert.equal(g.limbsOf(someone, 0.3, SKELETON).length, 15);
  someone.keypoints[5].score = 0.1;
  assert.equal(g.limbsOf(someone, 0.3, SKELETON).length, 13);
  someone.keypoints[8].score = 0.4;
  assert.equal(g.limbsOf(someone, 0.3, SKELETON).find((l) => l.a.name === JOINTS[8]).score, 0.4);
  assert.deepEqual(g.limbsOf(someone, 0.3, [[0, 99]]), [], "an edge to a joint that is not there");
});

test("a limb belongs to the side that either end has", () => {
  const edge = (a, b) => g.limbsOf(person(), 0, [[JOINTS.indexOf(a), JOINTS.indexOf(b)]])[0].side;
  assert.equal(edge("thorax", "left_shoulder"), "left");
  assert.equal(edge("right_hip", "pelvis"), "right");
  assert.equal(edge("pelvis", "thorax"), "middle");
});

test("the smallest box round a point tells the person", () => {
  const people = [{ box: [0, 0, 100, 100] }, { box: [40, 40, 60, 60] }, {}];
  assert.equal(g.personAt(people, 50, 50), 1);
  assert.equal(g.personAt(people, 10, 10), 0);
  assert.equal(g.personAt(people, 200, 10), -1);
});

test("zooming keeps the point under the pointer and never leaves a gap", () => {
  const at = zoomAt({ k: 1, x: 0, y: 0 }, 2, 300, 100, 400, 200);
  assert.deepEqual(at, { k: 2, x: -300, y: -100 });
  assert.deepEqual(zoomAt(at, 0.1, 0, 0, 400, 200), { k: 1, x: 0, y: 0 });
  assert.deepEqual(clamp({ k: 2, x: 50, y: -900 }, 400, 200), { k: 2, x: 0, y: -200 });
  assert.equal(clamp({ k: 99, x: 0, y: 0 }, 400, 200).k, 12);
});

test("a box is in order, inside, and never too small", () => {
  assert.deepEqual(boxOf([0.8, 0.9], [0.1, 0.2]), [0.1, 0.2, 0.8, 0.9]);
  assert.deepEqual(boxOf([-1, 0.5], [2, 0.6]), [0, 0.5, 1, 0.6]);
  const [x0, y0, x1, y1] = boxOf([1, 0.5], [1, 0.5]);
  assert.ok(x1 - x0 >= 0.03 - 1e-9 && y1 - y0 >= 0.03 - 1e-9 && x1 <= 1);
});

test("the nearest sure joint within reach is hit", () => {
  const someone = person();
  assert.deepEqual(g.nearestJoint([someone], 51, 26, 0.3, 8), { person: 0, joint: 5 });
  assert.equal(g.nearestJoint([someone], 51, 60, 0.3, 8), null);
  assert.equal(g.nearestJoint([person(0.1)], 50, 25, 0.3, 8), null);
});

test("scaling keeps pixel centres: there and back is the same", () => {
  const result = { image: { width: 400, height: 300 }, width: 400, height: 300, people: [person()], model: { name: "m" } };
  const large = g.scaleResult(result, 4000, 3000);
  assert.deepEqual([large.width, large.image.height], [4000, 3000]);
  assert.equal(large.people[0].keypoints[1].x, 104.5);
  assert.equal(large.people[0].box[3], 2004.5);
  assert.deepEqual(large.model, result.model);
  assert.deepEqual(g.scaleResult(large, 400, 300), result);
});

test("a person's size is the longer side of the box, or of the joints where there is none", () => {
  assert.equal(g.personSize(person()), 200);
  assert.equal(g.personSize({ ...person(), box: [0, 0, 0, 0] }), 150);
});

test("confidence colours get lighter all the way", () => {
  const light = ([r, gr, b]) => 0.2126 * r + 0.7152 * gr + 0.0722 * b;
  const steps = Array.from({ length: 21 }, (_, i) => light(g.heat(i / 20)));
  assert.ok(steps.every((v, i) => i === 0 || v >= steps[i - 1] - 8), String(steps.map(Math.round)));
  assert.ok(steps.at(-1) - steps[0] > 100);
  assert.deepEqual(g.heat(7), g.heat(1));
});

test("names keep off each other and inside the picture", () => {
  const joints = [[50, 50], [54, 52], [300, 195], [2, 2], [398, 100]].map(([x, y]) => ({ x, y, text: "Right shoulder" }));
  const boxes = g.placeLabels(joints, { width: 400, height: 200, size: 12, gap: 6 });
  boxes.forEach((a, i) => {
    assert.ok(a.x >= -1 && a.y >= -1 && a.x + a.w <= 401 && a.y + a.h <= 201, `box ${i} leaves the picture`);
    boxes.slice(i + 1).forEach((b) => {
      assert.ok(a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y, "two names overlap");
    });
  });
});

test("names that lie on others or beyond the edge are left out", () => {
  const box = (x, y) => ({ x, y, w: 50, h: 10 });
  const size = { width: 200, height: 100 };
  assert.deepEqual([...g.apart([box(0, 0), box(10, 5), box(20, 9.5), box(-20, 50), box(170, 50), box(100, 50)], size)], [0, 2, 5]);
});
