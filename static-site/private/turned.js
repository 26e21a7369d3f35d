// A photo stored on its side or upside down: the twin of hpe/engine/turned.py. A quarter is 90 degrees counterclockwise.

/** {data: RGBA, width, height} turned by so many quarters. */
export function turnedPicture({ data, width, height }, quarter) {
  const source = new Uint32Array(data.buffer, data.byteOffset, width * height);
  const [w, h] = quarter % 2 ? [height, width] : [width, height];
  const out = new Uint32Array(w * h);
  for (let y = 0, to = 0; y < h; y++) {
    for (let x = 0; x < w; x++, to++) {
      const [sx, sy] = quarter === 1 ? [width - 1 - y, x] : quarter === 2 ? [width - 1 - x, height - 1 - y] : [y, height - 1 - x];
      out[to] = source[sy * width + sx];
    }
  }
  return { data: new Uint8ClampedArray(out.buffer), width: w, height: h };
}

/** A point of the turned picture -> the same in the picture itself, of width x height px. */
export function turnedBack([x, y], quarter, { width, height }) {
  let point = [x, y];
  for (let turn = quarter - 1; turn >= 0; turn--) point = [(turn % 2 ? height : width) - 1 - point[1], point[0]];
  return point;
}

export function boxTurnedBack([x0, y0, x1, y1], quarter, picture) {
  const [a, b] = [turnedBack([x0, y0], quarter, picture), turnedBack([x1, y1], quarter, picture)];
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])];
}
