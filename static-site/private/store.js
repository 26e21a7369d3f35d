// The files of private mode: fetched once, checked by sha256, kept in the browser's cache. Runs in the worker.

const CACHE = "hpe-private";
const KEEPS = 'private mode needs https (or this very machine): elsewhere browsers keep nothing safely';

async function unpacked(bytes) {
  // a server may have undone the gzip already
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function sha256(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function download(url, onBytes) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${new URL(url).pathname}: status ${answer.status}`);
  const reader = answer.body.getReader();
  const parts = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(parts).arrayBuffer());
    parts.push(value);
    onBytes(value.length);
  }
}

/** The address of a file of files.json: another content is another address. */
export const addressOf = (base, { url, sha256: hash }) => new URL(`${url}?sha256=${hash}`, base).href;

/** files: [{url, sha256, bytes}] -> their contents (Uint8Array), in order. onProgress(share of all bytes). */
export async function fetchFiles(base, files, onProgress = () => {}) {
  if (!globalThis.caches || !crypto.subtle) throw new Error(KEEPS);
  const cache = await caches.open(CACHE);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let had = 0;
  const one = async (file) => {
    const address = addressOf(base, file);
    const kept = await cache.match(address);
    if (kept) {
      onProgress((had += file.bytes) / total);
      return new Uint8Array(await kept.arrayBuffer());
    }
    const content = await unpacked(await download(address, (bytes) => onProgress(Math.min(1, (had += bytes) / total))));
    const hash = await sha256(content);
    if (hash !== file.sha256) throw new Error(`${file.url} is damaged: its sha256 is ${hash.slice(0, 12)}…, not ${file.sha256.slice(0, 12)}…`);
    await cache.put(address, new Response(content, { headers: { "Content-Type": file.type } })).catch(() => {}); // a full disk: fetched again next time
    return content;
  };
  const contents = await Promise.all(files.map(one));
  const wanted = new Set(files.map((file) => addressOf(base, file)));
  for (const { url } of await cache.keys()) if (!wanted.has(url)) await cache.delete(url); // of an earlier version
  return contents;
}
