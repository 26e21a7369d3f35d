// A button that opens a list of buttons: arrow keys move in it, Escape and a click elsewhere close it.

const EDGE = 16; // px between the list and the window's edge
const LEAST = 150; // px

export function wireMenu(button, list) {
  const items = () => [...list.querySelectorAll("button")].filter((one) => !one.disabled && !one.hidden);
  const open = (yes) => {
    list.hidden = !yes;
    button.setAttribute("aria-expanded", String(yes));
    if (yes) fit();
  };
  /** Down or up, where there is more room, and no higher than that. */
  const fit = () => {
    const { top, bottom } = button.getBoundingClientRect();
    list.style.maxHeight = "";
    const [above, below] = [top - EDGE, innerHeight - bottom - EDGE];
    const up = list.scrollHeight > below && above > below;
    list.classList.toggle("up", up);
    list.style.maxHeight = `${Math.max(LEAST, up ? above : below)}px`;
  };
  button.addEventListener("click", () => open(list.hidden));
  list.addEventListener("click", (event) => {
    if (!event.target.closest("button")) return;
    open(false);
    button.focus({ preventScroll: true });
  });
  document.addEventListener("pointerdown", ({ target }) => !list.contains(target) && !button.contains(target) && open(false));
  list.parentElement.addEventListener("focusout", ({ relatedTarget }) => relatedTarget && !list.parentElement.contains(relatedTarget) && open(false));
  list.parentElement.addEventListener("keydown", (event) => {
    if (list.hidden && !(event.key === "ArrowDown" && event.target === button)) return;
    const all = items();
    const at = all.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Escape") {
      open(false);
      button.focus();
    } else if (to !== undefined) {
      event.preventDefault();
      open(true);
      all.at(to % all.length).focus();
    }
  });
}
