// One photo at a time: in, sent, shown, saved.
import { drawnPhoto, findPeople, readConfig, send, withRetries } from "./api.js";
import { compare } from "./compare.js";
import { listen, pick } from "./intake.js";
import { Problem, explain, megabytes, waitingText } from "./messages.js";
import { preparePhoto } from "./photo.js";
import { $, announce, keepFocus, setView, showCard, showPhoto, showProblem, showWait } from "./stage.js";
import { askedThreshold, currentResult, forget, showResult, wireViewer } from "./viewer.js";

const config = readConfig(window.HPE_CONFIG);
let run = new AbortController();
let photo = null; // as preparePhoto gives it
let seen = false; // whether the picture shows it

/** Stops what runs, and forgets its result. */
function renew() {
  run.abort();
  run = new AbortController();
  forget();
  return run.signal;
}

async function start(files) {
  const signal = renew();
  photo = null;
  seen = false;
  if (config.base === null) return showProblem(new Problem("unconfigured"), false);
  wait("Opening the photo…");
  try {
    const ready = await preparePhoto(pick(files));
    if (signal.aborted) return;
    photo = ready;
    if (photo.width) see(photo.blob, photo);
  } catch (problem) {
    return signal.aborted || showProblem(problem, false);
  }
  await look(signal);
}

function see(blob, size) {
  showPhoto(blob, size);
  seen = true;
  setView("busy", seen);
}

function wait(text) {
  showWait(text);
  setView("busy", seen);
  announce(text);
  keepFocus($("cancel"));
}

/** Sends the photo and shows the answer. */
async function look(signal) {
  const started = performance.now();
  let clock = 0;
  const onSent = () => {
    const since = performance.now();
    const say = () => {
      const text = waitingText(performance.now() - since);
      showWait(text);
      announce(text);
    };
    clearInterval(clock);
    clock = setInterval(say, 500);
    say();
  };
  const { size } = photo.blob;
  const kept = size > config.maxBytes ? ", kept for a day at most" : "";
  const onProgress = (part) => showWait(`Sending ${megabytes(size)}${kept}…`, part);
  const onWait = (left, problem) => {
    clearInterval(clock);
    announce(`${explain(problem).title}. Trying again soon.`);
    showWait(`${explain(problem).title}. Trying again in ${left} s…`);
  };
  wait("Sending the photo…");
  try {
    const result = await ask({ signal, onSent, onProgress }, onWait);
    if (!seen) see(await copyOf(photo, signal), result.image);
    if (signal.aborted) return;
    const seconds = (performance.now() - started) / 1000;
    if (result.people.length) show(result, { photo, base: config.base || location.origin, seconds });
    else showNobody();
  } catch (problem) {
    if (!signal.aborted) showProblem(problem, seen);
  } finally {
    clearInterval(clock);
  }
}

async function ask(options, onWait) {
  const { size } = photo.blob;
  if (size <= config.maxBytes) {
    return withRetries(() => findPeople(config, photo, options), { signal: options.signal, onWait });
  }
  if (!config.uploads) throw new Problem("tooLarge", { size, limit: config.maxBytes });
  const { sendLarge } = await import("./uploads.js"); // rarely needed
  const { result, png } = await sendLarge(config, photo, options);
  photo.png = png;
  return result;
}

/** A photo this browser can't show (HEIC): the API's copy, with a threshold that draws nothing. */
async function copyOf({ png }, signal) {
  return png ? (await send(png, { signal })).blob : drawnPhoto(config, photo, "jpeg", { signal, threshold: 1 });
}

function show(result, facts) {
  setView("done", true);
  showResult(result, facts);
  keepFocus($("summary"));
}

function showNobody() {
  setView("nobody", true);
  showCard({
    title: "Nobody found",
    text: "It works best with one whole person, in good light, and large in the picture: a crop often helps.",
  });
  keepFocus($("problem-title"));
}

function cancel() {
  renew();
  setView("idle", false);
  announce("Cancelled");
  $("choose").focus({ preventScroll: true });
}

async function download(button, job) {
  const note = $("download-note");
  button.disabled = true;
  note.textContent = "Asking the API for it…";
  try {
    const files = await import("./downloads.js");
    await files[job](config, photo, askedThreshold(), currentResult());
    note.textContent = "Saved.";
  } catch (problem) {
    const { title, text } = explain(problem);
    note.textContent = `${title}. ${text}`;
  }
  button.disabled = false;
  keepFocus(button);
}

async function copyCurl() {
  try {
    await navigator.clipboard.writeText($("curl").textContent);
    $("download-note").textContent = "Copied.";
  } catch {
    $("curl-box").open = true;
    $("download-note").textContent = "This browser did not let it be copied: it is below.";
  }
}

function wire() {
  const openers = ["choose", "other", "another"].map((id) => [$(id), $("file")]);
  listen({ inputs: [$("file"), $("shot")], openers: [...openers, [$("camera"), $("shot")]], veil: $("veil"), onFiles: start });
  wireViewer();
  $("cancel").addEventListener("click", cancel);
  $("again").addEventListener("click", () => look(renew()));
  const line = compare({ range: $("compare"), divider: $("divider"), picture: $("picture"), layer: $("overlay") });
  $("show-compare").addEventListener("change", ({ target }) => {
    line.set(target.checked);
    $("compare-row").hidden = !target.checked;
  });
  $("get-png").addEventListener("click", ({ target }) => download(target, "savePng"));
  $("get-json").addEventListener("click", ({ target }) => download(target, "saveJson"));
  $("copy-curl").addEventListener("click", copyCurl);
  $("boot").remove();
  if (config.base === null) showProblem(new Problem("unconfigured"), false);
  else send(`${config.base}/health`).catch(() => {}); // wakes the service while a photo is being chosen
}

wire();
