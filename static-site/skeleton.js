// How the joints of the API's answer are grouped, coloured and named. Left and right are the person's own.

/** Body parts from the head down, by the names of hpe/pose/skeleton.py: a test compares them. */
export const PARTS = [
  ["Head", ["head_top", "upper_neck"]],
  ["Trunk", ["thorax", "pelvis"]],
  ["Left arm", ["left_shoulder", "left_elbow", "left_wrist"]],
  ["Right arm", ["right_shoulder", "right_elbow", "right_wrist"]],
  ["Left leg", ["left_hip", "left_knee", "left_ankle"]],
  ["Right leg", ["right_hip", "right_knee", "right_ankle"]],
];

export const COLOURS = { left: [255, 138, 61], right: [46, 168, 255], middle: [247, 244, 237] };

export const side = (name) => /^(left|right)_/.exec(name)?.[1] ?? "middle";

/** A limb takes the side of whichever end has one. */
export const limbSide = (a, b) => (side(a) === "middle" ? side(b) : side(a));

export const rgb = ([r, g, b]) => `rgb(${r} ${g} ${b})`;

/** "left_knee" -> "Left knee" */
export const label = (name) => name[0].toUpperCase() + name.slice(1).replaceAll("_", " ");
