// Picture <-> network frame: the twin of hpe/pose/crops.py, pinned to it by tests/site/vectors.json.
// A map is {scale, tx, ty}: network px = scale * picture px + t. Pixel centres lie at integers on both sides.

const MARGIN = 1.25;
const MULTIPLE = 32; // the networks halve a picture five times

const roundedUp = (side) => Math.ceil(side / MULTIPLE) * MULTIPLE;

/** A box x0, y0, x1, y1 px and a frame [height, width] -> the map that brings the box, with room, into the frame. */
export function cropMap([x0, y0, x1, y1], [height, width], margin = MARGIN) {
  const scale = width / (Math.max(x1 - x0, ((y1 - y0) * width) / height, 1) * margin);
  return { scale, tx: (width - 1) / 2 - (scale * (x0 + x1)) / 2, ty: (height - 1) / 2 - (scale * (y0 + y1)) / 2 };
}

export const wholeBox = (width, height) => [-0.5, -0.5, width - 0.5, height - 0.5];

/** A picture -> {map, frame [height, width]} with a longer side of at most `longer` px; small ones hardly grow. */
export function fitLonger(width, height, longer) {
  const side = Math.max(width, height);
  const used = Math.min(longer, roundedUp(side));
  const scale = used / side;
  const frame = [height, width].map((short) => Math.ceil((short * used) / (side * MULTIPLE)) * MULTIPLE);
  return { map: { scale, tx: scale / 2 - 0.5, ty: scale / 2 - 0.5 }, frame };
}

/** The same for a frame of at most `pixels` px: the one that shows the picture the largest. */
export function fitPixels(width, height, pixels) {
  const side = Math.max(width, height);
  const area = Math.floor(Math.sqrt(Math.floor((pixels * side) / Math.min(width, height))));
  for (let longer = Math.max(1, Math.min(roundedUp(side), Math.floor(pixels / MULTIPLE), area)); ; longer--) {
    const fit = fitLonger(width, height, longer);
    if (fit.frame[0] * fit.frame[1] <= pixels || longer <= 1) return fit;
  }
}

/** Network px -> picture px. */
export const undo = ([x, y], { scale, tx, ty }) => [(x - tx) / scale, (y - ty) / scale];
