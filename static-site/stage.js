// What the stage shows: the drop zone, the photo, the wait, or what went wrong. One view at a time.
import { explain } from "./messages.js";

export const $ = (id) => document.getElementById(id);

/** Says it to screen readers, once. */
export function announce(text) {
  if ($("live").textContent !== text) $("live").textContent = text;
}

/** view: idle, busy, done, nobody, problem, setup. seen: whether there is a photo to show. */
export function setView(view, seen) {
  $("main").dataset.view = view;
  $("drop").hidden = view !== "idle";
  $("picture").hidden = !seen;
  $("busy").hidden = view !== "busy";
  $("problem").hidden = !["problem", "nobody", "setup"].includes(view);
  $("problem").classList.toggle("nobody", view === "nobody");
  $("setup").hidden = view !== "setup";
  $("other").hidden = view === "setup";
  $("tools").hidden = view !== "done";
  $("result").hidden = view !== "done";
  $("about").hidden = view === "done";
}

/** Moves the focus to `target` where the view that held it went away; never takes it from elsewhere. */
export function keepFocus(target) {
  const now = document.activeElement;
  if (!now || now === document.body || !now.checkVisibility()) target.focus({ preventScroll: true });
}

export function showPhoto(blob, { width, height }) {
  const image = $("photo");
  if (image.src) URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(blob);
  image.alt = "Your photo";
  $("picture").style.setProperty("--ratio", width / height);
}

/** The wait: fraction null is "some time", else 0..1 of the upload. */
export function showWait(text, fraction = null) {
  $("wait").textContent = text;
  if (fraction === null) $("progress").removeAttribute("value");
  else $("progress").value = fraction;
}

/** A calm card, with a button for trying again where that may help. */
export function showCard({ title, text, hint = "", retry = false }) {
  $("problem-title").textContent = title;
  $("problem-text").textContent = text;
  $("problem-hint").textContent = hint;
  $("problem-hint").hidden = !hint;
  $("again").hidden = !retry;
  $("other").className = retry ? "" : "primary";
}

export function showProblem(problem, seen) {
  showCard(explain(problem));
  setView(problem.kind === "unconfigured" ? "setup" : "problem", seen);
  keepFocus($("problem-title"));
}
