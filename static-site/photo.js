// A file the user gave -> what is sent. What fits goes as it is, so that the page and curl get the same answer;
// only what is too large is drawn again, smaller.
import { withoutMetadata } from "./metadata.js";
import { Problem } from "./messages.js";

const QUALITY = 0.95;
const MOST_PIXELS = 16_000_000; // a canvas may hold no more in Safari
// the table of hpe/image/kinds.py; a test compares them
const TYPES = {
  jpg: "jpeg", jpeg: "jpeg", jpe: "jpeg", jfif: "jpeg", mpo: "jpeg", png: "png", apng: "png", webp: "webp",
  avif: "avif", avifs: "avif", heic: "heic", heif: "heic", hif: "heic", gif: "gif", tif: "tiff", tiff: "tiff",
  bmp: "bmp", dib: "bmp",
};
const API_READS = new Set([...Object.values(TYPES).map((type) => `image/${type}`), "image/heif", "image/jpg", "image/pjpeg", "image/x-ms-bmp"]);
export const THUMB = 112; // px

/** The media type of a file, by its own word or its name's ending; "" where neither says image. */
export function imageType({ type = "", name = "" }) {
  if (type.startsWith("image/")) return type;
  const known = TYPES[/\.([^.]+)$/.exec(name)?.[1].toLowerCase()];
  return known && (!type || type === "application/octet-stream") ? `image/${known}` : "";
}

/** Whether a file of no type and no suffix is a HEIC, as phones' own sharing sends it: its first bytes tell. */
async function isHeic(file) {
  const head = String.fromCharCode(...new Uint8Array(await file.slice(4, 12).arrayBuffer()));
  return /^ftyp(hei[cmxs]|hev[cx]|m[is]f1)$/.test(head);
}

/** Something that a canvas can draw, upright; null where this browser can't read the file. */
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
function honest(context) {
  context.fillStyle = "rgb(12 200 90)";
  context.fillRect(0, 0, 4, 4);
  const pixels = context.getImageData(0, 0, 4, 4).data;
  return pixels.every((v, i) => Math.abs(v - [12, 200, 90, 255][i % 4]) < 6);
}

function drawn(picture, width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  if (!honest(context)) return null;
  context.fillStyle = "#fff"; // as the API does under transparent parts
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, width, height);
  return canvas;
}

/** A JPEG of a picture about as large as the limit allows; null where this browser's canvas can't be trusted. */
async function fitted(picture, width, height, size, limit) {
  // the file's own bytes a pixel are the best first guess: every try costs a second on a slow phone
  for (let scale = Math.min(1, Math.sqrt(MOST_PIXELS / (width * height)), Math.sqrt(limit / size)); scale > 0.05; ) {
    const canvas = drawn(picture, Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
    const blob = canvas && (await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY)));
    if (!blob) return null;
    if (blob.size <= limit) return { blob, type: "image/jpeg", scale: canvas.width / width };
    scale *= Math.min(0.9, Math.sqrt(limit / blob.size) * 0.97);
  }
  return null;
}

function thumbOf(picture, width, height) {
  const scale = THUMB / Math.min(width, height);
  const canvas = Object.assign(document.createElement("canvas"), { width: THUMB, height: THUMB });
  const [w, h] = [width * scale, height * scale];
  canvas.getContext("2d").drawImage(picture, (THUMB - w) / 2, (THUMB - h) / 2, w, h);
  return canvas;
}

/** A small square of a picture for the strip; null where this browser can't read it. */
export async function thumbnail(blob) {
  const picture = await decode(blob);
  if (!picture) return null;
  const thumb = thumbOf(picture, picture.naturalWidth ?? picture.width, picture.naturalHeight ?? picture.height);
  picture.close?.();
  return thumb;
}

/**
 * File -> {blob, type, name, width, height, size, sent, clean, thumb, scale}. scale: px sent for a px of the file.
 * sent: "as it is" or "smaller". clean: whether place, date and camera were left out. width, height: of the file,
 * upright, px; 0 where this browser can't read it (HEIC outside Safari).
 */
export async function preparePhoto(file, maxBytes) {
  const name = file.name || "photo";
  const type = imageType(file) || (!file.type && (await isHeic(file)) ? "image/heic" : "");
  if (!file.size || (file.type && !type)) throw new Problem("notImage", { name });
  const picture = await decode(file);
  if (!picture && !type) throw new Problem("notImage", { name });
  const width = picture ? picture.naturalWidth ?? picture.width : 0;
  const height = picture ? picture.naturalHeight ?? picture.height : 0;
  const thumb = picture && thumbOf(picture, width, height);
  const facts = { name, width, height, size: file.size, thumb, scale: 1 };
  try {
    const known = !type || API_READS.has(type);
    if (known && file.size <= maxBytes) return { ...facts, ...(await asItIs(file, type)) };
    const small = picture && (await fitted(picture, width, height, file.size, maxBytes));
    if (small) return { ...facts, ...small, sent: "smaller", clean: true };
    return { ...facts, blob: file, type: type || "application/octet-stream", sent: "as it is", clean: false };
  } finally {
    picture?.close?.();
  }
}

/**
 * File -> {blob, type, name, width, height, size, sent, clean, thumb, scale} for processing on this device: as preparePhoto's, but nothing
 * is sent, so nothing is made smaller. Only what this browser can read.
 */
export async function openPhoto(file) {
  const name = file.name || "photo";
  const picture = file.size ? await decode(file) : null;
  const heic = !picture && (/hei[cf]$/.test(imageType(file)) || (await isHeic(file)));
  if (!picture) throw new Problem(heic || imageType(file) ? "notHere" : "notImage", { name });
  const width = picture.naturalWidth ?? picture.width;
  const height = picture.naturalHeight ?? picture.height;
  const thumb = thumbOf(picture, width, height);
  const drawnOnce = picture instanceof ImageBitmap ? file : drawn(picture, width, height); // an SVG
  if (!honest(document.createElement("canvas").getContext("2d"))) throw new Problem("noise");
  picture.close?.();
  return { blob: drawnOnce, type: imageType(file), name, width, height, size: file.size, sent: "not", clean: true, thumb, scale: 1 };
}

async function asItIs(file, type) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const clean = withoutMetadata(bytes);
  const sent = { type: type || "application/octet-stream", sent: "as it is" };
  return clean ? { ...sent, blob: new Blob([clean], { type }), clean: true } : { ...sent, blob: file, clean: false };
}
