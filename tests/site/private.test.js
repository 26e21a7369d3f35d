// The engine of private mode, held to Python's by vectors.json (tests/site/make_vectors.py writes it).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { anglesOf } from "../../static-site/angles.js";
import { answerOf } from "../../static-site/private/answer.js";
import { decodeBoxes, oneEach, sigmaOf } from "../../static-site/private/boxes.js";
import { readCard } from "../../static-site/private/card.js";
import { cropMap, fitLonger, fitPixels, undo } from "../../static-site/private/frames.js";
import { addMirrored, decodeJoints, meanPeak } from "../../static-site/private/heatmaps.js";
import { createEstimator } from "../../static-site/private/estimator.js";
import { alike, lookOf } from "../../static-site/private/look.js";
import { createLocator, together } from "../../static-site/private/locator.js";
import { jointScore, personScore } from "../../static-site/private/scores.js";
import { turnedBack, turnedPicture } from "../../static-site/private/turned.js";
import { mirrorImage, warp } from "../../static-site/private/warp.js";
import { KEYPOINTS, partnerOf } from "../../static-site/skeleton.js";
import { statesOf } from "../../static-site/states.js";

const vectors = JSON.parse(readFileSync(new URL("vectors.json", import.meta.url)));
const bytes = ({ data }) => new Uint8Array(Buffer.from(data, "base64"));
const floats = (packed) => new Float32Array(bytes(packed).buffer);
const near = (a, b, least = 1e-6, said = "") => assert.ok(Math.abs(a - b) <= least, `${said} ${a} is not ${b}`);
const allNear = (a, b, least, said) => {
  assert.equal(a.length, b.length, said);
  a.forEach((v, i) => near(v, b[i], least, said));
};

function rgba({ shape: [height, width], data }) {
  const rgb = bytes({ data });
  const out = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) out.set(rgb.subarray(3 * i, 3 * i + 3), 4 * i);
  return { data: out, width, height };
}

test("maps and frames are Python's", () => {
  for (const { size, longer, map, frame } of vectors.frames.longer) {
    const got = fitLonger(...size, longer);
    assert.deepEqual(got.frame, frame, `${size} to ${longer}`);
    for (const key of ["scale", "tx", "ty"]) near(got.map[key], map[key]);
  }
  for (const { size, pixels, map, frame } of vectors.frames.pixels) {
    const got = fitPixels(...size, pixels);
    assert.deepEqual(got.frame, frame, `${size} in ${pixels}`);
    near(got.map.scale, map.scale);
  }
  for (const { box, frame, map, undo: back } of vectors.frames.crops) {
    const got = cropMap(box, frame);
    for (const key of ["scale", "tx", "ty"]) near(got[key], map[key]);
    allNear(undo([40, 70], got), back, 1e-6);
  }
});

test("crops are OpenCV's, to the byte", () => {
  for (const { image, map, frame, smooth, result } of vectors.warps) {
    const got = warp(rgba(image), map, frame, smooth);
    const wanted = bytes(result);
    assert.equal(got.length, wanted.length);
    const apart = got.map((v, i) => Math.abs(v - wanted[i]));
    assert.ok(Math.max(...apart) <= 1, `${image.shape}: ${Math.max(...apart)}`);
    assert.ok(apart.reduce((a, b) => a + b) / apart.length < 0.001, `${image.shape} on average`);
  }
});

test("the locator's maps give Python's boxes and scores", () => {
  const { maps, map, picture: [width, height], unit, cases } = vectors.located;
  const [, rows, columns] = maps.shape;
  for (const { threshold, calibration, boxes, scores } of cases) {
    const found = decodeBoxes(floats(maps), rows, columns, { width, height }, { map, unit, threshold, calibration });
    assert.ok(found.length >= 3);
    allNear(found.map(({ score }) => score), scores, 1e-5);
    found.forEach(({ box }, i) => allNear(box, boxes[i], 1e-3));
  }
});

// as the cards of make_vectors.py, read through the manifest's form
const CARDS = {
  one: { input_size: 384, threshold: 0.3 },
  both: { input_size: 384, threshold: 0.3, size_unit: 416, coarse: { pixels: 43008, small_px: 56, score: 0.5 }, fine: { person_px: 80, longest: 768 }, photo_threshold: 0.4 },
  coarse: { input_size: 384, threshold: 0.3, size_unit: 416, coarse: { pixels: 43008, small_px: 56, score: 0.5 }, calibration: { slope: 11, intercept: -5 } },
};
const POSE = { input_size: [128, 96], threshold: 0.5, person_threshold: 0.2, sigma: 1.5, sha256: "p" };
const cardOf = (locate, pose = {}) => readCard({ schema: 2, name: "made", locate: { sha256: "l", ...locate }, pose: { ...POSE, ...pose } });

