// The camera, continuously, on this device: people found, followed and counted while they move. Nothing is sent.
import { anglesOf } from "./angles.js";
import { readConfig } from "./api.js";
import { cameraFault, openStream } from "./camera.js";
import { explain } from "./messages.js";
import { createMode } from "./mode.js";
import { paintFrame } from "./paint.js";
import { make } from "./panel.js";
import { analysedBitmap } from "./private/engine.js";
import { label } from "./skeleton.js";
import { $, announce } from "./stage.js";

const SIDE = 512; // px: what is analysed of a frame; people who fill a camera's picture need no more
const mode = createMode(readConfig(window.HPE_CONFIG), () => {});
const state = { stream: null, running: false, frame: null, facing: "user", starts: 0, fps: 0, people: -1, fresh: true };

const say = (text) => ($("live-note").textContent = text);

function ready(on) {
  $("start").hidden = on;
  for (const id of ["pause", "snapshot"]) $(id).hidden = !on;
}

/** Sees, follows and paints one frame after the other until paused. */
async function watch(engine) {
  const video = $("live-video");
  const own = state.starts;
  let before = performance.now();
  while (state.running && own === state.starts) {
    const { videoWidth: width, videoHeight: height } = video;
    const bitmap = await analysedBitmap(video, width, height, SIDE);
    const frame = await engine.track(bitmap, { photo: { width, height }, time: performance.now() / 1000, fresh: state.fresh, options: { every: 5 } });
    if (!state.running || own !== state.starts) return;
    state.fresh = false;
    const now = performance.now();
    state.fps = state.fps ? 0.9 * state.fps + 0.1 * (1000 / (now - before)) : 1000 / (now - before);
    before = now;
    state.frame = frame;
    show();
  }
}

function show() {
  const canvas = $("live-canvas");
  const { width, height } = state.frame;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, width, height);
  if ($("live-skeleton").checked) {
    const mirrored = $("live-frame").classList.contains("mirrored");
    paintFrame(context, state.frame, { byPerson: $("live-colours").checked, numbers: state.frame.people.length > 1, mirrored });
  }
  const { people } = state.frame;
  $("live-count").textContent = people.length === 1 ? "1 person" : `${people.length} people`;
  $("live-fps").textContent = `${state.fps.toFixed(state.fps < 10 ? 1 : 0)} frames a second`;
  if (people.length !== state.people) announce($("live-count").textContent); // changes only: not every frame
  state.people = people.length;
  if ($("angles").open) showAngles(people);
}

function showAngles(people) {
  $("angles-list").replaceChildren(...people.map((person) => make("section", {},
    make("h3", {}, `Person ${person.id}`),
    make("dl", {}, ...anglesOf(person, state.frame.threshold).flatMap(({ name, degrees }) =>
      [make("dt", {}, label(name)), make("dd", {}, `${Math.round(degrees)}°`)])))));
}

function stop() {
  state.starts += 1;
  state.running = false;
  for (const track of state.stream?.getTracks() ?? []) track.stop();
  state.stream = null;
  $("live-video").srcObject = null;
}

async function start() {
  stop();
  const own = state.starts;
  $("start").disabled = true;
  try {
    say("Starting private mode…");
    const engine = await mode.engine((share) => {
      $("live-progress").hidden = share >= 1;
      $("live-progress").value = share;
      say(`Fetching private mode, ${Math.round(mode.megabytes())} MB, once…`);
    });
    $("live-progress").hidden = true;
    say("Waiting for the camera. Your browser may ask for permission…");
    const stream = await openStream(state.facing, { width: 1280, height: 720 });
    if (own !== state.starts) return stream.getTracks().forEach((track) => track.stop());
    await play(stream);
    ready(true);
    say("");
    setRunning(true, engine);
  } catch (error) {
    if (own === state.starts) say(error.kind ? Object.values(explain(error)).filter((part) => typeof part === "string").join(" ") : cameraFault(error));
  }
  $("start").disabled = false;
}

async function play(stream) {
  state.stream = stream;
  state.fresh = true;
  const video = $("live-video");
  video.srcObject = stream;
  await video.play();
  const [track] = stream.getVideoTracks();
  track.addEventListener("ended", () => {
    stop();
    ready(false);
    say("The camera was switched off.");
  });
  $("live-frame").classList.toggle("mirrored", track.getSettings().facingMode !== "environment"); // the front camera is a mirror
  $("live-frame").hidden = false;
  $("live-empty").hidden = true;
  $("live-frame").style.setProperty("--ratio", video.videoWidth / video.videoHeight);
  const cameras = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");
  $("turn").hidden = cameras.length < 2;
}

let engineNow = null;

function setRunning(on, engine = engineNow) {
  engineNow = engine;
  state.running = on;
  $("pause").textContent = on ? "Pause" : "Go on";
  if (on) {
    $("live-video").play();
    watch(engine).catch((error) => {
      setRunning(false);
      say(error.kind ? explain(error).text : "Something went wrong on this page. Press Go on to try again.");
    });
  } else $("live-video").pause();
}

async function snapshot() {
  const { saveBlob } = await import("./exports.js");
  const video = $("live-video");
  const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  paintFrame(context, state.frame, { byPerson: $("live-colours").checked, numbers: state.frame?.people.length > 1, mirrored: false });
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const name = `live-${new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}.png`;
  saveBlob(blob, name);
  say(`Saved as ${name}.`);
}

async function begin() {
  $("start").addEventListener("click", start);
  $("pause").addEventListener("click", () => setRunning(!state.running));
  $("snapshot").addEventListener("click", snapshot);
  $("turn").addEventListener("click", () => {
    state.facing = state.facing === "user" ? "environment" : "user";
    start();
  });
  // a camera must not stay on behind a page that nobody sees
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden || !state.stream) return;
    stop();
    ready(false);
    say("The camera is off while this page is hidden.");
  });
  await mode.ready;
  $("boot").remove();
  if (mode.available()) {
    $("start").disabled = false;
    say(`Nothing leaves your device. The networks, ${Math.round(mode.megabytes())} MB, are fetched once.`);
  } else say(`Not here: ${mode.why()}. The camera is only watched on your own device.`);
}

begin();
