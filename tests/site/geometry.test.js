import assert from "node:assert/strict";
import { test } from "node:test";
import * as g from "../../static-site/geometry.js";
import { scaleResult } from "../../static-site/downloads.js";
import { JOINTS } from "../../static-site/skeleton.js";

const person = (score = 0.5) => ({
  score, box: [0, 0, 100, 200], keypoints: JOINTS.map((name, i) => ({ name, x: 10 * i, y: 5 * i, score, confident: true })),
});

test("a large photo is scaled to the limit, a small one is left alone", () => {
  assert.deepEqual(g.fitWithin(4032, 3024, 1600), { width: 1600, height: 1200 });
  assert.deepEqual(g.fitWithin(3024, 4032, 1600), { width: 1200, height: 1600 });
  assert.deepEqual(g.fitWithin(640, 480, 1600), { width: 640, height: 480 });
  assert.deepEqual(g.fitWithin(10000, 2, 1600), { width: 1600, height: 1 });
});

test("limbs are drawn only between sure joints, as sure as the weaker one", () => {
  const someone = person();
  assert.equal(g.limbsOf(someone, 0.3).length, 15);
  someone.keypoints[JOINTS.indexOf("left_elbow")].score = 0.1;
  const limbs = g.limbsOf(someone, 0.3);
  assert.equal(limbs.length, 13);
  someone.keypoints[JOINTS.indexOf("left_knee")].score = 0.4;
  assert.equal(g.limbsOf(someone, 0.3).find((l) => l.a.name === "left_knee").score, 0.4);
});

test("a limb belongs to the side that either end has", () => {
  const sides = Object.fromEntries(g.limbsOf(person(), 0).map((l) => [`${l.a.name}-${l.b.name}`, l.side]));
  assert.equal(sides["thorax-left_shoulder"], "left");
  assert.equal(sides["right_hip-pelvis"], "right");
  assert.equal(sides["pelvis-thorax"], "middle");
});

test("the implied threshold marks the very joints that the API marked", () => {
  const cases = [[0.5, 0.2], [0.5, 0.4501], [0.21, 0.2], [0.2012, 0.2008], [0.9, 0.85]];
  for (const [sure, unsure] of cases) {
    const people = [{ keypoints: [{ score: sure, confident: true }, { score: unsure, confident: false }] }];
    const threshold = g.impliedThreshold(people);
    assert.ok(sure >= threshold && unsure < threshold, `${sure} ${unsure} -> ${threshold}`);
  }
  assert.equal(g.impliedThreshold([]), 0.3);
});

test("the nearest sure joint within reach is hit", () => {
  const someone = person();
  assert.deepEqual(g.nearestJoint([someone], 51, 26, 0.3, 8), { person: 0, joint: 5 });
  assert.equal(g.nearestJoint([someone], 51, 60, 0.3, 8), null);
  assert.equal(g.nearestJoint([person(0.1)], 50, 25, 0.3, 8), null);
});

test("scaling keeps pixel centres: there and back is the same", () => {
  const result = { image: { width: 400, height: 300 }, people: [person()], model: { name: "m" } };
  const large = scaleResult(result, 4000, 3000);
  assert.equal(large.people[0].keypoints[1].x, 104.5);
  assert.equal(large.people[0].box[3], 2004.5);
  assert.deepEqual(large.model, result.model);
  assert.deepEqual(scaleResult(large, 400, 300), result);
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