/** The target maps of people, as hpe/pose/boxes.py encodes them, at 0.8 of their height. */
function encoded(boxes, [rows, columns], unit) {
  const [h, w] = [rows / 4, columns / 4];
  const data = new Float32Array(3 * h * w);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      for (const [x0, y0, x1, y1] of boxes) {
        const [sx, sy] = [x1 - x0, y1 - y0].map((side) => Math.max(1, (0.12 * side) / 4));
        const heat = 0.8 * Math.exp(-((x - (x0 + x1) / 8) ** 2) / (2 * sx ** 2) - ((y - (y0 + y1) / 8) ** 2) / (2 * sy ** 2));
        if (heat < data[y * w + x]) continue;
        data[y * w + x] = heat;
        data[h * w + y * w + x] = (0.8 * (x1 - x0)) / unit;
        data[2 * h * w + y * w + x] = (0.8 * (y1 - y0)) / unit;
      }
    }
  }
  return { data, height: h, width: w };
}

test("a locator looks as often and in the frames that Python does, with one look or two", async () => {
  for (const { card, size: [width, height], people, frames, found } of vectors.looks) {
    const { locate } = cardOf(CARDS[card]);
    const seen = [];
    const run = async (_, frame) => {
      seen.push(frame);
      const scale = Math.min(1, Math.max(...frame) / Math.max(width, height));
      return encoded(people.map((box) => box.map((v) => v * scale)), frame, locate.unit);
    };
    const image = { data: new Uint8ClampedArray(width * height * 4), width, height };
    const got = await createLocator(locate, run).find(image, 20);
    assert.deepEqual(seen, frames, card);
    assert.equal(got.length, found, card);
  }
});

test("a person seen in both looks has the score of both", () => {
  const things = ([boxes, scores]) => boxes.map((box, i) => ({ box, score: scores[i] }));
  const { fine, coarse, boxes, scores } = vectors.together;
  const got = together(things(fine), things(coarse));
  assert.deepEqual(got.map(({ box }) => box), boxes);
  allNear(got.map(({ score }) => score), scores, 1e-9);
});

test("heatmaps give Python's points to a hundredth of a px", () => {
  const { maps, sigma, points, peaks } = vectors.keypoints;
  const [count, height, width] = maps.shape;
  decodeJoints(floats(maps), count, height, width, sigma).forEach(({ x, y, peak }, i) => {
    allNear([x, y], points[i], 0.01, `point ${i}`);
    near(peak, peaks[i], 1e-6);
  });
});

test("a doubtful crop's maps are averaged with its mirror image's as in Python", () => {
  const { maps, mirrored: other, mean, peak, limbs } = vectors.flipped;
  const [, height, width] = maps.shape;
  near(meanPeak(floats(maps), limbs, height, width), peak, 1e-9);
  const got = floats(maps).slice();
  addMirrored(got, floats(other), KEYPOINTS.map((name) => KEYPOINTS.indexOf(partnerOf(name))), height, width);
  assert.deepEqual(got, floats(mean).slice());
  assert.deepEqual(mirrorImage(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), [2, 2]), Uint8Array.of(4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9));
});

test("only crops in doubt are processed mirrored too, and none of a clip's", async () => {
  const image = { data: new Uint8ClampedArray(512 * 384 * 4), width: 512, height: 384 };
  for (const [peak, once, runs] of [[0.5, false, 2], [0.5, true, 1], [0.2, false, 1], [0.9, false, 1]]) {
    const card = cardOf(CARDS.one, { flip_test: { above: 0.3, below: 0.7 } });
    let ran = 0;
    const pose = async () => {
      ran++;
      const data = new Float32Array(16 * 32 * 24);
      for (let j = 0; j < 16; j++) data[j * 32 * 24 + 16 * 24 + 12] = peak;
      return { data, height: 32, width: 24 };
    };
    await createEstimator(card, { locate: null, pose }).person(image, [100, 40, 200, 340], 0.9, once);
    assert.equal(ran, runs, `peaks of ${peak}`);
  }
});

