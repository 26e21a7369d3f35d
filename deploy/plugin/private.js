// The files of the website's private mode: onnxruntime-web and the model, beside the page. The twin of
// hpe/server/private.py, with everything gzipped: CloudFront compresses nothing over 10 MB.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const RUNTIME = { runtime: 'ort.wasm.bundle.min.mjs', wasm: 'ort-wasm-simd-threaded.wasm' };
const sha256Of = (body) => createHash('sha256').update(body).digest('hex');

/** role -> [name under private/, its media type, content]; the runtime is a script, which a page imports as it is. */
async function contents(root, modelFile) {
  const dist = path.join(root, 'node_modules', 'onnxruntime-web', 'dist');
  const folder = path.dirname(modelFile);
  const card = JSON.parse(await readFile(modelFile));
  if (!card.locate || !card.pose) throw new Error('this model has no locator, which private mode needs');
  const of = (file) => readFile(path.join(folder, path.basename(file)));
  return [card, {
    runtime: ['runtime.mjs', 'text/javascript', await readFile(path.join(dist, RUNTIME.runtime))],
    wasm: ['runtime.wasm.gz', 'application/wasm', await readFile(path.join(dist, RUNTIME.wasm))],
    locate: ['locate.onnx.gz', 'application/octet-stream', await of(card.locate.file)],
    pose: ['pose.onnx.gz', 'application/octet-stream', await of(card.pose.file)],
  }];
}

/** name -> Buffer of everything under private/, files.json included; `site`: the names of the page's own files. */
export async function privateFiles(root, modelFile, site) {
  const files = new Map();
  let listed;
  try {
    const [card, roles] = await contents(root, modelFile);
    listed = { files: [], card };
    for (const [role, [name, type, content]] of Object.entries(roles)) {
      const body = name.endsWith('.gz') ? await promisify(gzip)(content) : content;
      files.set(`private/${name}`, body);
      listed.files.push({ role, url: `private/${name}`, type, bytes: body.length, sha256: sha256Of(content) });
    }
  } catch (error) {
    const missing = error.code === 'ENOENT' ? `this site was built without ${path.basename(error.path ?? '')}: run npm ci, then build it again` : error.message;
    files.clear();
    listed = { missing };
  }
  files.set('private/files.json', Buffer.from(JSON.stringify({ ...listed, site })));
  return files;
}
