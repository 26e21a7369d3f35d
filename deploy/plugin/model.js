// The model file and its manifest -> where they live in the model bucket.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** What is wrong with what the deployer gave, in one line that says what to do. */
export class DeployError extends Error {}

async function read(file, remedy) {
  try {
    return await readFile(file);
  } catch (error) {
    throw new DeployError(`${file} cannot be read (${error.code}): ${remedy}`);
  }
}

/**
 * Read the model at `file` (.onnx) and its manifest (.json beside it), and check one against the other.
 * Gives {key, manifestKey, sha256, body, manifest}: the keys carry the hash, so a new model is a new key and a
 * rollback of the stack finds the old one.
 */
export async function readModel(file) {
  const manifestFile = path.join(path.dirname(file), `${path.basename(file, '.onnx')}.json`);
  if (path.extname(file) !== '.onnx') throw new DeployError(`model ${file} is not an .onnx file: give one with --param=model=PATH`);
  const body = await read(file, 'give the model with --param=model=PATH, or make one with `hpe export` and `hpe quantize`');
  const manifest = await read(manifestFile, 'a model needs its manifest beside it, as `hpe quantize` writes it');
  let card;
  try {
    card = JSON.parse(manifest);
  } catch (error) {
    throw new DeployError(`${manifestFile} is not JSON (${error.message}): write it anew with \`hpe quantize\``);
  }
  const sha256 = createHash('sha256').update(body).digest('hex');
  if (card.sha256 !== sha256) {
    throw new DeployError(
      `${file} does not match its manifest: its sha256 is ${sha256.slice(0, 12)}..., ${manifestFile} says ` +
        `${String(card.sha256).slice(0, 12)}...: restore the file or write the manifest anew`,
    );
  }
  const stem = `models/pose-${sha256.slice(0, 16)}`;
  return { key: `${stem}.onnx`, manifestKey: `${stem}.json`, sha256, body, manifest };
}
