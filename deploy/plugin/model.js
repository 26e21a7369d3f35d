// A model (one network or two, with their manifest) -> where it lives in the model bucket.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** What is wrong with what the deployer gave, in one line that says what to do. */
export class DeployError extends Error {}

// What `--param=model=deployed` means while there is no stack.
export const FIRST_MODEL = 'models/pose.json';

const sha256Of = (body) => createHash('sha256').update(body).digest('hex');

async function read(file, remedy) {
  try {
    return await readFile(file);
  } catch (error) {
    throw new DeployError(`${file} cannot be read (${error.code}): ${remedy}`);
  }
}

/** The networks that a manifest names: `locate` and `pose` of schema 2, or the one network of schema 1. */
function networks(card, manifestFile) {
  const found = [card.locate, card.pose ?? (card.file ? card : undefined)].filter(Boolean);
  if (!found.length) throw new DeployError(`${manifestFile} names no network: write it again with \`hpe quantize\``);
  return found;
}

/**
 * Read a manifest (.json, or the .onnx beside it) and every network that it names, and check each against its sha256.
 * Gives {key, prefix, files, name}: all files lie under one prefix that carries the manifest's hash, so another model
 * is another prefix and a rollback of the stack finds the old one. `files` are [key, body, type], the manifest last:
 * where it is, the model is whole. `key` is what HPE_MODEL names: the manifest.
 */
export async function readModel(file) {
  if (!['.json', '.onnx'].includes(path.extname(file))) {
    throw new DeployError(`model ${file} is neither a manifest (.json) nor an .onnx file: give one with --param=model=PATH`);
  }
  const stem = path.basename(file, path.extname(file));
  const manifestFile = path.join(path.dirname(file), `${stem}.json`);
  const manifest = await read(manifestFile, 'give the model with --param=model=PATH, or make one with `hpe export`');
  let card;
  try {
    card = JSON.parse(manifest);
  } catch (error) {
    throw new DeployError(`${manifestFile} is not JSON (${error.message}): write it again with \`hpe quantize\``);
  }
  const prefix = `models/${sha256Of(manifest).slice(0, 16)}/`;
  const files = [];
  for (const network of networks(card, manifestFile)) {
    const place = path.join(path.dirname(file), path.basename(network.file));
    const body = await read(place, `${manifestFile} names it: restore it, or write both again with \`hpe quantize\``);
    const sha256 = sha256Of(body);
    if (network.sha256 !== sha256) {
      throw new DeployError(
        `${place} does not match its manifest: its sha256 is ${sha256.slice(0, 12)}..., ${manifestFile} says ` +
          `${String(network.sha256).slice(0, 12)}...: restore the file or write the manifest again`,
      );
    }
    files.push([`${prefix}${network.file}`, body, 'application/octet-stream']);
  }
  files.push([`${prefix}${stem}.json`, manifest, 'application/json']);
  return { key: `${prefix}${stem}.json`, prefix, files, name: `${card.name} (${(card.pose ?? card).sha256.slice(0, 12)})` };
}

/** The template with one model's key and prefix replaced by another's. */
export function withModel(template, from, to) {
  return JSON.parse(JSON.stringify(template).replaceAll(from.key, to.key).replaceAll(from.prefix, to.prefix));
}

/** "models/HASH/pose.json" -> what `withModel` takes. */
export const placeOf = (key) => ({ key, prefix: key.slice(0, key.lastIndexOf('/') + 1) });
