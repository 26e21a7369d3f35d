// The worker of private mode: both networks in onnxruntime-web, on one thread, away from the page.
import { answerOf } from "./answer.js";
import { readCard } from "./card.js";
import { createEstimator } from "./estimator.js";
import { addressOf, fetchFiles } from "./store.js";
import { createTracker } from "./track.js";

let card;
let estimator;

/** A session as the estimator knows it: RGB bytes of a frame [height, width] -> its maps. */
function network(ort, session) {
  const [input] = session.inputNames;
  const [output] = session.outputNames;
  return async (bytes, [height, width]) => {
    const fed = new ort.Tensor("uint8", bytes, [1, height, width, 3]);
    const maps = (await session.run({ [input]: fed }))[output];
    const [, , rows, columns] = maps.dims;
    return { data: maps.data, height: rows, width: columns };
  };
}

async function open({ base, files: listed }) {
  const since = performance.now();
  const files = ["runtime", "wasm", "locate", "pose"].map((role) => listed.files.find((file) => file.role === role));
  const [, wasm, locate, pose] = await fetchFiles(base, files, (share) => postMessage({ progress: share }));
  const fetched = performance.now();
  const ort = await import(addressOf(base, files[0]));
  Object.assign(ort.env.wasm, { numThreads: 1, proxy: false, wasmBinary: wasm.buffer });
  const options = { executionProviders: ["wasm"] };
  // one after the other: the runtime starts with the first
  const networks = {};
  for (const [role, bytes] of [["locate", locate], ["pose", pose]]) networks[role] = network(ort, await ort.InferenceSession.create(bytes, options));
  card = readCard(listed.card);
  estimator = createEstimator(card, networks);
  return { fetchMs: fetched - since, startMs: performance.now() - fetched, threshold: card.pose.threshold };
}

let canvas;

/** An ImageBitmap or VideoFrame -> {data: RGBA, width, height}, on white where it is transparent. */
function pixelsOf(bitmap) {
  const [width, height] = [bitmap.displayWidth ?? bitmap.width, bitmap.displayHeight ?? bitmap.height];
  if (canvas?.width !== width || canvas.height !== height) canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}

async function find({ bitmap, photo, box = null, threshold = null, people }) {
  const start = performance.now();
  const image = pixelsOf(bitmap);
  const decoded = performance.now();
  const scaled = box && box.map((v, i) => (v + 0.5) * (i % 2 ? image.height / photo.height : image.width / photo.width) - 0.5);
  const found = scaled ? [await estimator.inBox(image, scaled)] : await estimator.find(image, { people });
  const round = (ms) => Math.round(ms * 10) / 10;
  const timings = { decode: round(decoded - start), infer: round(performance.now() - decoded) };
  return answerOf(found, image, photo, card, threshold ?? card.pose.threshold, timings);
}

let tracker;

/** One frame of a clip or camera: time s; fresh: of another one than before. Numbers are px of `photo`. */
async function track({ bitmap, photo, time, fresh = false, options }) {
  if (fresh || !tracker) tracker = createTracker(estimator, options);
  const start = performance.now();
  const image = pixelsOf(bitmap);
  const { people, located } = await tracker(image, time);
  const answer = answerOf(people, image, photo, card, card.pose.threshold, { infer: performance.now() - start });
  return { ...answer, time, located, people: answer.people.map((person, i) => ({ ...person, id: people[i].id })) };
}

const JOBS = { open, find, track };

addEventListener("message", async ({ data: { id, job, ...asked } }) => {
  try {
    postMessage({ id, done: await JOBS[job](asked) });
  } catch (error) {
    postMessage({ id, failed: error.message });
  }
});
