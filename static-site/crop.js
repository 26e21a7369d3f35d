// A box drawn over the picture: by dragging, or by arrow keys on its two corners.

const LEAST = 0.03; // of the picture's sides

/** Two points of the picture, as shares of its sides -> [x0, y0, x1, y1] in order, inside, and not too small. */
export function boxOf([ax, ay], [bx, by]) {
  const inside = (v) => Math.min(1, Math.max(0, v));
  const [x0, x1] = [inside(Math.min(ax, bx)), inside(Math.max(ax, bx))];
  const [y0, y1] = [inside(Math.min(ay, by)), inside(Math.max(ay, by))];
  return [Math.min(x0, 1 - LEAST), Math.min(y0, 1 - LEAST), Math.max(x1, x0 + LEAST), Math.max(y1, y0 + LEAST)].map(inside);
}

const share = (v) => `${Math.round(100 * v)} %`;

/** layer: over the picture; frame: the box in it; corners: [top left, bottom right] buttons. */
export function cropper({ layer, frame, corners }) {
  let box = [0.25, 0.1, 0.75, 0.9];
  let held = null; // the corner that stays while the other is dragged
  let offset = null;

  function show() {
    const [x0, y0, x1, y1] = box;
    Object.assign(frame.style, { left: `${100 * x0}%`, top: `${100 * y0}%`, width: `${100 * (x1 - x0)}%`, height: `${100 * (y1 - y0)}%` });
    corners.forEach((corner, i) => {
      const [x, y] = box.slice(2 * i, 2 * i + 2);
      corner.setAttribute("aria-label", `${i ? "Bottom right" : "Top left"} corner of the box, ${share(x)} across, ${share(y)} down: arrow keys move it`);
    });
  }
  const at = (event) => {
    const place = layer.getBoundingClientRect();
    return [(event.clientX - place.left) / place.width, (event.clientY - place.top) / place.height];
  };

  layer.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    layer.setPointerCapture(event.pointerId);
    const point = at(event);
    const corner = corners.indexOf(event.target.closest("button"));
    held = offset = null;
    if (corner >= 0) {
      held = corner ? box.slice(0, 2) : box.slice(2);
      corners[corner].focus();
    } else if (event.target === frame) offset = [point[0] - box[0], point[1] - box[1]];
    else held = point;
  });
  layer.addEventListener("pointermove", (event) => {
    if (!layer.hasPointerCapture(event.pointerId)) return;
    const point = at(event);
    if (held) box = boxOf(held, point);
    else if (offset) {
      const [w, h] = [box[2] - box[0], box[3] - box[1]];
      const x = Math.min(1 - w, Math.max(0, point[0] - offset[0]));
      const y = Math.min(1 - h, Math.max(0, point[1] - offset[1]));
      box = [x, y, x + w, y + h];
    }
    show();
  });
  corners.forEach((corner, i) => corner.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 0.1 : 0.02;
    const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (!move) return;
    event.preventDefault();
    const moved = [box[2 * i] + move[0], box[2 * i + 1] + move[1]];
    const [x0, y0, x1, y1] = box;
    box = i ? [x0, y0, Math.min(1, Math.max(x0 + LEAST, moved[0])), Math.min(1, Math.max(y0 + LEAST, moved[1]))]
      : [Math.max(0, Math.min(x1 - LEAST, moved[0])), Math.max(0, Math.min(y1 - LEAST, moved[1])), x1, y1];
    show();
  }));

  return {
    open(start) {
      box = start ?? [0.25, 0.1, 0.75, 0.9];
      layer.hidden = false;
      show();
      corners[0].focus({ preventScroll: true });
    },
    close() {
      layer.hidden = true;
    },
    /** The box in px of a picture of this size. */
    box: ({ width, height }) => box.map((v, i) => Math.round(v * (i % 2 ? height : width))),
  };
}
