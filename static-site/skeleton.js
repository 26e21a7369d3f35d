// The 16 MPII joints, as in hpe/pose/skeleton.py: a test compares the two. Left and right are the person's own.

export const JOINTS = [
  "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "pelvis", "thorax",
  "upper_neck", "head_top", "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow",
  "left_wrist",
];

export const LIMBS = [
  ["right_ankle", "right_knee"], ["right_knee", "right_hip"], ["right_hip", "pelvis"],
  ["left_ankle", "left_knee"], ["left_knee", "left_hip"], ["left_hip", "pelvis"],
  ["pelvis", "thorax"], ["thorax", "upper_neck"], ["upper_neck", "head_top"],
  ["thorax", "right_shoulder"], ["right_shoulder", "right_elbow"], ["right_elbow", "right_wrist"],
  ["thorax", "left_shoulder"], ["left_shoulder", "left_elbow"], ["left_elbow", "left_wrist"],
];

export const COLOURS = { left: [255, 138, 61], right: [46, 168, 255], middle: [247, 244, 237] };

export const side = (name) => /^(left|right)_/.exec(name)?.[1] ?? "middle";

/** A limb takes the side of whichever end has one. */
export const limbSide = (a, b) => (side(a) === "middle" ? side(b) : side(a));

export const rgb = ([r, g, b]) => `rgb(${r} ${g} ${b})`;

/** "left_knee" -> "Left knee" */
export const label = (name) => name[0].toUpperCase() + name.slice(1).replaceAll("_", " ");
