// Private mode: whether photos are processed on this device or by the API. Off where this copy of the site lacks the
// files for it; on by default where no API answers.
import { send } from "./api.js";
import { Problem } from "./messages.js";
import { createEngine, listFiles } from "./private/engine.js";
import { ownScript } from "./trusted.js";

const KEY = "hpe-private";

function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // a browser that forbids storage
  }
}

function remember(on) {
  try {
    localStorage.setItem(KEY, on ? "on" : "off");
  } catch {
    // then it is decided again next time
  }
}

/** Why this browser can't, in words; "" where it can. */
function lacking() {
  if (!isSecureContext || !globalThis.caches) return "it needs https, or this very machine";
  return globalThis.WebAssembly && globalThis.OffscreenCanvas && globalThis.DecompressionStream ? "" : "this browser is too old for it";
}

/** Keeps the page and its files, so that it works offline. */
function keepOffline() {
  navigator.serviceWorker?.register(ownScript("sw.js")).catch(() => {}); // the page works without
}

/**
 * onChange(): the choice, or what is known, changed. Returns {ready, on(), available(), why(), api(), set(on), engine()}.
 * ready: a promise of when it is decided. api(): whether the API answered, null until that is known.
 */
export function createMode(config, onChange) {
  const state = { on: config.base === null, available: false, why: "", api: config.base === null ? false : null, engine: null };

  async function askApi() {
    if (config.base === null) return;
    state.api = await send(`${config.base}/health`, { timeoutMs: config.timeoutMs }).then(() => true, () => false); // wakes it, too
  }

  async function decide() {
    const answered = askApi();
    const listed = await listFiles();
    state.why = lacking() || listed.missing || "";
    state.available = !state.why;
    if (state.available) state.engine = createEngine(listed);
    const wish = remembered();
    state.on = state.available && (wish === "on" || config.base === null);
    onChange();
    if (!state.available || wish) return;
    await answered;
    if (state.api === false) state.on = true;
    onChange();
  }

  return {
    ready: decide(),
    on: () => state.on,
    available: () => state.available,
    why: () => state.why,
    api: () => state.api,
    set(on) {
      state.on = on && state.available;
      remember(state.on);
      onChange();
    },
    /** The engine, its files fetched. onProgress(share). */
    async engine(onProgress) {
      if (!state.engine) throw new Problem("private", { detail: state.why });
      const opened = await state.engine.open(onProgress);
      keepOffline();
      return { ...state.engine, opened };
    },
    megabytes: () => state.engine?.megabytes() ?? 0,
  };
}
