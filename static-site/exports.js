// The API's own picture and JSON: as files, on the clipboard, or shared. Loaded when the first one is asked for.
import { drawnPhoto, findPeople, send } from "./api.js";
import { asked } from "./ask.js";
import { scaleResult } from "./geometry.js";
import { Problem } from "./messages.js";
import { samplePhoto } from "./samples.js";

const stem = ({ name }) => name.replace(/\.[^.]*$/, "") || "photo";

function save(blob, shot, ending) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${stem(shot)}-pose.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function fetched(config, shot) {
  if (config.base === null) throw new Problem("unconfigured");
  shot.photo ??= await samplePhoto(shot.name, shot.result);
  return shot.photo;
}

/** The drawn photo as a PNG Blob, with the threshold and the box that are shown. Kept, so that a second use is quick. */
export async function drawnPng(config, shot, threshold) {
  const key = JSON.stringify([threshold, shot.answered]);
  if (shot.drawn?.key === key) return shot.drawn.blob;
  const photo = await fetched(config, shot);
  if (photo.blob.size > config.maxBytes && !(shot.png && threshold === null)) {
    throw new Problem("onlyOwn");
  }
  const blob = photo.blob.size > config.maxBytes
    ? (await send(shot.png, { timeoutMs: config.timeoutMs })).blob
    : await drawnPhoto(config, photo, "png", asked(shot, shot.answered, threshold));
  shot.drawn = { key, blob };
  return blob;
}

export async function savePng(config, shot, threshold) {
  save(await drawnPng(config, shot, threshold), shot, "png");
  return "Saved.";
}

/** The joints as JSON, in px of the user's photo; asked for again where the threshold was moved. */
export async function saveJson(config, shot, threshold) {
  let { result } = shot;
  if (threshold !== null) {
    const photo = await fetched(config, shot);
    if (photo.blob.size > config.maxBytes) throw new Problem("onlyOwn");
    result = await findPeople(config, photo, asked(shot, shot.answered, threshold));
    if (photo.sent === "smaller") result = scaleResult(result, photo.width, photo.height);
  }
  save(new Blob([JSON.stringify(result, null, 2)], { type: "application/json" }), shot, "json");
  return "Saved.";
}

export async function copyPng(config, shot, threshold) {
  const png = drawnPng(config, shot, threshold);
  png.catch(() => {}); // told by the await below
  try {
    // Safari wants the promise itself: after an await, the click that allowed it is forgotten.
    await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
  } catch {
    await png; // its own fault, where it had one
    throw new Problem("clipboard");
  }
  return "Copied.";
}

/** Hands the drawn picture to the system's share sheet. */
export async function sharePng(config, shot, threshold) {
  const blob = await drawnPng(config, shot, threshold);
  try {
    await navigator.share({ files: [new File([blob], `${stem(shot)}-pose.png`, { type: "image/png" })] });
  } catch (error) {
    if (error.name === "AbortError") return "";
    if (error.name === "NotAllowedError") return "The picture is ready now: press Share again.";
    throw new Problem("share");
  }
  return "Shared.";
}
