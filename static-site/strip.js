// The row of photos: those of the user, in the order they are processed, then the samples.
import { summaryLine } from "./messages.js";
import { make } from "./panel.js";
import { thumbUrl } from "./samples.js";
import { showsNobody } from "./shots.js";

const WORDS = { waiting: "waiting", busy: "in progress", problem: "failed" };

const seen = (shot) => (showsNobody(shot) ? [] : shot.result.people);

function stateOf(shot) {
  if (shot.sample && shot.state === "cold") return "";
  return WORDS[shot.state] ?? summaryLine(seen(shot), shot.result.threshold);
}

const MARKS = { waiting: "…", busy: "", problem: "!" };

function item(shot, onShow, onRemove) {
  const button = make("button", { type: "button" });
  button.addEventListener("click", () => onShow(shot));
  const hidden = (node) => (node.setAttribute("aria-hidden", "true"), node);
  const picture = shot.sample ? make("img", { src: thumbUrl(shot.name), alt: "", loading: "lazy", width: 112, height: 112 })
    : hidden(make("span", { className: "blank" }, shot.name.split(".").pop().slice(0, 5).toUpperCase()));
  const mark = hidden(make("i"));
  const said = make("span", { className: "unseen" });
  button.append(picture, mark, said);
  const line = make("li", {}, button);
  if (!shot.sample) {
    const away = make("button", { type: "button", className: "away", textContent: "×" });
    away.setAttribute("aria-label", `Remove ${shot.name}`);
    away.addEventListener("click", () => onRemove(shot));
    line.append(away);
  }
  return { line, button, mark, said, thumb: null };
}

/** Keeps the lists in step with the shots. Returns update(shots, current). */
export function strip({ own, samples, progress, onShow, onRemove }) {
  const items = new Map();
  return (shots, current) => {
    for (const [shot, { line }] of items) {
      if (!shots.includes(shot)) {
        line.remove();
        items.delete(shot);
      }
    }
    for (const shot of shots) {
      if (!items.has(shot)) {
        items.set(shot, item(shot, onShow, onRemove));
        (shot.sample ? samples : own).append(items.get(shot).line);
      }
      const it = items.get(shot);
      if (shot.thumb && it.thumb !== shot.thumb) {
        it.button.firstChild.replaceWith(shot.thumb);
        it.thumb = shot.thumb;
      }
      const state = stateOf(shot);
      it.said.textContent = it.button.title = [shot.title ?? shot.name, state].filter(Boolean).join(": ");
      if (shot === current && !it.button.hasAttribute("aria-current")) it.line.parentElement.scrollLeft = it.line.offsetLeft - it.line.parentElement.clientWidth / 2;
      if (shot === current) it.button.setAttribute("aria-current", "true");
      else it.button.removeAttribute("aria-current");
      it.button.className = shot.state;
      it.mark.textContent = MARKS[shot.state] ?? (shot.result && !shot.sample ? seen(shot).length : "");
    }
    const mine = shots.filter(({ sample }) => !sample);
    own.parentElement.hidden = !mine.length;
    const finished = mine.filter(({ state }) => state === "done" || state === "problem").length;
    progress.textContent = finished < mine.length ? `${finished} of ${mine.length} done` : mine.length > 1 ? `${mine.length} photos` : "";
  };
}
