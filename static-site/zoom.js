// Zoom and pan over the picture: wheel, pinch, drag, keys and buttons.

const MOST = 12;
const STEP = 1.5;

/** {k, x, y} kept so that the picture always fills its frame: 1 <= k, no gap at any edge. */
export function clamp({ k, x, y }, width, height) {
  const scale = Math.min(MOST, Math.max(1, k));
  return { k: scale, x: Math.min(0, Math.max(width * (1 - scale), x)), y: Math.min(0, Math.max(height * (1 - scale), y)) };
}

/** Zooms by `factor` so that the point (px, py) of the frame stays where it is. */
export function zoomAt({ k, x, y }, factor, px, py, width, height) {
  const next = Math.min(MOST, Math.max(1, k * factor));
  const f = next / k;
  return clamp({ k: next, x: px - (px - x) * f, y: py - (py - y) * f }, width, height);
}

/**
 * Wires a frame. layers: the elements that move. onChange(k). Returns {reset(), scale(), enable(on)}; the frame's
 * buttons are given as {more, less, fit}.
 */
export function zoomable({ frame, stage, layers, buttons, onChange }) {
  let at = { k: 1, x: 0, y: 0 };
  let on = true;
  let scrolled = 0;
  let travel = 0; // px since the finger or the button went down
  const fingers = new Map();
  const size = () => [frame.clientWidth, frame.clientHeight];

  function set(next) {
    const before = at.k;
    const held = document.activeElement;
    at = clamp(next, ...size());
    const moved = at.k > 1 ? `translate(${at.x}px, ${at.y}px) scale(${at.k})` : "";
    for (const layer of layers) layer.style.transform = moved;
    frame.classList.toggle("zoomed", at.k > 1);
    buttons.less.disabled = buttons.fit.disabled = at.k === 1;
    buttons.more.disabled = at.k >= MOST;
    if (held.disabled) buttons.more.focus({ preventScroll: true });
    if (at.k !== before || at.k > 1) onChange(at.k);
  }
  const zoom = (factor, px = frame.clientWidth / 2, py = frame.clientHeight / 2) => set(zoomAt(at, factor, px, py, ...size()));
  const place = (event) => {
    const box = frame.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  // A wheel scrolls the page as long as the page has somewhere to go: the picture is no trap.
  addEventListener("scroll", () => (scrolled = performance.now()), { passive: true });
  frame.addEventListener("wheel", (event) => {
    const inward = event.deltaY < 0;
    const pageFirst = !event.ctrlKey && at.k === 1 && (scrollY > 0 || performance.now() - scrolled < 400);
    if (!on || (at.k === 1 && !inward) || pageFirst) return;
    event.preventDefault();
    zoom(Math.exp(-Math.max(-120, Math.min(120, event.deltaY * (event.deltaMode ? 30 : 1))) / (event.ctrlKey ? 120 : 400)), ...place(event));
  }, { passive: false });

  frame.addEventListener("pointerdown", (event) => {
    if (!on || event.target.closest("button, .divider")) return;
    fingers.set(event.pointerId, place(event));
    travel = 0;
  });
  addEventListener("pointermove", (event) => {
    const last = fingers.get(event.pointerId);
    if (!last) return;
    const now = place(event);
    travel += Math.hypot(now[0] - last[0], now[1] - last[1]);
    if (fingers.size === 1 && at.k > 1) {
      set({ ...at, x: at.x + now[0] - last[0], y: at.y + now[1] - last[1] });
    } else if (fingers.size === 2) {
      const [[, other]] = [...fingers].filter(([id]) => id !== event.pointerId);
      const apart = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1;
      zoom(apart(now) / apart(last), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    }
    fingers.set(event.pointerId, now);
  });
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, (event) => fingers.delete(event.pointerId));
  // a drag picks nobody
  frame.addEventListener("click", (event) => travel > 6 && at.k > 1 && event.stopPropagation(), { capture: true });
  frame.addEventListener("dblclick", (event) => on && (at.k > 1 ? set({ k: 1, x: 0, y: 0 }) : zoom(2.5, ...place(event))));

  const keys = {
    "+": () => zoom(STEP), "=": () => zoom(STEP), "-": () => zoom(1 / STEP), 0: () => set({ k: 1, x: 0, y: 0 }),
    ArrowLeft: () => set({ ...at, x: at.x + 60 }), ArrowRight: () => set({ ...at, x: at.x - 60 }),
    ArrowUp: () => set({ ...at, y: at.y + 60 }), ArrowDown: () => set({ ...at, y: at.y - 60 }),
  };
  stage.addEventListener("keydown", (event) => {
    const arrow = event.key.startsWith("Arrow");
    if (!on || !keys[event.key] || event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey || (arrow && at.k === 1)) return;
    event.preventDefault();
    keys[event.key]();
  });
  buttons.more.addEventListener("click", () => zoom(STEP));
  buttons.less.addEventListener("click", () => zoom(1 / STEP));
  buttons.fit.addEventListener("click", () => set({ k: 1, x: 0, y: 0 }));
  new ResizeObserver(() => set(at)).observe(frame);
  return {
    reset: () => set({ k: 1, x: 0, y: 0 }),
    scale: () => at.k,
    enable(yes) {
      on = yes;
      if (!yes) set({ k: 1, x: 0, y: 0 });
    },
  };
}
