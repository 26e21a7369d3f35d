// What is shown -> a picture: the skeletons as they are on the page, over the photo at its full size.
import { savedSize, sizeOf } from "./geometry.js";
import { Problem } from "./messages.js";
import { drawOverlay, element } from "./overlay.js";

/** Skeletons as an <svg>, as looks (of viewer.js) has them: as thick beside the photo as on the page. */
export function overlaySvg(result, looks) {
  const { width, height } = sizeOf(result);
  const svg = element("svg", { xmlns: "http://www.w3.org/2000/svg", width, height });
  drawOverlay(svg, result.people, { ...looks, image: { width, height }, skeleton: result.skeleton });
  return svg;
}

const textOf = (svg) => new XMLSerializer().serializeToString(svg);

async function imageOf(url) {
  const image = new Image();
  image.src = url;
  await image.decode().catch(() => {
    throw new Problem("noImage");
  });
  return image;
}

/** A canvas of what is shown, at the photo's full size. url: of the photo, as the page shows it. */
export async function drawnCanvas(url, result, looks) {
  const photo = await imageOf(url);
  // a photo that the service opened for the page is smaller than the one that was sent
  const { width, height } = savedSize({ width: photo.naturalWidth || sizeOf(result).width, height: photo.naturalHeight || sizeOf(result).height });
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(photo, 0, 0, width, height);
  const svg = overlaySvg(result, looks);
  Object.entries({ width, height }).forEach(([side, px]) => svg.setAttribute(side, px));
  const address = URL.createObjectURL(new Blob([textOf(svg)], { type: "image/svg+xml" }));
  try {
    context.drawImage(await imageOf(address), 0, 0, width, height);
  } finally {
    URL.revokeObjectURL(address);
  }
  return canvas;
}

/** A canvas -> a Blob of "png", "webp" or "jpeg". */
export async function encoded(canvas, format) {
  const blob = await new Promise((done) => canvas.toBlob(done, `image/${format}`, 0.92));
  if (blob?.type !== `image/${format}`) throw new Problem("noFormat", { name: format.toUpperCase() });
  return blob;
}

/** What is shown as one SVG file: the photo inside it as a JPEG, and the skeletons as shapes over it. */
export async function drawnSvg(url, result, looks) {
  const { width, height } = sizeOf(result);
  const svg = overlaySvg(result, looks);
  const photo = await imageOf(url);
  const size = savedSize({ width: photo.naturalWidth, height: photo.naturalHeight });
  const canvas = Object.assign(document.createElement("canvas"), size);
  canvas.getContext("2d").drawImage(photo, 0, 0, size.width, size.height);
  svg.prepend(element("image", { width, height, href: canvas.toDataURL("image/jpeg", 0.92) }));
  return new Blob([textOf(svg)], { type: "image/svg+xml" });
}

// ControlNet's OpenPose pictures: 18 keypoints on black, each limb and keypoint in a colour of its own.
const BODY_18 = [
  "nose", "thorax", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist", "right_hip", "right_knee", "right_ankle",
  "left_hip", "left_knee", "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear",
];
const LIMBS_18 = [
  [1, 2], [1, 5], [2, 3], [3, 4], [5, 6], [6, 7], [1, 8], [8, 9], [9, 10], [1, 11], [11, 12], [12, 13], [1, 0], [0, 14], [14, 16], [0, 15], [15, 17],
];
const hue = (i) => `hsl(${i * 20} 100% 50%)`;

/** A canvas of the skeletons alone, as ControlNet's OpenPose models take them, in the photo's shape. */
export function controlnetCanvas(result, threshold) {
  const { width, height } = savedSize(sizeOf(result));
  const scale = width / sizeOf(result).width;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  context.fillRect(0, 0, width, height);
  const thick = Math.max(1, Math.min(width, height) / 128);
  for (const person of result.people) {
    const sure = new Map(person.keypoints.filter((k) => k.score >= threshold && k.score > 0).map((k) => [k.name, [k.x * scale, k.y * scale]]));
    const points = BODY_18.map((name) => sure.get(name));
    context.globalAlpha = 0.6;
    LIMBS_18.forEach(([a, b], i) => {
      if (!points[a] || !points[b]) return;
      const [[x1, y1], [x2, y2]] = [points[a], points[b]];
      context.fillStyle = hue(i);
      context.beginPath();
      context.ellipse((x1 + x2) / 2, (y1 + y2) / 2, Math.hypot(x2 - x1, y2 - y1) / 2, thick, Math.atan2(y2 - y1, x2 - x1), 0, 7);
      context.fill();
    });
    context.globalAlpha = 1;
    points.forEach((point, i) => {
      if (!point) return;
      context.fillStyle = hue(i);
      context.beginPath();
      context.arc(...point, thick, 0, 7);
      context.fill();
    });
  }
  return canvas;
}
