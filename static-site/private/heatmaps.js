// Heatmaps -> keypoints: the twin of hpe/pose/heatmaps.py (DARK: Zhang et al., CVPR 2020, arXiv 1910.06278).

export const STRIDE = 4;

function kernelOf(sigma) {
  const reach = Math.round(2 * sigma);
  const kernel = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * (sigma / 2) ** 2)));
  const sum = kernel.reduce((a, b) => a + b, 0);
  return { reach, kernel: kernel.map((v) => v / sum) };
}

/** The logs of the smoothed 3 x 3 cells round a peak; the map's border is repeated. */
function smoothLog(map, width, height, cx, cy, { reach, kernel }) {
  const side = 2 * reach + 3;
  const rows = [];
  for (let j = 0; j < side; j++) {
    const y = Math.min(Math.max(cy - reach - 1 + j, 0), height - 1);
    rows.push([0, 1, 2].map((offset) => kernel.reduce((sum, weight, k) =>
      sum + weight * map[y * width + Math.min(Math.max(cx - reach - 1 + offset + k, 0), width - 1)], 0)));
  }
  return [0, 1, 2].map((row) => [0, 1, 2].map((column) =>
    Math.log(Math.max(1e-6, kernel.reduce((sum, weight, k) => sum + weight * rows[row + k][column], 0)))));
}

/** From the peak's cell to the top, in cells: a second-order Taylor step on the log of the smoothed map. */
function step(map, width, height, x, y, smoothing) {
  const log = smoothLog(map, width, height, x, y, smoothing);
  const [dx, dy] = [(log[1][2] - log[1][0]) / 2, (log[2][1] - log[0][1]) / 2];
  const dxx = log[1][2] - 2 * log[1][1] + log[1][0];
  const dyy = log[2][1] - 2 * log[1][1] + log[0][1];
  const dxy = (log[2][2] - log[2][0] - log[0][2] + log[0][0]) / 4;
  const det = dxx * dyy - dxy * dxy;
  if (dxx >= 0 || det <= 1e-9) return [0, 0]; // no maximum to step to
  return [(dyy * dx - dxy * dy) / -det, (dxx * dy - dxy * dx) / -det].map((v) => Math.min(1, Math.max(-1, v)));
}

/**
 * Adds half of the mirrored crop's maps to half of the crop's, in place. partners: the keypoint that each is in the mirror.
 * Mirroring moves cell c to (width - 1) / STRIDE - c, so they are moved by three quarters of a cell, as in Python.
 */
export function addMirrored(maps, mirrored, partners, height, width) {
  const shift = Math.fround((STRIDE - 1) / STRIDE);
  for (let joint = 0; joint < partners.length; joint++) {
    for (let y = 0; y < height; y++) {
      const row = (partners[joint] * height + y) * width + width - 1; // from the right
      const start = (joint * height + y) * width;
      for (let x = 0; x < width; x++) {
        const left = mirrored[row - Math.max(x - 1, 0)];
        const moved = Math.fround(Math.fround(shift * left) + Math.fround((1 - shift) * mirrored[row - x]));
        maps[start + x] = Math.fround(maps[start + x] + moved) / 2;
      }
    }
  }
}

/** The mean of the keypoints' peaks, cut off to 0..1. */
export function meanPeak(maps, keypoints, height, width) {
  const size = height * width;
  const peaks = keypoints.map((joint) => maps.subarray(joint * size, (joint + 1) * size).reduce((a, b) => (b > a ? b : a), -Infinity));
  return peaks.reduce((sum, peak) => sum + Math.min(1, Math.max(0, peak)), 0) / peaks.length;
}

/** count maps of height x width floats, one after the other -> [{x, y (network px), peak}]. */
export function decodeJoints(maps, count, height, width, sigma) {
  const smoothing = kernelOf(sigma);
  return Array.from({ length: count }, (_, joint) => {
    const map = maps.subarray(joint * height * width, (joint + 1) * height * width);
    let at = 0;
    for (let i = 1; i < map.length; i++) if (map[i] > map[at]) at = i;
    const [cx, cy] = [at % width, Math.floor(at / width)];
    const inner = cx > 0 && cx < width - 1 && cy > 0 && cy < height - 1;
    const [dx, dy] = inner ? step(map, width, height, cx, cy, smoothing) : [0, 0];
    return { x: (cx + dx) * STRIDE, y: (cy + dy) * STRIDE, peak: map[at] };
  });
}
