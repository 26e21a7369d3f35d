// A picture's part -> a network's input: the twin of hpe/pose/crops.py's `warp`. All its maps scale and
// move only.

export const SMOOTH = 0.7; // of the locator's looks
const FINEST = 0.5; // network px to a picture px: below, two by two px are averaged first
const LEAST_SIGMA = 0.2;

/** OpenCV's kernel for bytes, in 256ths that sum to 256: three standard deviations to each side. */
function gaussian(sigma) {
  const size = Math.round(sigma * 6 + 1) | 1;
  const reach = (size - 1) / 2;
  const plain = Array.from({ length: size }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma ** 2)));
  const sum = plain.reduce((a, b) => a + b, 0);
  const kernel = new Int32Array(size);
  let left = 0; // what rounding left over is the next one's
  for (let i = 0; i < reach; i++) {
    const wanted = (256 * plain[i]) / sum + left;
    kernel[i] = kernel[size - 1 - i] = Math.round(wanted);
    left = wanted - kernel[i];
  }
  kernel[reach] = 256 - 2 * kernel.slice(0, reach).reduce((a, b) => a + b, 0);
  return kernel;
}

/** Position of a sample that lies outside 0..last, mirrored at the edge's px centre. */
function mirrored(at, last) {
  if (last === 0) return 0;
  const period = 2 * last;
  const folded = ((at % period) + period) % period;
  return folded > last ? period - folded : folded;
}

/** The picture smoothed, in whole numbers as OpenCV does it, so that both give the same bytes. */
function smoothed({ data, width, height }, kernel) {
  const reach = (kernel.length - 1) / 2;
  const across = new Int32Array(width * height * 3);
  const columns = Array.from({ length: width + 2 * reach }, (_, i) => 4 * mirrored(i - reach, width - 1));
  for (let y = 0, to = 0; y < height; y++) {
    const row = y * width * 4;
    for (let x = 0; x < width; x++, to += 3) {
      let [r, g, b] = [0, 0, 0];
      for (let k = 0; k < kernel.length; k++) {
        const at = row + columns[x + k];
        r += kernel[k] * data[at];
        g += kernel[k] * data[at + 1];
        b += kernel[k] * data[at + 2];
      }
      across[to] = r;
      across[to + 1] = g;
      across[to + 2] = b;
    }
  }
  const out = new Uint8ClampedArray(width * height * 4);
  const stripe = width * 3;
  const line = new Int32Array(stripe);
  for (let y = 0; y < height; y++) {
    line.fill(1 << 15); // to the nearest
    for (let k = 0; k < kernel.length; k++) {
      const from = mirrored(y + k - reach, height - 1) * stripe;
      for (let x = 0; x < stripe; x++) line[x] += kernel[k] * across[from + x];
    }
    for (let x = 0, at = 0, to = y * width * 4; x < width; x++, to += 4) {
      out[to] = line[at++] >> 16;
      out[to + 1] = line[at++] >> 16;
      out[to + 2] = line[at++] >> 16;
    }
  }
  return { data: out, width, height };
}

const { fround } = Math;

/**
 * For each network px of one axis: the picture px before it, and how near it is to the next, in float32 as OpenCV's vector code
 * computes them: along a row with one rounding (a fused multiply-add), down a column with two. With scales such as 0.75 many
 * samples lie halfway between two bytes, so that the last bit decides.
 */
function between(count, scale, shift, fused) {
  const low = new Int32Array(count);
  const part = new Float32Array(count);
  const step = scale * (1 / (scale * scale));
  const [by, from] = [fround(step), fround(-step * shift)];
  for (let i = 0; i < count; i++) {
    const at = fround((fused ? by * i : fround(by * i)) + from);
    low[i] = Math.floor(at);
    part[i] = at - low[i];
  }
  return { low, part };
}

/** Each 2 x 2 px averaged to one; an odd last row or column is repeated. */
function halved({ data, width, height }) {
  const [w, h] = [(width + 1) >> 1, (height + 1) >> 1];
  const out = new Uint8ClampedArray(w * h * 4);
  for (let y = 0; y < h; y++) {
    const top = 2 * y * width * 4;
    const bottom = Math.min(2 * y + 1, height - 1) * width * 4;
    for (let x = 0; x < w; x++) {
      const a = 8 * x;
      const b = Math.min(2 * x + 1, width - 1) * 4;
      const to = (y * w + x) * 4;
      for (let c = 0; c < 3; c++) out[to + c] = (data[top + a + c] + data[top + b + c] + data[bottom + a + c] + data[bottom + b + c] + 2) >> 2;
    }
  }
  return { data: out, width: w, height: h };
}

