// Before and after: a line over the picture, dragged by its handle or moved by a range input, which is for keys and screen readers.

/** Returns {set(on)}: switches comparing on or off. */
export function compare({ range, divider, picture, layer }) {
  const show = () => {
    const at = Number(range.value);
    divider.style.left = `${at}%`;
    layer.style.clipPath = divider.hidden ? "" : `inset(0 0 0 ${at}%)`;
    range.setAttribute("aria-valuetext", `${at} % photo`);
  };
  range.addEventListener("input", show);
  divider.addEventListener("pointerdown", (event) => divider.setPointerCapture(event.pointerId));
  divider.addEventListener("pointermove", (event) => {
    if (!divider.hasPointerCapture(event.pointerId)) return;
    const box = picture.getBoundingClientRect();
    range.value = Math.round((100 * (event.clientX - box.left)) / box.width);
    show();
  });
  return {
    set(on) {
      divider.hidden = range.hidden = !on;
      show();
    },
  };
}
