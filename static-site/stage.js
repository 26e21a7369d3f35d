// What the stage shows: the photo, and over it the wait or what went wrong. One view at a time.
import { explain } from "./messages.js";

export const $ = (id) => document.getElementById(id);

/** Says it to screen readers, once. */
export function announce(text) {
  if ($("live").textContent !== text) $("live").textContent = text;
}

/** view: busy, done, nobody, problem or setup. seen: whether there is a photo to show. */
export function setView(view, seen) {
  $("main").dataset.view = view;
  $("picture").hidden = !seen;
  $("zoom").hidden = !seen || view === "busy";
  $("busy").hidden = view !== "busy";
  $("problem").hidden = !["problem", "nobody", "setup"].includes(view);
  $("problem").classList.toggle("nobody", view === "nobody");
  $("setup").hidden = view !== "setup";
  if (view !== "problem") $("key-form").hidden = true;
  $("outcome").hidden = $("tools").hidden = $("result").hidden = view !== "done";
  $("about").hidden = view === "done";
}

/** Moves the focus to `target` where the view that held it went away; never takes it from elsewhere. */
export function keepFocus(target) {
  const now = document.activeElement;
  if (!now || now === document.body || !now.checkVisibility()) target.focus({ preventScroll: true });
}

export function showPhoto({ url, alt, result, photo }) {
  const image = $("photo");
  const { width, height } = photo?.width ? photo : result ?? {};
  if (width && height) $("picture").style.setProperty("--ratio", width / height);
  if (image.getAttribute("src") === url) return;
  image.src = url;
  image.alt = alt ?? "Your photo";
}

/** The wait: part null is "some time", else 0..1 of the upload. */
export function showWait({ text, part = null }) {
  $("wait").textContent = text;
  if (part === null) $("progress").removeAttribute("value");
  else $("progress").value = part;
  announce(text.replace(/ in \d+ s…$/, " soon.")); // a countdown is for eyes
}

/** A calm card; buttons: which of again, here (private mode), draw, guess and back may help. */
export function showCard({ title, text, hint = "" }, buttons) {
  $("problem-title").textContent = title;
  $("problem-text").textContent = text;
  $("problem-hint").textContent = hint;
  $("problem-hint").hidden = !hint;
  for (const name of ["again", "here", "draw", "guess", "back"]) $(name).hidden = !buttons.includes(name);
  $("other").className = buttons.some(Boolean) ? "" : "primary";
}

/** here: whether private mode could do what the service did not. */
export function showProblem(problem, seen, back, here = false) {
  const said = explain(problem);
  showCard(said, [said.retry && "again", here && said.retry && "here", back && "back"]);
  $("back").textContent = "Back to the result";
  setView(problem.kind === "unconfigured" ? "setup" : "problem", seen);
  $("key-form").hidden = !(problem.status === 401 || problem.status === 403);
}
