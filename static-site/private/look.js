// What a person looks like: the colours of the trunk, the twin of hpe/video/look.py. Tells who is who when somebody comes back.

const CORNERS = ["left_shoulder", "right_shoulder", "right_hip", "left_hip"];
const BINS = 6;
const SIDE = 16;
const LEAST_WIDTH = 0.35; // of its height: from the side a trunk is a line
const OF_BOX = [0.3, 0.2, 0.7, 0.5];

/** Where the trunk is, [x0, y0, x1, y1]: by shoulders and hips, without those where it is in most people's boxes. */
function trunk({ points, scores, box }, names, threshold) {
  const corners = CORNERS.map((name) => names.indexOf(name));
  if (corners.some((j) => j < 0 || !(scores[j] >= threshold && scores[j] > 0))) {
    const sides = [box[2] - box[0], box[3] - box[1]];
    return OF_BOX.map((share, i) => box[i % 2] + share * sides[i % 2]);
  }
  const [xs, ys] = [0, 1].map((axis) => corners.map((j) => points[j][axis]));
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const aside = Math.max(0, LEAST_WIDTH * (y1 - y0) - (x1 - x0)) / 2;
  return [x0 - aside, y0, x1 + aside, y1];
}

/** image: {data: RGBA, width, height}; seen: {points, scores, box} in its px -> a histogram of colours that adds up to 1. */
export function lookOf({ data, width, height }, seen, names, threshold) {
  const [left, top, right, bottom] = trunk(seen, names, threshold);
  const within = (v, most) => Math.min(Math.max(v, 0), most);
  const [x0, y0] = [within(Math.floor(left), width - 1), within(Math.floor(top), height - 1)];
  const [x1, y1] = [Math.min(Math.max(Math.ceil(right) + 1, x0 + 1), width), Math.min(Math.max(Math.ceil(bottom) + 1, y0 + 1), height)];
  const counts = new Float32Array(BINS ** 3);
  const span = (low, high, i) => [low + Math.floor(((high - low) * i) / SIDE), low + Math.max(Math.ceil(((high - low) * (i + 1)) / SIDE), Math.floor(((high - low) * i) / SIDE) + 1)];
  for (let row = 0; row < SIDE; row++) {
    const [fromY, toY] = span(y0, y1, row);
    for (let column = 0; column < SIDE; column++) {
      const [fromX, toX] = span(x0, x1, column);
      const sum = [0, 0, 0];
      for (let y = fromY; y < toY; y++) for (let x = fromX; x < toX; x++) for (let c = 0; c < 3; c++) sum[c] += data[(y * width + x) * 4 + c];
      const size = (toY - fromY) * (toX - fromX);
      const [r, g, b] = sum.map((v) => Math.floor((Math.round(v / size) * BINS) / 256));
      counts[(r * BINS + g) * BINS + b] += 1 / SIDE ** 2;
    }
  }
  return counts;
}

/** Bhattacharyya coefficient of two looks: 1 for the same colours, 0 for none; 0 too where one is not known. */
export const alike = (a, b) => (a && b ? a.reduce((sum, v, i) => sum + Math.sqrt(v * b[i]), 0) : 0);