test("scores are Python's", () => {
  const { peaks, calibration, calibrated, plain, joints, limbs, person, people } = vectors.scores;
  allNear(peaks.map((peak) => jointScore(peak, calibration)), calibrated, 1e-6);
  allNear(peaks.map((peak) => jointScore(peak)), plain, 1e-6);
  for (const one of people) near(personScore(one.located, joints, one.calibrated ? person : null, limbs, one.size), one.score, 1e-9);
});

test("pictures turn, and points turn back, as in Python", () => {
  for (const { quarter, image, result, back } of vectors.turned) {
    const got = turnedPicture(rgba(image), quarter);
    assert.deepEqual([got.height, got.width], result.shape.slice(0, 2));
    assert.deepEqual(got.data.filter((_, i) => i % 4 < 3), new Uint8ClampedArray(bytes(result)), `turned by ${quarter}`);
    assert.deepEqual(turnedBack([1, 2], quarter, { width: 5, height: 3 }), back);
  }
});

test("of poses on one person the better stays", () => {
  for (const { names, points, known, boxes, scores, kept } of vectors.alike) {
    const people = points.map((each, i) => ({ points: each, known: known[i], box: boxes[i], score: scores[i], i }));
    assert.deepEqual(oneEach(people, names.map(sigmaOf)).map(({ i }) => i), kept);
  }
});

test("as many keypoints are answered as the manifest names, of 16 or of 21", async () => {
  for (const keypoints of [undefined, [...Array(16).fill(0).map((_, i) => (i === 6 ? "pelvis" : "thorax")), "nose", "left_eye", "right_eye", "left_ear", "right_ear"]]) {
    const card = cardOf(CARDS.one, keypoints ? { keypoints } : {});
    const count = card.pose.keypoints.length;
    const person = [100, 40, 200, 340];
    const pose = async () => {
      const data = new Float32Array(count * 32 * 24);
      for (let j = 0; j < count; j++) data[j * 32 * 24 + 16 * 24 + 12] = 0.9;
      return { data, height: 32, width: 24 };
    };
    const locate = async (_, frame) => encoded([person.map((v) => v * 0.75)], frame, card.locate.unit);
    const image = { data: new Uint8ClampedArray(512 * 384 * 4), width: 512, height: 384 };
    const found = await createEstimator(card, { locate, pose }).find(image);
    const answer = answerOf(found, image, { width: 1024, height: 768 }, card, 0.5, {});
    assert.equal(answer.people.length, 1);
    assert.equal(answer.people[0].keypoints.length, count);
    assert.equal(answer.people[0].keypoints[0].name, card.pose.keypoints[0]);
    assert.ok(answer.people[0].keypoints.every(({ state }) => ["visible", "hidden", "outside", "unsure"].includes(state)));
    near(answer.people[0].box[0], 200.5, 30); // in px of the photo
    assert.ok(answer.skeleton.every((pair) => pair.every((at) => at >= 0 && at < count)));
  }
});

test("states and angles are Python's, of people whole, cut off and small", () => {
  const seen = new Set();
  for (const { threshold, size: [width, height], person } of vectors.people) {
    assert.deepEqual(statesOf(person, threshold, { width, height }), person.keypoints.map(({ state }) => state));
    person.keypoints.forEach(({ state }) => seen.add(state));
    const angles = Object.entries(person.angles).filter(([, angle]) => angle).map(([name, angle]) => ({ name, ...angle }));
    const got = anglesOf(person, threshold);
    assert.deepEqual(got.map(({ name }) => name).sort(), angles.map(({ name }) => name).sort());
    for (const { name, degrees, error } of angles) {
      const twin = got.find((one) => one.name === name);
      near(twin.degrees, degrees, 0.11, name);
      near(twin.error, error, 0.11, name);
    }
  }
  assert.deepEqual([...seen].sort(), ["hidden", "outside", "unsure", "visible"]);
});

test("a trunk's colours are Python's", () => {
  const [{ image, cases }] = vectors.colours;
  for (const { look, ...seen } of cases) {
    const got = lookOf(rgba(image), seen, KEYPOINTS, 0.4);
    near(got.reduce((a, b) => a + b), 1, 1e-5);
    assert.ok(alike(got, look) > 0.95, `${alike(got, look)}`);
  }
});

test("manifests of other kinds are refused", () => {
  assert.throws(() => readCard({ schema: 1, name: "old", file: "x.onnx" }), /schema 2/);
});