function cut({ data, width }, x0, y0, x1, y1) {
  const out = new Uint8ClampedArray((x1 - x0) * (y1 - y0) * 4);
  for (let y = y0; y < y1; y++) out.set(data.subarray((y * width + x0) * 4, (y * width + x1) * 4), (y - y0) * (x1 - x0) * 4);
  return { data: out, width: x1 - x0, height: y1 - y0 };
}

/** The part of the picture that the frame shows, and its map: averaging the rest would be work for nothing. */
function around(image, { scale, tx, ty }, [rows, columns], by) {
  const reach = 2 / scale;
  const span = (last, t, size) => {
    const low = Math.min(Math.max(Math.floor(-t / scale - reach), 0), size - 1);
    const high = Math.min(Math.max(Math.ceil((last - t) / scale + reach) + 1, low + 1), size);
    return [low, Math.min(high + ((((low - high) % by) + by) % by), size)];
  };
  const [x0, x1] = span(columns - 1, tx, image.width);
  const [y0, y1] = span(rows - 1, ty, image.height);
  return [cut(image, x0, y0, x1, y1), { scale, tx: tx + scale * x0, ty: ty + scale * y0 }];
}

/**
 * {data: RGBA bytes, width, height}, a map and a frame [height, width] -> height * width * 3 bytes RGB, black outside
 * the picture. smooth: how strongly a picture is smoothed before it shrinks.
 */
export function warp(image, map, frame, smooth = 0) {
  if (map.scale < FINEST) {
    const times = Math.ceil(Math.log2(FINEST / map.scale));
    [image, map] = around(image, map, frame, 2 ** times);
    for (let i = 0; i < times; i++) {
      image = halved(image);
      map = { scale: 2 * map.scale, tx: map.tx + 0.5 * map.scale, ty: map.ty + 0.5 * map.scale };
    }
  }
  const sigma = smooth * Math.sqrt(Math.max(0, 1 / map.scale ** 2 - 1));
  return sampled(sigma > LEAST_SIGMA ? smoothed(image, gaussian(sigma)) : image, map, frame);
}

/** By bilinear interpolation, with black outside; halves go to the even neighbour, as in OpenCV. */
function sampled({ data, width, height }, map, [rows, columns]) {
  const across = between(columns, map.scale, map.tx, true);
  const down = between(rows, map.scale, map.ty, false);
  const out = new Uint8ClampedArray(rows * columns * 3);
  const value = (x, y, c) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : data[(y * width + x) * 4 + c]);
  for (let row = 0, to = 0; row < rows; row++) {
    const [y, fy] = [down.low[row], down.part[row]];
    if (y < -1 || y >= height) {
      to += columns * 3; // black
      continue;
    }
    const inner = y >= 0 && y < height - 1;
    for (let column = 0; column < columns; column++, to += 3) {
      const [x, fx] = [across.low[column], across.part[column]];
      if (inner && x >= 0 && x < width - 1) {
        const at = (y * width + x) * 4;
        const under = at + width * 4;
        for (let c = 0; c < 3; c++) {
          const upper = fround(data[at + c] + fx * (data[at + 4 + c] - data[at + c]));
          const lower = fround(data[under + c] + fx * (data[under + 4 + c] - data[under + c]));
          out[to + c] = fround(upper + fy * fround(lower - upper));
        }
      } else if (x >= -1 && x < width) {
        for (let c = 0; c < 3; c++) {
          const upper = fround(value(x, y, c) + fx * (value(x + 1, y, c) - value(x, y, c)));
          const lower = fround(value(x, y + 1, c) + fx * (value(x + 1, y + 1, c) - value(x, y + 1, c)));
          out[to + c] = fround(upper + fy * fround(lower - upper));
        }
      }
    }
  }
  return new Uint8Array(out.buffer);
}

/** Bytes RGB of a frame [height, width] -> those of its mirror image. */
export function mirrorImage(bytes, [height, width]) {
  const out = new Uint8Array(bytes.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [from, to] = [3 * (y * width + x), 3 * (y * width + width - 1 - x)];
      for (let c = 0; c < 3; c++) out[to + c] = bytes[from + c];
    }
  }
  return out;
}
