// Takes what a camera wrote beside the pixels (place, date, model) out of a JPEG, PNG or WebP, and leaves every
// byte of the pixels as it is. The orientation and the colour profile stay: without them it is another picture.

const ascii = (bytes, at, length) => String.fromCharCode(...bytes.subarray(at, at + length));
const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function join(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A TIFF block, as EXIF is one -> its orientation, 1 to 8; 1 where it holds none. */
export function orientationOf(tiff) {
  try {
    const data = view(tiff);
    const little = data.getUint16(0) === 0x4949;
    const first = data.getUint32(4, little);
    for (let i = 0; i < data.getUint16(first, little); i++) {
      const entry = first + 2 + 12 * i;
      if (data.getUint16(entry, little) !== 0x0112) continue;
      const value = data.getUint16(entry + 8, little);
      return value >= 1 && value <= 8 ? value : 1;
    }
  } catch {
    // a block that is cut short turns nothing
  }
  return 1;
}

/** A TIFF block that says the orientation and nothing else. */
function tiffWith(orientation) {
  const tiff = new Uint8Array(26);
  const data = view(tiff);
  tiff.set([0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1]);
  data.setUint16(18, orientation);
  return tiff;
}

/** JPEG: keeps JFIF, colour (ICC, Adobe) and the coded picture; what follows the picture goes as well. */
function cleanJpeg(bytes) {
  const data = view(bytes);
  const kept = [bytes.subarray(0, 2)];
  let orientation = 1;
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda) {
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at += 1; // fill byte
      continue;
    }
    const end = at + 2 + data.getUint16(at + 2);
    if (end > bytes.length) return null;
    const segment = bytes.subarray(at, end);
    const said = ascii(segment, 4, 12);
    if (marker === 0xe1 && said.startsWith("Exif\0\0")) orientation = orientationOf(segment.subarray(10));
    const named = marker >= 0xe0 && marker <= 0xef;
    const wanted = marker === 0xe0 || marker === 0xee || (marker === 0xe2 && said.startsWith("ICC_PROFILE\0"));
    if (marker !== 0xfe && (!named || wanted)) kept.push(segment);
    at = end;
  }
  if (bytes[at] !== 0xff || bytes[at + 1] !== 0xda) return null;
  if (orientation > 1) {
    const tiff = tiffWith(orientation);
    const head = new Uint8Array([0xff, 0xe1, 0, 8 + tiff.length, 0x45, 0x78, 0x69, 0x66, 0, 0]); // "Exif"
    kept.splice(1, 0, join([head, tiff]));
  }
  kept.push(bytes.subarray(at, endOfJpeg(bytes, at)));
  return join(kept);
}

/** Where the coded picture that begins at its first scan ends; the file's end where it is cut short. */
function endOfJpeg(bytes, start) {
  for (let at = bytes.indexOf(0xff, start); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(0xff, at)) {
    const marker = bytes[at + 1];
    if (marker === 0xd9) return at + 2;
    const data = marker === 0 || marker === 0xff || (marker >= 0xd0 && marker <= 0xd7);
    at += marker === 0xff ? 1 : data || at + 4 > bytes.length ? 2 : 2 + view(bytes).getUint16(at + 2);
  }
  return bytes.length;
}

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

function pngChunk(type, body) {
  const chunk = new Uint8Array(body.length + 12);
  const data = view(chunk);
  data.setUint32(0, body.length);
  chunk.set([...type].map((c) => c.charCodeAt(0)), 4);
  chunk.set(body, 8);
  let crc = ~0;
  for (const byte of chunk.subarray(4, -4)) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8);
  data.setUint32(chunk.length - 4, ~crc);
  return chunk;
}

const PNG_WORDS = ["tEXt", "zTXt", "iTXt", "tIME", "eXIf"];

function cleanPng(bytes) {
  const data = view(bytes);
  const kept = [bytes.subarray(0, 8)];
  let at = 8;
  while (at + 12 <= bytes.length) {
    const end = at + 12 + data.getUint32(at);
    const type = ascii(bytes, at + 4, 4);
    if (end > bytes.length) break;
    const orientation = type === "eXIf" ? orientationOf(bytes.subarray(at + 8, end - 4)) : 1;
    if (orientation > 1) kept.push(pngChunk("eXIf", tiffWith(orientation)));
    else if (!PNG_WORDS.includes(type)) kept.push(bytes.subarray(at, end));
    at = end;
    if (type === "IEND") return join(kept);
  }
  return join([...kept, bytes.subarray(at)]); // cut short: the API says so
}

function cleanWebp(bytes) {
  const data = view(bytes);
  const kept = [bytes.slice(0, 12)];
  const size = Math.min(bytes.length, 8 + data.getUint32(4, true));
  let at = 12;
  let flags = null;
  while (at + 8 <= size) {
    const type = ascii(bytes, at, 4);
    const length = data.getUint32(at + 4, true);
    const end = at + 8 + length + (length & 1);
    if (end > bytes.length) return null;
    if (type === "VP8X") {
      flags = bytes.slice(at, end);
      flags[8] &= ~0x0c; // no EXIF, no XMP
      kept.push(flags);
    } else if (type === "EXIF") {
      const skip = ascii(bytes, at + 8, 4) === "Exif" ? 6 : 0;
      const orientation = orientationOf(bytes.subarray(at + 8 + skip, end));
      if (orientation > 1 && flags) {
        const tiff = tiffWith(orientation);
        flags[8] |= 0x08;
        kept.push(new Uint8Array([0x45, 0x58, 0x49, 0x46, tiff.length, 0, 0, 0]), tiff);
      }
    } else if (type !== "XMP ") {
      kept.push(bytes.subarray(at, end));
    }
    at = end;
  }
  const whole = join(kept);
  view(whole).setUint32(4, whole.length - 8, true);
  return whole;
}

/**
 * The bytes of an image file -> the same picture without place, date and camera; null where the format (HEIC, AVIF,
 * TIFF...) or a broken file does not allow it: it then goes as it is.
 */
export function withoutMetadata(bytes) {
  try {
    if (bytes[0] === 0xff && bytes[1] === 0xd8) return cleanJpeg(bytes);
    if (ascii(bytes, 0, 8) === "\x89PNG\r\n\x1a\n") return cleanPng(bytes);
    if (ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 4) === "WEBP") return cleanWebp(bytes);
  } catch {
    // a length that leads out of the file
  }
  return null;
}
