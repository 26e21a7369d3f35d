// The webcam or the phone's camera, in a dialog: a mirrored preview, three seconds to get in place, one photo.
// Loaded when it is first asked for; the browser asks for permission then.
import { findPeople } from "./api.js";
import { sizeOf } from "./geometry.js";
import { drawOverlay } from "./overlay.js";
import { $ } from "./stage.js";

const WORDS = {
  NotAllowedError: "This page may not use the camera. Allow it beside the page’s address, then try again.",
  NotFoundError: "No camera was found.",
  OverconstrainedError: "No camera was found.",
  NotReadableError: "The camera is in use by another program. Close that, then try again.",
};
const LIVE_SIDE = 480; // px: what is sent while watching live

let stream = null;
let starts = 0; // an attempt that another, or closing, has overtaken must not touch anything
let facing = "user";
let counting = 0;
let watching = null; // the AbortController of the live preview

function stop() {
  starts += 1;
  clearInterval(counting);
  watching?.abort();
  watching = null;
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  $("camera-video").srcObject = null;
  $("camera-overlay").replaceChildren();
  $("camera-count").textContent = "";
}

function say(text) {
  $("camera-note").textContent = text;
}

function ready(on) {
  for (const id of ["camera-shoot", "camera-live"]) $(id).disabled = !on;
}

async function start() {
  stop();
  const own = starts;
  ready(false);
  $("camera-live").setAttribute("aria-pressed", "false");
  $("camera-retry").hidden = true;
  say("Waiting for the camera. Your browser may ask for permission…");
  try {
    const wish = { facingMode: facing, width: { ideal: 1920 }, height: { ideal: 1080 } };
    const got = await navigator.mediaDevices.getUserMedia({ video: wish, audio: false });
    if (own !== starts) return got.getTracks().forEach((track) => track.stop());
    stream = got;
    const video = $("camera-video");
    video.srcObject = stream;
    await video.play();
    got.getVideoTracks()[0].addEventListener("ended", () => {
      ready(false);
      $("camera-retry").hidden = false;
      say("The camera was switched off.");
    });
    // the back camera shows the world as it is; the front one is a mirror
    $("camera-frame").classList.toggle("mirrored", got.getVideoTracks()[0].getSettings().facingMode !== "environment");
    $("camera-frame").style.setProperty("--ratio", video.videoWidth / video.videoHeight);
    const cameras = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");
    if (own !== starts) return;
    $("camera-turn").hidden = cameras.length < 2;
    ready(true);
    say("");
  } catch (error) {
    if (own !== starts) return;
    say(WORDS[error.name] ?? "The camera did not start.");
    $("camera-retry").hidden = false;
    stop();
  }
}

/** What the camera sees now, as a JPEG; not mirrored: left stays left. */
function frame(quality, longest = Infinity) {
  const { videoWidth, videoHeight } = $("camera-video");
  const scale = Math.min(1, longest / Math.max(videoWidth, videoHeight));
  const canvas = Object.assign(document.createElement("canvas"), { width: Math.round(videoWidth * scale), height: Math.round(videoHeight * scale) });
  canvas.getContext("2d").drawImage($("camera-video"), 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
}

function countDown(then) {
  let left = 3;
  const tick = () => {
    $("camera-count").textContent = left || "";
    say(left ? `${left}…` : "");
    if (left-- > 0) return;
    clearInterval(counting);
    then();
  };
  clearInterval(counting);
  counting = setInterval(tick, 1000);
  tick();
}

/** One frame at a time: the next is taken when the answer to the last is there. */
async function watch(config) {
  const own = new AbortController();
  watching = own;
  while (!own.signal.aborted) {
    const since = performance.now();
    try {
      const photo = { blob: await frame(0.8, LIVE_SIDE), type: "image/jpeg" };
      const result = await findPeople(config, photo, {}, { signal: own.signal });
      if (own.signal.aborted) return;
      const image = sizeOf(result);
      drawOverlay($("camera-overlay"), result.people, {
        image, skeleton: result.skeleton, threshold: result.threshold, person: -1, picked: -1,
        show: { skeleton: true, joints: true }, scale: $("camera-frame").clientWidth / image.width,
      });
      const ms = performance.now() - since;
      say(`Live: ${result.people.length} ${result.people.length === 1 ? "person" : "people"}, ${(1000 / ms).toFixed(1)} frames a second. Frames are sent to the service, one at a time.`);
      await new Promise((done) => setTimeout(done, 30));
    } catch {
      if (own.signal.aborted) return;
      say("The service did not answer: trying again in 2 s…");
      await new Promise((done) => setTimeout(done, 2000));
    }
  }
}

let wired = false;

function wire(config, onFile) {
  wired = true;
  $("camera-shoot").addEventListener("click", () => {
    ready(false);
    countDown(async () => {
      const blob = await frame(0.95);
      $("camera-box").close();
      const name = `camera-${new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}.jpg`;
      onFile(new File([blob], name, { type: "image/jpeg" }));
    });
  });
  $("camera-retry").addEventListener("click", start);
  $("camera-turn").addEventListener("click", () => {
    facing = facing === "user" ? "environment" : "user";
    start();
  });
  $("camera-live").addEventListener("click", () => {
    const on = !watching;
    $("camera-live").setAttribute("aria-pressed", String(on));
    if (on) return void watch(config);
    watching.abort();
    watching = null;
    $("camera-overlay").replaceChildren();
    say("");
  });
  $("camera-close").addEventListener("click", () => $("camera-box").close());
  $("camera-box").addEventListener("close", stop);
  // a camera must not stay on behind a page that nobody sees
  document.addEventListener("visibilitychange", () => document.hidden && $("camera-box").close());
}

/** Opens the camera's dialog. onFile(File) gets the photo. */
export function openCamera(config, onFile) {
  if (!wired) wire(config, onFile);
  if (matchMedia("(pointer: coarse)").matches) facing = "environment";
  $("camera-live").hidden = config.base === null;
  $("camera-box").showModal();
  start();
}
