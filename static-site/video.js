// A clip, on this device or through the API: its frames are processed one after the other, then it plays with skeletons over
// it, nothing encoded again. Tracks and the drawn clip can be saved.
import { readConfig } from "./api.js";
import { listen } from "./intake.js";
import { fetching, megabytes, told } from "./messages.js";
import { createMode } from "./mode.js";
import { paintFrame } from "./paint.js";
import { analysedBitmap } from "./private/engine.js";
import { $, announce } from "./stage.js";
import { drawTimeline } from "./timeline.js";
import { frameAt, tracksCsv, tracksJsonl } from "./tracks.js";

const SIDE = 640; // px: what is analysed of a frame
const RATE = 15; // frames a second that are processed: between them people move little
const MOST_S = 10 * 60;
const config = readConfig(window.HPE_CONFIG);
const mode = createMode(config, () => {});
const offered = config.base !== null && config.uploads; // whether the API takes clips
const state = { run: 0, frames: [], name: "", url: "", stop: new AbortController(), forget: () => {} };
const clip = $("clip");

const say = (text) => ($("video-note").textContent = text);
const seconds = (s) => (s < 90 ? `${s.toFixed(0)} s` : `${(s / 60).toFixed(1)} min`);

const heard = (event) => new Promise((resolve, reject) => {
  clip.addEventListener(event, resolve, { once: true });
  clip.addEventListener("error", () => reject(Object.assign(new Error(), { kind: "notVideo" })), { once: true });
});

async function seekTo(time) {
  if (Math.abs(clip.currentTime - time) < 1e-4 && clip.readyState >= 2) return;
  const there = heard("seeked");
  clip.currentTime = time;
  await there;
}

function paint() {
  const canvas = $("clip-canvas");
  const [width, height] = [clip.videoWidth, clip.videoHeight];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, width, height);
  paintFrame(context, frameAt(state.frames, clip.currentTime), { byPerson: $("video-colours").checked, numbers: true });
  $("video-time").textContent = `${clip.currentTime.toFixed(1)} s`;
  if (document.activeElement !== $("seek")) $("seek").value = clip.currentTime;
}

function showFound() {
  const length = Number.isFinite(clip.duration) ? clip.duration : state.frames.at(-1).time;
  const people = drawTimeline($("timeline"), state.frames, length);
  $("video-found").replaceChildren(Object.assign(document.createElement("b"), { textContent: people === 1 ? "1 person found" : `${people} people found` }));
  announce($("video-found").textContent);
}

/** Every frame at RATE through the engine, told with what is left. */
async function analyse(engine, run) {
  const count = Math.max(1, Math.floor(clip.duration * RATE));
  const photo = { width: clip.videoWidth, height: clip.videoHeight };
  const since = performance.now();
  for (let i = 0; i < count; i++) {
    const time = Math.min(i / RATE, Math.max(0, clip.duration - 1e-3));
    await seekTo(time);
    const bitmap = await analysedBitmap(clip, photo.width, photo.height, SIDE);
    const frame = await engine.track(bitmap, { photo, time, fresh: i === 0, options: { every: 5 } });
    if (run !== state.run) return false;
    state.frames.push({ ...frame, frame: i });
    paint();
    $("video-progress").value = (i + 1) / count;
    const each = (performance.now() - since) / (i + 1) / 1000;
    say(`${i + 1} of ${count} frames, ${(1 / each).toFixed(1)} a second: ${seconds(each * (count - i - 1))} left.`);
  }
  return true;
}

/** The clip into the player; false where this browser can't play it. */
async function load(file) {
  URL.revokeObjectURL(state.url);
  state.url = URL.createObjectURL(file);
  const loaded = heard("loadeddata");
  clip.src = state.url;
  const plays = await loaded.then(() => clip.videoWidth > 0 && Number.isFinite(clip.duration), () => false);
  $("video-frame").hidden = !plays;
  $("choose").textContent = plays ? "New video" : "Choose a video";
  if (plays) $("video-frame").style.setProperty("--ratio", clip.videoWidth / clip.videoHeight);
  return plays;
}

async function here(run, plays) {
  if (!plays) throw Object.assign(new Error(), { kind: "notVideo" });
  if (clip.duration > MOST_S) throw Object.assign(new Error(), { kind: "tooLong" });
  say("Starting private mode…");
  const tell = teller(run);
  const engine = await mode.engine((share) => tell(...fetching(share, mode.megabytes())));
  if (run === state.run && (await analyse(engine, run))) finish("Done. Nothing left this device.");
}

