// A file the user gave -> what is sent: shrunk, upright, and without its metadata (place, camera, date).
import { fitWithin } from "./geometry.js";
import { Problem } from "./messages.js";

const LONGEST = 1600; // px; the API draws no larger
const QUALITY = 0.88;
const TYPES = {
  jpg: "jpeg", jpeg: "jpeg", png: "png", webp: "webp", avif: "avif", gif: "gif", bmp: "bmp", tif: "tiff",
  tiff: "tiff", heic: "heic", heif: "heif",
};

/** The media type of a file, by its own word or its name's ending; "" where neither says image. */
export function imageType({ type = "", name = "" }) {
  if (type.startsWith("image/")) return type;
  const known = TYPES[/\.([^.]+)$/.exec(name)?.[1].toLowerCase()];
  return known && (!type || type === "application/octet-stream") ? `image/${known}` : "";
}

async function decode(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    // an <img> reads more than createImageBitmap does: SVG everywhere, HEIC in Safari
  }
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await image.decode();
    return image.naturalWidth ? image : null;
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(image.src);
  }
}

/** Browsers that guard against fingerprinting hand out noise for what a canvas holds. */
function honest(canvas, context) {
  context.fillStyle = "rgb(12 200 90)";
  context.fillRect(0, 0, 4, 4);
  const pixels = context.getImageData(0, 0, 4, 4).data;
  return pixels.every((v, i) => Math.abs(v - [12, 200, 90, 255][i % 4]) < 6);
}

async function shrink(picture) {
  const width = picture.naturalWidth ?? picture.width;
  const height = picture.naturalHeight ?? picture.height;
  const size = fitWithin(width, height, LONGEST);
  const canvas = Object.assign(document.createElement("canvas"), size);
  const context = canvas.getContext("2d");
  if (!honest(canvas, context)) return null;
  context.fillStyle = "#fff"; // as the API does under transparent parts
  context.fillRect(0, 0, size.width, size.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, size.width, size.height);
  picture.close?.();
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
  return blob && { blob, type: "image/jpeg", width, height };
}

/**
 * File -> {blob, type, name, width, height, size, shrunk}: width and height of the original, upright, or 0
 * where this browser can't read it (HEIC outside Safari): then the original goes up as it is.
 */
export async function preparePhoto(file) {
  const name = file.name || "photo";
  const type = imageType(file);
  if (!file.size || (file.type && !type)) throw new Problem("notImage", { name });
  const picture = await decode(file);
  const small = picture && (await shrink(picture));
  if (small) return { ...small, name, size: file.size, shrunk: true };
  if (!type) throw new Problem("notImage", { name });
  return { blob: file, type, name, width: 0, height: 0, size: file.size, shrunk: false };
}
