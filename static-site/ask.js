// One photo's way through the service: opened, sent, waited for, answered.
import { drawnPhoto, findPeople, send, withRetries } from "./api.js";
import { scaleResult, sizeOf } from "./geometry.js";
import { Problem, explain, fetching, megabytes, waitingText } from "./messages.js";
import { openPhoto, preparePhoto, thumbnail } from "./photo.js";
import { analysedBitmap } from "./private/engine.js";
import { samplePhoto } from "./samples.js";

/** What the API is asked for a shot: its box in px of the file that is sent. */
export const asked = ({ photo }, { box = null } = {}, threshold = null) =>
  ({ threshold, box: box && box.map((v) => v * (photo?.scale ?? 1)) });

/** Makes the worker of createShots. mode: see mode.js. tell(shot): its wait, its photo or its picture changed. */
export const worker = (config, mode, tell) => async (shot, signal) => {
  const say = (text, part = null) => {
    shot.wait = { text, part };
    tell(shot);
  };
  if (config.base === null) await mode.ready;
  const here = mode.on();
  if (config.base === null && !here) throw new Problem("unconfigured", { why: mode.why() });
  if (!shot.photo || shot.photo.here !== here) {
    say("Opening the photo…");
    const limit = here ? Infinity : config.maxBytes;
    const photo = shot.sample ? await samplePhoto(shot.name, shot.result) : await (here ? openPhoto : preparePhoto)(shot.file, limit);
    if (signal.aborted) return;
    shot.photo = { ...photo, here };
    if (!shot.sample && photo.width && !shot.url) Object.assign(shot, { url: URL.createObjectURL(shot.file), thumb: photo.thumb });
  }
  const { photo, ask } = shot;
  const started = performance.now();
  const { result, png = null } = here ? { result: await foundHere(mode, shot, say) } : await answerOf(config, photo, asked(shot, ask), { signal, say });
  const seconds = (performance.now() - started) / 1000;
  if (!here && (!shot.url || turnedOtherwise(photo, result))) await showAsTheApiReads(config, shot, png, signal);
  if (signal.aborted) return;
  if (shot.result && !shot.answered.box) shot.whole = { result: shot.result, answered: shot.answered, seconds: shot.seconds };
  const own = photo.sent === "smaller" ? scaleResult(result, photo.width, photo.height) : result;
  const how = { here, sent: photo.sent, clean: photo.clean, bytes: photo.blob.size };
  Object.assign(shot, { result: own, answered: ask, seconds, how, png });
};

/** The answer of this device: nothing is sent. */
async function foundHere(mode, { photo, ask }, say) {
  say("Starting private mode…");
  const engine = await mode.engine((share) => say(...fetching(share, mode.megabytes())));
  say("Looking for people, on this device…");
  const { width, height } = photo;
  const bitmap = await analysedBitmap(photo.blob, width, height);
  return engine.find(bitmap, { photo: { width, height }, box: ask.box ?? null });
}

async function answerOf(config, photo, ask, { signal, say }) {
  let clock = 0;
  const onSent = () => {
    const since = performance.now();
    const tick = () => say(waitingText(performance.now() - since));
    clearInterval(clock);
    clock = setInterval(tick, 500);
    tick();
  };
  const onWait = (left, problem) => {
    clearInterval(clock);
    say(`${explain(problem).title}. Trying again in ${left} s…`);
  };
  const { size } = photo.blob;
  const onProgress = (part) => say(`Sending ${megabytes(size)}…`, part);
  say("Sending the photo…");
  try {
    if (size <= config.maxBytes) {
      const attempt = () => findPeople(config, photo, ask, { signal, onSent, onProgress });
      return { result: await withRetries(attempt, { signal, onWait }) };
    }
    if (ask.box) throw new Problem("onlyOwn");
    if (!config.uploads) throw new Problem("tooLarge", { size, limit: config.maxBytes });
    const { sendLarge } = await import("./uploads.js"); // rarely needed
    return await sendLarge(config, photo, { signal, onSent, onProgress });
  } finally {
    clearInterval(clock);
  }
}

/** Whether the API and this browser turn the photo differently: the skeleton would lie beside it. */
function turnedOtherwise(photo, result) {
  const { width, height } = sizeOf(result);
  return photo.sent === "as it is" && photo.width > 0 && (photo.width !== width || photo.height !== height);
}

/** A photo this browser can't show (HEIC): the API's copy, with a threshold that draws nothing. */
async function showAsTheApiReads(config, shot, png, signal) {
  const blob = png ? (await send(png, { signal })).blob : await drawnPhoto(config, shot.photo, "jpeg", { threshold: 1 }, { signal });
  const thumb = await thumbnail(blob);
  if (!signal.aborted) Object.assign(shot, { url: URL.createObjectURL(blob), thumb });
}