const teller = (run) => (text, share) => {
  if (run !== state.run) return;
  say(text);
  if (share === null) $("video-progress").removeAttribute("value");
  else $("video-progress").value = share;
};

async function inCloud(file, run, plays) {
  const { followedThere, keepClip } = await import("./cloud.js");
  state.forget = () => keepClip(null);
  const size = { width: clip.videoWidth, height: clip.videoHeight };
  const frames = await followedThere(config, file, { seconds: plays ? clip.duration : 0, size, signal: state.stop.signal, tell: teller(run) });
  if (run !== state.run) return;
  state.frames = frames;
  finish(plays || !frames.length ? "Done, in your cloud." : "Done, in your cloud. This browser can’t play the clip: save its tracks.");
}

/** What is there goes, what `name` is begins. Returns its number. */
function startOver(name) {
  state.stop.abort();
  Object.assign(state, { frames: [], name: name.replace(/\.[^.]*$/, "") || "clip", stop: new AbortController() });
  $("player").hidden = true;
  $("cancel").hidden = false;
  $("video-progress").hidden = false;
  $("video-found").textContent = "";
  $("where").disabled = true;
  return (state.run += 1);
}

/** A clip that was sent before this page was loaded anew is waited for again. */
async function resume() {
  const { keepClip, keptClip, tracksOf } = await import("./cloud.js");
  state.forget = () => keepClip(null);
  const kept = keptClip(config);
  if (!kept) return;
  $("in-cloud").checked = true;
  await sayWhere();
  const run = startOver(kept.name);
  const tell = teller(run);
  try {
    const frames = await tracksOf(config, kept, { signal: state.stop.signal, tell: (text, share) => tell(`“${kept.name}”: ${text}`, share) });
    if (run !== state.run) return;
    state.frames = frames;
    finish(frames.length ? `Done, in your cloud. Choose “${kept.name}” again to watch it with its people, or save its tracks.` : `Done, in your cloud: nobody was found in “${kept.name}”.`);
  } catch (error) {
    if (run === state.run) fail(error, {});
  }
}

async function open(file) {
  const run = startOver(file.name);
  $("video-empty").hidden = true;
  try {
    const plays = await load(file);
    if (run !== state.run) return;
    await ($("in-cloud").checked ? inCloud(file, run, plays) : here(run, plays));
  } catch (error) {
    if (run === state.run) fail(error, file);
  }
}

function finish(text) {
  say(text);
  $("where").disabled = false;
  $("cancel").hidden = true;
  $("video-progress").hidden = true;
  $("player").hidden = !state.frames.length;
  $("player").classList.toggle("unplayable", $("video-frame").hidden);
  if (!state.frames.length) {
    if (text.startsWith("Done")) $("video-found").textContent = "Nobody found";
    return;
  }
  $("seek").max = clip.duration;
  showFound();
  if (!$("video-frame").hidden) clip.currentTime = 0;
}

function fail(error, { name, size }) {
  const long = `The clip is longer than ${MOST_S / 60} minutes: cut it, or use hpe video on your own machine.`;
  const there = offered ? " Or have it processed in your cloud, which reads more formats." : "";
  const unread = `“${name}” (${megabytes(size)}) can’t be played by this browser. Save it as MP4 (H.264) or WebM.${there}`;
  const key = "This service wants a key: give it on the photo page, in this tab.";
  finish({ notVideo: unread, tooLong: long }[error.kind] ?? ([401, 403].includes(error.status) ? key : told(error)));
  if (!state.frames.length) $("video-empty").hidden = !$("video-frame").hidden;
}

/** What holds where the clip goes, in words. */
async function sayWhere() {
  const cloud = $("in-cloud").checked;
  $("video-where").textContent = cloud ? "in your own cloud, at every frame." : "on this device: it never leaves it.";
  if (!cloud) return say(`Clips of up to ${MOST_S / 60} minutes. ${Math.round(mode.megabytes())} MB are fetched once, then it works offline.`);
  const host = new URL(config.base || location.origin, location.href).host;
  say(`Asking ${host} what fits…`);
  try {
    const { whatFits } = await import("./cloud.js");
    const fits = await whatFits(config);
    if ($("in-cloud").checked && !$("where").disabled) say(`Clips of ${fits}, are sent to ${host} and deleted there when they are done; their tracks are kept for ${config.photoDays === 1 ? "a day" : `${config.photoDays} days`}.`);
  } catch (error) {
    if ($("in-cloud").checked && !$("where").disabled) fail(error, {});
  }
}

