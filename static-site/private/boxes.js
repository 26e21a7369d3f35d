// The locator's maps -> boxes, and which of overlapping boxes and poses stay: the twin of hpe/pose/boxes.py.
import { undo } from "./frames.js";
import { STRIDE } from "./heatmaps.js";
import { logit, sigmoid } from "./scores.js";

export const USUAL = { slope: 12, intercept: -6 }; // of the centre map, where the model has no calibration of its own
export const MAX_PEAKS = 100;
const IOU = 0.6;
const MIN_SIDE_PX = 2;
const AREA_OF_BOX = 0.53;
const SAME_PERSON = 0.7;
// COCO's standard deviations of where annotators put a keypoint, in shares of the root of the person's area.
const OKS_SIGMAS = {
  ankle: 0.089, knee: 0.087, hip: 0.107, pelvis: 0.107, thorax: 0.079, upper_neck: 0.079, head_top: 0.079, wrist: 0.062,
  elbow: 0.072, shoulder: 0.079, nose: 0.026, eye: 0.025, ear: 0.035,
};

export const sigmaOf = (name) => OKS_SIGMAS[name.replace(/^(left|right)_/, "")];

export function iou(a, b) {
  const w = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const h = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (w <= 0 || h <= 0) return 0;
  const area = (box) => Math.max(0, box[2] - box[0]) * Math.max(0, box[3] - box[1]);
  return (w * h) / (area(a) + area(b) - w * h);
}

/** Found things, best first -> those that stay: each drops the later ones that are alike. */
function firstOfAlike(things, alike) {
  const kept = [];
  for (const thing of things) if (!kept.some((better) => alike(better, thing))) kept.push(thing);
  return kept;
}

const byScore = (a, b) => b.score - a.score;

/** The parabola through a peak and its neighbours: from the cell to the top, in cells. */
function top(before, at, after) {
  const curve = 2 * at - before - after;
  return curve > 1e-9 ? Math.min(0.5, Math.max(-0.5, (after - before) / (2 * curve))) : 0;
}

function bilinear(map, width, height, x, y) {
  const within = (v, last) => Math.min(Math.max(v, 0), last);
  const x0 = within(Math.floor(x), width - 1);
  const y0 = within(Math.floor(y), height - 1);
  const x1 = within(Math.floor(x) + 1, width - 1);
  const y1 = within(Math.floor(y) + 1, height - 1);
  const [fx, fy] = [within(x - x0, 1), within(y - y0, 1)];
  const upper = map[y0 * width + x0] * (1 - fx) + map[y0 * width + x1] * fx;
  const lower = map[y1 * width + x0] * (1 - fx) + map[y1 * width + x1] * fx;
  return upper * (1 - fy) + lower * fy;
}

/** Local maxima of the centre map that reach `least`, best first, at most MAX_PEAKS: [{x, y, value}]. */
function peaks(values, width, height, least) {
  const found = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = values[y * width + x];
      if (value < least) continue;
      let highest = true;
      for (let j = Math.max(0, y - 1); highest && j <= Math.min(height - 1, y + 1); j++) {
        for (let i = Math.max(0, x - 1); i <= Math.min(width - 1, x + 1); i++) if (values[j * width + i] > value) highest = false;
      }
      if (highest) found.push({ x, y, value });
    }
  }
  return found.sort((a, b) => b.value - a.value).slice(0, MAX_PEAKS);
}

/**
 * Three maps of height x width floats -> [{box, score}] in px of a picture {width, height}, best first. options: map (see
 * frames.js), unit (px that a size of 1 stands for), threshold, most, calibration {slope, intercept}.
 */
export function decodeBoxes(maps, height, width, picture, { map, unit, threshold, most = MAX_PEAKS, calibration = USUAL }) {
  const { slope, intercept } = calibration;
  const [values, widths, heights] = [0, 1, 2].map((i) => maps.subarray(i * height * width, (i + 1) * height * width));
  const least = (logit(threshold, 1e-9) - intercept) / slope;
  const found = [];
  for (const { x, y, value } of peaks(values, width, height, least)) {
    const i = y * width + x;
    const cx = x + (x > 0 && x < width - 1 ? top(values[i - 1], value, values[i + 1]) : 0);
    const cy = y + (y > 0 && y < height - 1 ? top(values[i - width], value, values[i + width]) : 0);
    const [mx, my] = undo([cx * STRIDE, cy * STRIDE], map);
    const [hw, hh] = [widths, heights].map((sizes) => (Math.max(0, bilinear(sizes, width, height, cx, cy)) * unit) / map.scale / 2);
    const box = clipped([mx - hw, my - hh, mx + hw, my + hh], picture);
    if (Math.min(box[2] - box[0], box[3] - box[1]) >= MIN_SIDE_PX) found.push({ box, score: sigmoid(slope * value + intercept) });
  }
  return firstOfAlike(found.sort(byScore), (a, b) => iou(a.box, b.box) > IOU).slice(0, most);
}

export function clipped(box, { width, height }) {
  return box.map((v, i) => Math.min(Math.max(v, -0.5), (i % 2 ? height : width) - 0.5));
}

/** Object keypoint similarity of two poses {points, known, area} over the keypoints that both know. */
export function oks(a, b, sigmas) {
  const area = Math.max(a.area, b.area, 1e-9);
  let [sum, count] = [0, 0];
  sigmas.forEach((sigma, j) => {
    if (!a.known[j] || !b.known[j]) return;
    const apart = (a.points[j][0] - b.points[j][0]) ** 2 + (a.points[j][1] - b.points[j][1]) ** 2;
    sum += Math.exp(-apart / (2 * area * (2 * sigma) ** 2));
    count += 1;
  });
  return sum / Math.max(count, 1);
}

export const areaOf = ([x0, y0, x1, y1]) => AREA_OF_BOX * (x1 - x0) * (y1 - y0);

/** [{points, known, box, score}] -> those that stay, best first: of poses on one person the one with the higher score. */
export function oneEach(people, sigmas) {
  const known = people.map((person) => ({ ...person, area: areaOf(person.box) }));
  return firstOfAlike(known.sort(byScore), (a, b) => oks(a, b, sigmas) >= SAME_PERSON);
}
