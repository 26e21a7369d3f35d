// Private mode as the page knows it: photos in, answers in the API's own form out, and nothing leaves the device.
import { Problem } from "../messages.js";
import { ownScript } from "../trusted.js";

export const ANALYSED_SIDE = 1600; // px, as the API's own

/** What the site was given: {files, card}, or {missing: why}. Never rejects. */
export async function listFiles() {
  try {
    // asked for again each time: a browser may take a plain host's copy for fresh, and miss that the model changed
    const answer = await fetch("private/files.json", { cache: "no-store" });
    if (answer.ok) return await answer.json();
  } catch {
    // told below, as where a plain host has no such file
  }
  return { missing: "this copy of the site came without the files for it" };
}

/** A picture in a size that the networks gain from: an ImageBitmap of at most `side`. quality: of its shrinking, as canvases know it. */
export function analysedBitmap(picture, width, height, side = ANALYSED_SIDE, quality = "high") {
  const scale = Math.min(1, side / Math.max(width, height));
  if (scale === 1) return createImageBitmap(picture);
  return createImageBitmap(picture, {
    resizeWidth: Math.max(1, Math.round(width * scale)), resizeHeight: Math.max(1, Math.round(height * scale)), resizeQuality: quality,
  });
}

/** listed: of listFiles. Returns {open(onProgress), find(bitmap, asked, signal), ...}: the worker starts with the first use. */
export function createEngine(listed) {
  const waiting = new Map();
  let worker = null;
  let ids = 0;
  let opened = null;
  let tell = () => {};

  function hear({ data: { id, done, failed, progress } }) {
    if (progress !== undefined) return tell(progress);
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (failed === undefined) resolve(done);
    else reject(new Problem("private", { detail: failed }));
  }

  function fall() { // the worker itself died: nothing that waits is answered any more
    for (const { reject } of waiting.values()) reject(new Problem("private", { detail: "the browser ended it" }));
    waiting.clear();
    worker?.terminate();
    worker = opened = null;
  }

  function call(job, asked = {}, transfer = []) {
    if (!worker) {
      worker = new Worker(ownScript("private/worker.js"), { type: "module" });
      worker.addEventListener("message", hear);
      worker.addEventListener("error", fall);
    }
    return new Promise((resolve, reject) => {
      waiting.set(++ids, { resolve, reject });
      worker.postMessage({ id: ids, job, ...asked }, transfer);
    });
  }

  function open(onProgress = () => {}) {
    tell = onProgress;
    opened ??= call("open", { base: document.baseURI, files: listed }).catch((problem) => {
      fall();
      throw problem;
    });
    return opened;
  }

  return {
    open,
    megabytes: () => listed.files.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6,
    async find(bitmap, asked = {}) {
      await open(tell);
      return call("find", { bitmap, ...asked }, [bitmap]);
    },
    /** A frame of a clip or a camera; frames come one at a time. */
    track: (bitmap, asked) => call("track", { bitmap, ...asked }, [bitmap]),
  };
}