async function save(text, ending, type) {
  const { saveBlob } = await import("./exports.js");
  saveBlob(new Blob([text], { type }), `${state.name}-${ending}`);
  say(`Saved as ${state.name}-${ending}.`);
}

/** Plays the clip once into a canvas with the skeletons, and records that. */
async function saveClip() {
  const type = ["video/webm;codecs=vp8", "video/webm", "video/mp4"].find((one) => globalThis.MediaRecorder?.isTypeSupported(one));
  if (!type) return say("This browser can’t record a clip: save the tracks instead.");
  const canvas = Object.assign(document.createElement("canvas"), { width: clip.videoWidth, height: clip.videoHeight });
  const context = canvas.getContext("2d");
  const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: type, videoBitsPerSecond: 8e6 });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise((done) => (recorder.onstop = done));
  clip.pause();
  await seekTo(0);
  $("save-clip").disabled = true;
  const paintOnce = () => {
    context.drawImage(clip, 0, 0);
    paintFrame(context, frameAt(state.frames, clip.currentTime), { byPerson: $("video-colours").checked, numbers: true });
  };
  const draw = () => {
    paintOnce();
    say(`Recording the drawn clip: ${clip.currentTime.toFixed(0)} of ${clip.duration.toFixed(0)} s…`);
    if (!clip.ended && recorder.state === "recording") requestAnimationFrame(draw);
  };
  recorder.start(250);
  const ended = heard("ended");
  await clip.play();
  draw();
  await ended;
  // the encoder lags behind what was drawn, on a busy machine by seconds
  for (let tries = 0; tries < 20; tries++) {
    await new Promise((done) => setTimeout(done, 500));
    if (parts.some(({ size }) => size)) break;
    paintOnce();
  }
  recorder.stop();
  await stopped;
  $("save-clip").disabled = false;
  if (!parts.some(({ size }) => size)) return say("This device was too slow to record the clip: close other programs and try again, or save the tracks.");
  const { saveBlob } = await import("./exports.js");
  const name = `${state.name}-pose.${type.includes("mp4") ? "mp4" : "webm"}`;
  saveBlob(new Blob(parts, { type }), name);
  say(`Saved as ${name}, without sound.`);
}

function wire() {
  listen({ inputs: [$("file")], openers: [[$("choose"), $("file")]], veil: $("veil"), onFiles: ([file]) => !$("choose").disabled && open(file) });
  for (const choice of document.querySelectorAll("#where input")) choice.addEventListener("change", sayWhere);
  $("cancel").addEventListener("click", () => {
    state.run += 1;
    state.stop.abort();
    if ($("in-cloud").checked) state.forget(); // at once: a reload must not wait for it again
    finish(state.frames.length ? "Stopped: what was processed so far can be watched." : "Stopped.");
  });
  const toggle = () => (clip.paused ? clip.play() : clip.pause());
  $("play").addEventListener("click", toggle);
  $("video-frame").addEventListener("click", () => $("player").hidden || toggle());
  for (const event of ["play", "pause", "ended"]) clip.addEventListener(event, () => ($("play").textContent = clip.paused || clip.ended ? "Play" : "Pause"));
  const follow = () => {
    if (!$("player").hidden) paint();
    if (clip.requestVideoFrameCallback) clip.requestVideoFrameCallback(follow);
  };
  if (clip.requestVideoFrameCallback) clip.requestVideoFrameCallback(follow);
  else clip.addEventListener("timeupdate", follow);
  clip.addEventListener("seeked", () => !$("player").hidden && paint());
  $("seek").addEventListener("input", () => (clip.currentTime = Number($("seek").value)));
  $("video-colours").addEventListener("change", paint);
  $("save-jsonl").addEventListener("click", () => save(tracksJsonl(state.frames), "tracks.jsonl", "application/x-ndjson"));
  $("save-csv").addEventListener("click", () => save(tracksCsv(state.frames), "tracks.csv", "text/csv"));
  $("save-clip").addEventListener("click", saveClip);
}

async function begin() {
  wire();
  await mode.ready;
  $("boot").remove();
  const can = mode.available();
  $("choose").disabled = !can && !offered;
  $("where").hidden = !offered;
  $("in-cloud").checked = offered && !can;
  $("on-device").disabled = !can;
  if (can || offered) await sayWhere();
  if (offered && !state.run) await resume();
  if (!can && !offered) say(`Not here: ${mode.why()}. On your own machine, hpe video does the same.`);
}

begin();
