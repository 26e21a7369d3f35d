// Angles of a person's joints in the picture plane: those of hpe/pose/angles.py, by the same names. A test compares them.

const of = (side) => ({
  [`${side}_elbow`]: [`${side}_shoulder`, `${side}_elbow`, `${side}_wrist`],
  [`${side}_shoulder`]: [`${side}_hip`, `${side}_shoulder`, `${side}_elbow`],
  [`${side}_hip`]: [`${side}_shoulder`, `${side}_hip`, `${side}_knee`],
  [`${side}_knee`]: [`${side}_hip`, `${side}_knee`, `${side}_ankle`],
});

/** Name: one end, the corner, the other end; "" is straight up. */
export const ANGLES = { ...of("left"), ...of("right"), trunk: ["thorax", "pelvis", ""], neck: ["pelvis", "thorax", "head_top"] };

/** [{name, degrees}] of the angles whose joints are all sure. */
export function anglesOf(person, threshold) {
  const at = new Map(person.keypoints.filter((k) => k.score >= threshold && k.score > 0).map((k) => [k.name, k]));
  return Object.entries(ANGLES).flatMap(([name, [a, corner, b]]) => {
    const [first, middle] = [at.get(a), at.get(corner)];
    const last = b ? at.get(b) : middle && { x: middle.x, y: middle.y - 1 };
    if (!first || !middle || !last) return [];
    const [u, v] = [first, last].map((k) => Math.atan2(k.y - middle.y, k.x - middle.x));
    const turn = Math.abs(((u - v) * 180) / Math.PI) % 360;
    return [{ name, degrees: Math.round(turn > 180 ? 360 - turn : turn) }];
  });
}
