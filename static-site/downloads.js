// The API's own PNG and JSON as files. Loaded when the first one is asked for.
import { drawnPhoto, findPeople } from "./api.js";

function save(blob, photo, ending) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${photo.name.replace(/\.[^.]*$/, "") || "photo"}-pose.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The drawn photo as PNG, asked for with the threshold that is shown. */
export async function savePng(config, photo, threshold) {
  save(await drawnPhoto(config, photo, "png", { threshold }), photo, "png");
}

/** The joints as JSON, in px of the original photo; asked for again where the threshold was moved. */
export async function saveJson(config, photo, threshold, result) {
  const answer = threshold === null ? result : await findPeople(config, photo, { threshold });
  const whole = photo.width ? scaleResult(answer, photo.width, photo.height) : answer;
  save(new Blob([JSON.stringify(whole, null, 2)], { type: "application/json" }), photo, "json");
}

/** The same result in px of a picture of another size; pixel centres at integers, as in the API. */
export function scaleResult(result, width, height) {
  const fx = width / result.image.width;
  const fy = height / result.image.height;
  const move = (v, f) => Math.round(((v + 0.5) * f - 0.5) * 100) / 100;
  return {
    ...result,
    image: { ...result.image, width, height },
    people: result.people.map((p) => ({
      ...p,
      box: p.box.map((v, i) => move(v, i % 2 ? fy : fx)),
      keypoints: p.keypoints.map((k) => ({ ...k, x: move(k.x, fx), y: move(k.y, fy) })),
    })),
  };
}
