// The API's own PNG and JSON as files, and the command that gets them without this page.
import { drawnPhoto, findPeople } from "./api.js";
import { scaleResult } from "./geometry.js";

export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export const stem = (name) => name.replace(/\.[^.]*$/, "") || "photo";

/** The drawn photo as PNG, asked for with the threshold that is shown. */
export async function savePng(config, photo, threshold) {
  save(await drawnPhoto(config, photo, "png", { threshold }), `${stem(photo.name)}-pose.png`);
}

/** The joints as JSON, in px of the original photo; asked for again where the threshold was moved. */
export async function saveJson(config, photo, result, threshold) {
  const answer = threshold === null ? result : await findPeople(config, photo, { threshold });
  const whole = photo.width ? scaleResult(answer, photo.width, photo.height) : answer;
  save(new Blob([JSON.stringify(whole, null, 2)], { type: "application/json" }), `${stem(photo.name)}-pose.json`);
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
