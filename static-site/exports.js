// What is shown, taken away: as a picture or as numbers, made here and now. Loaded when the first one is asked for.
import { atThreshold, coco, csv, json, openpose } from "./formats.js";
import { Problem } from "./messages.js";
import { controlnetCanvas, drawnCanvas, drawnSvg, encoded } from "./render.js";

const stem = ({ name }) => name.replace(/\.[^.]*$/, "") || "photo";

const text = (written, type) => new Blob([written], { type });
const picture = async ({ shot, looks }, format) => encoded(await drawnCanvas(shot.url, shot.result, looks), format);
const numbers = ({ shot, looks }) => atThreshold(shot.result, looks.threshold);

// format -> [the file name's ending, how it is made]
const MAKERS = {
  png: ["pose.png", (asked) => picture(asked, "png")],
  webp: ["pose.webp", (asked) => picture(asked, "webp")],
  svg: ["pose.svg", ({ shot, looks }) => drawnSvg(shot.url, shot.result, looks)],
  json: ["pose.json", (asked) => text(json(numbers(asked)), "application/json")],
  coco: ["coco.json", (asked) => text(coco(numbers(asked)), "application/json")],
  csv: ["pose.csv", (asked) => text(csv(numbers(asked)), "text/csv")],
  openpose: ["openpose.json", (asked) => text(openpose(numbers(asked)), "application/json")],
  controlnet: ["controlnet.png", ({ shot, looks }) => encoded(controlnetCanvas(shot.result, looks.threshold), "png")],
};

export function saveBlob(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** asked: {shot, looks}, see viewer.js. Gives what to say. */
export async function save(asked, format) {
  const [ending, make] = MAKERS[format];
  const blob = await make(asked);
  const name = `${stem(asked.shot)}-${ending}`;
  saveBlob(blob, name);
  return `Saved as ${name}.`;
}

export async function copy(asked) {
  const png = picture(asked, "png");
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
export async function share(asked) {
  const blob = await picture(asked, "png");
  try {
    await navigator.share({ files: [new File([blob], `${stem(asked.shot)}-pose.png`, { type: "image/png" })] });
  } catch (error) {
    if (error.name === "AbortError") return "";
    if (error.name === "NotAllowedError") return "The picture is ready now: press Share again.";
    throw new Problem("share");
  }
  return "Shared.";
}
