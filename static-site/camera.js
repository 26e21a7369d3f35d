// The webcam or the phone's camera, in a dialog: a mirrored preview, three seconds to get in place, one photo.
// Loaded when it is first asked for; the browser asks for permission then.
import { $ } from "./stage.js";

const WORDS = {
  NotAllowedError: "This page may not use the camera. Allow it beside the page’s address, then try again.",
  NotFoundError: "No camera was found.",
  OverconstrainedError: "No camera was found.",
  NotReadableError: "The camera is in use by another program. Close that, then try again.",
};

/** What a camera's error means, in words. */
export const cameraFault = (error) => WORDS[error.name] ?? "The camera did not start.";

/** The camera that looks where it is wished: "user" or "environment". size: {width, height} wished for, px. */
export async function openStream(facing, { width, height }) {
  if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("", "NotFoundError");
  const wish = { facingMode: facing, width: { ideal: width }, height: { ideal: height } };
  return navigator.mediaDevices.getUserMedia({ video: wish, audio: false });
}

let stream = null;
let starts = 0; // an attempt that another, or closing, has overtaken must not touch anything
let facing = "user";
let counting = 0;

function stop() {
  starts += 1;
  clearInterval(counting);
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  $("camera-video").srcObject = null;
  $("camera-count").textContent = "";
}

function say(text) {
  $("camera-note").textContent = text;
}

function ready(on) {
  $("camera-shoot").disabled = !on;
}

async function start() {
  stop();
  const own = starts;
  ready(false);
  $("camera-retry").hidden = true;
  say("Waiting for the camera. Your browser may ask for permission…");
  try {
    const got = await openStream(facing, { width: 1920, height: 1080 });
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
    say(cameraFault(error));
    $("camera-retry").hidden = false;
    stop();
  }
}

/** What the camera sees now, as a JPEG; not mirrored: left stays left. */
function frame() {
  const { videoWidth: width, videoHeight: height } = $("camera-video");
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").drawImage($("camera-video"), 0, 0);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.95));
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

let wired = false;

function wire(onFile) {
  wired = true;
  $("camera-shoot").addEventListener("click", () => {
    ready(false);
    countDown(async () => {
      const blob = await frame();
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
  $("camera-close").addEventListener("click", () => $("camera-box").close());
  $("camera-box").addEventListener("close", stop);
  // a camera must not stay on behind a page that nobody sees
  document.addEventListener("visibilitychange", () => document.hidden && $("camera-box").close());
}

/** Opens the camera's dialog. onFile(File) gets the photo. */
export function openCamera(onFile) {
  if (!wired) wire(onFile);
  if (matchMedia("(pointer: coarse)").matches) facing = "environment";
  $("camera-box").showModal();
  start();
}
