// Runs the browser's engine in Node on raw pictures: `node private_run.mjs FOLDER MANIFEST` reads FOLDER/list.json, a list of
// {name, width, height} with NAME.rgba beside it, and prints the answers and the ms of each as JSON.
import { readFile } from "node:fs/promises";
import path from "node:path";
import * as ort from "onnxruntime-web/wasm";
import { answerOf } from "../../static-site/private/answer.js";
import { readCard } from "../../static-site/private/card.js";
import { createEstimator } from "../../static-site/private/estimator.js";

const folder = process.argv[2];
const bundle = process.argv[3];
const manifest = JSON.parse(await readFile(bundle));
const card = readCard(manifest);
ort.env.wasm.numThreads = 1;

async function network(file) {
  const session = await ort.InferenceSession.create(await readFile(path.join(path.dirname(bundle), file)));
  return async (bytes, [height, width]) => {
    const maps = Object.values(await session.run({ [session.inputNames[0]]: new ort.Tensor("uint8", bytes, [1, height, width, 3]) }))[0];
    return { data: maps.data, height: maps.dims[2], width: maps.dims[3] };
  };
}

const estimator = createEstimator(card, { locate: await network(manifest.locate.file), pose: await network(manifest.pose.file) });
const answers = {};
for (const { name, width, height } of JSON.parse(await readFile(path.join(folder, "list.json")))) {
  const data = new Uint8ClampedArray(await readFile(path.join(folder, `${name}.rgba`)));
  const since = performance.now();
  const found = await estimator.find({ data, width, height });
  answers[name] = { ms: performance.now() - since, ...answerOf(found, { width, height }, { width, height }, card, card.pose.threshold, {}) };
}
process.stdout.write(JSON.stringify(answers));
