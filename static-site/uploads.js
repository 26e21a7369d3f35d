// Photos over the direct limit: POST /uploads for a place to put it, form-POST it there, then ask for the result.
import { parseResult, retryAfter, send } from "./api.js";
import { Problem } from "./messages.js";

const POLL_S = 1.5;

/** The answer of POST /uploads, with its fields and the file, as a form: the file comes last, as S3 wants. */
export function uploadForm(ticket, blob) {
  const form = new FormData();
  for (const [key, value] of Object.entries(ticket.fields ?? {})) form.append(key, value);
  form.append("file", blob);
  return form;
}

async function json(url, options) {
  const answer = await send(url, { accept: "application/json", ...options });
  try {
    return { ...answer, body: JSON.parse(await answer.blob.text()) };
  } catch {
    if (answer.status === 202) return { ...answer, body: {} };
    throw new Problem("badAnswer");
  }
}

function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new Problem("cancelled"));
    }, { once: true });
  });
}

/**
 * Sends a large photo, which is then stored for a while. Resolves with {result, png}: the JSON result, and the address of the drawn PNG.
 * options: signal, onProgress, onSent, and giveUpS, after which waiting ends as a timeout.
 */
export async function sendLarge(config, photo, { signal, onProgress, onSent, giveUpS = 120 } = {}) {
  const { timeoutMs } = config;
  const { body: ticket } = await json(`${config.base}/uploads`, {
    method: "POST", withKey: true, type: "application/json", signal, timeoutMs,
    body: JSON.stringify({ content_type: photo.type, size: photo.blob.size }),
  });
  if (!ticket.url || !ticket.result) throw new Problem("badAnswer");
  await send(ticket.url, { method: "POST", body: uploadForm(ticket, photo.blob), signal, onProgress, onSent, timeoutMs });
  const until = Date.now() + giveUpS * 1000;
  while (Date.now() < until) {
    const { status, body, headers } = await json(config.base + ticket.result, { signal, timeoutMs });
    if (status !== 202) {
      const { blob } = await send(new URL(body.json, config.base || location.href).href, { signal, timeoutMs });
      return { result: parseResult(await blob.text()), png: body.png };
    }
    await sleep(retryAfter(headers("Retry-After")) ?? POLL_S, signal);
  }
  throw new Problem("timeout");
}
