// Points from one frame to the next by optical flow, which costs a fraction of a run of the pose network: the small sister of
// hpe/video/flow.py. Pyramidal Lucas-Kanade (Bouguet, Intel 2001), forward and backward (Kalal, Mikolajczyk and Matas, ICPR 2010).

const REACH = 7; // px to each side of a point that are compared
const PAD = REACH + 3;
const LEVELS = 3;
const TURNS = 10;
const ENOUGH = 0.03; // px: a smaller step is none
const FLAT = 4; // of the gradients' least eigenvalue a px: what is flatter can't be followed
const ASTRAY = 0.7; // px: how far from its start a point may come back
const SHARE = 0.7; // of the sure points: how many have to be followed

/** width x height values -> {data, stride, width, height} with its border repeated PAD px outwards. */
function padded(values, width, height) {
  const stride = width + 2 * PAD;
  const data = new Float32Array(stride * (height + 2 * PAD));
  for (let y = 0; y < height; y++) {
    const to = (y + PAD) * stride + PAD;
    data.set(values.subarray(y * width, (y + 1) * width), to);
    data.fill(values[y * width], to - PAD, to);
    data.fill(values[(y + 1) * width - 1], to + width, to + width + PAD);
  }
  for (let y = 0; y < PAD; y++) {
    data.copyWithin(y * stride, PAD * stride, (PAD + 1) * stride);
    data.copyWithin((PAD + height + y) * stride, (PAD + height - 1) * stride, (PAD + height) * stride);
  }
  return { data, stride, width, height };
}

function halved(values, width, height) {
  const [w, h] = [width >> 1, height >> 1];
  const out = new Float32Array(w * h);
  for (let y = 0, to = 0; y < h; y++) {
    for (let x = 0, at = 2 * y * width; x < w; x++, at += 2) out[to++] = (values[at] + values[at + 1] + values[at + width] + values[at + width + 1]) / 4;
  }
  return out;
}

/** {data: RGBA, width, height} -> its grey pyramid, as `carried` takes it. */
export function pyramidOf({ data, width, height }) {
  let values = new Float32Array(width * height);
  for (let i = 0, at = 0; i < values.length; i++, at += 4) values[i] = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
  const levels = [padded(values, width, height)];
  while (levels.length < LEVELS && Math.min(width, height) >= 4 * REACH) {
    values = halved(values, width, height);
    [width, height] = [width >> 1, height >> 1];
    levels.push(padded(values, width, height));
  }
  return levels;
}

/** What lies round x, y: (2 reach + 1) squared values between the px, into `out`. False outside the picture. */
function patch({ data, stride, width, height }, x, y, reach, out) {
  if (!(x >= 0 && y >= 0 && x <= width - 1 && y <= height - 1)) return false;
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [x - x0, y - y0];
  const [a, b, c, d] = [(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy];
  const side = 2 * reach + 1;
  for (let row = 0, to = 0; row < side; row++) {
    let at = (y0 + PAD - reach + row) * stride + x0 + PAD - reach;
    for (let column = 0; column < side; column++, at++) out[to++] = a * data[at] + b * data[at + 1] + c * data[at + stride] + d * data[at + stride + 1];
  }
  return true;
}

const SIDE = 2 * REACH + 1;
const [WIDE, HERE, THERE, DX, DY] = [(SIDE + 2) ** 2, ...Array(4).fill(SIDE ** 2)].map((size) => new Float32Array(size));

/** The template round a point, its gradients, and their matrix [xx, xy, yy]; null where there is nothing to follow. */
function template(level, x, y) {
  if (!patch(level, x, y, REACH + 1, WIDE)) return null;
  let [xx, xy, yy] = [0, 0, 0];
  for (let row = 0, to = 0; row < SIDE; row++) {
    for (let column = 0, at = (row + 1) * (SIDE + 2) + 1; column < SIDE; column++, at++, to++) {
      HERE[to] = WIDE[at];
      const dx = (DX[to] = (WIDE[at + 1] - WIDE[at - 1]) / 2);
      const dy = (DY[to] = (WIDE[at + SIDE + 2] - WIDE[at - SIDE - 2]) / 2);
      xx += dx * dx;
      xy += dx * dy;
      yy += dy * dy;
    }
  }
  const least = (xx + yy - Math.hypot(xx - yy, 2 * xy)) / 2;
  return least / SIDE ** 2 < FLAT ? null : [xx, xy, yy];
}

/** One point [x, y] of pyramid `from` -> where it is in `to`, or null. */
function follow(from, to, [x, y]) {
  let [u, v] = [0, 0];
  for (let level = from.length - 1; level >= 0; level--) {
    const scale = 0.5 ** level;
    const [px, py] = [(x + 0.5) * scale - 0.5, (y + 0.5) * scale - 0.5];
    [u, v] = level === from.length - 1 ? [0, 0] : [2 * u, 2 * v];
    const matrix = template(from[level], px, py);
    if (!matrix) {
      if (level) continue; // too flat when small, perhaps not in full
      return null;
    }
    const [xx, xy, yy] = matrix;
    const det = xx * yy - xy * xy;
    for (let turn = 0; turn < TURNS; turn++) {
      if (!patch(to[level], px + u, py + v, REACH, THERE)) return null;
      let [bx, by] = [0, 0];
      for (let i = 0; i < THERE.length; i++) {
        const apart = HERE[i] - THERE[i];
        bx += apart * DX[i];
        by += apart * DY[i];
      }
      const [du, dv] = [(yy * bx - xy * by) / det, (xx * by - xy * bx) / det];
      u += du;
      v += dv;
      if (Math.hypot(du, dv) < ENOUGH) break;
    }
  }
  return [x + u, y + v];
}

/**
 * Two pyramids, one person's points [[x, y]] in px of the first's largest level, and which of them are sure -> the shifts of all
 * points, px: those that can't be followed move as the nearest that can. null if too few can.
 */
export function carried(before, after, points, sure) {
  const starts = points.filter((_, j) => sure[j]);
  const good = [];
  for (const start of starts) {
    const end = follow(before, after, start);
    const back = end && follow(after, before, end);
    if (back && Math.hypot(back[0] - start[0], back[1] - start[1]) <= ASTRAY) good.push({ start, shift: [end[0] - start[0], end[1] - start[1]] });
  }
  if (!good.length || good.length < SHARE * starts.length) return null;
  const apart = ([x, y], { start }) => (x - start[0]) ** 2 + (y - start[1]) ** 2;
  return points.map((point) => good.reduce((best, one) => (apart(point, one) < apart(point, best) ? one : best)).shift);
}
