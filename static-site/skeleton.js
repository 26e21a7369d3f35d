// How keypoints are named, joined, grouped and coloured. Left and right are the person's own.

/** All that a model may estimate, in its order, by the names of hpe/pose/skeleton.py: a test compares them. */
export const KEYPOINTS = [
  "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "pelvis", "thorax", "upper_neck", "head_top",
  "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist",
  "nose", "left_eye", "right_eye", "left_ear", "right_ear",
];
/** MPII's 16: those of a model whose manifest names none. */
export const JOINTS = KEYPOINTS.slice(0, 16);

export const LIMBS = [
  ["right_ankle", "right_knee"], ["right_knee", "right_hip"], ["right_hip", "pelvis"], ["left_ankle", "left_knee"],
  ["left_knee", "left_hip"], ["left_hip", "pelvis"], ["pelvis", "thorax"], ["thorax", "upper_neck"], ["upper_neck", "head_top"],
  ["thorax", "right_shoulder"], ["right_shoulder", "right_elbow"], ["right_elbow", "right_wrist"], ["thorax", "left_shoulder"],
  ["left_shoulder", "left_elbow"], ["left_elbow", "left_wrist"],
];

/** The limbs as pairs of indices into these names. */
export const skeletonOf = (names) =>
  LIMBS.map((limb) => limb.map((name) => names.indexOf(name))).filter((pair) => !pair.includes(-1));

/** Body parts from the head down. */
export const PARTS = [
  ["Head", ["head_top", "upper_neck", "nose", "left_eye", "right_eye", "left_ear", "right_ear"]],
  ["Trunk", ["thorax", "pelvis"]],
  ["Left arm", ["left_shoulder", "left_elbow", "left_wrist"]],
  ["Right arm", ["right_shoulder", "right_elbow", "right_wrist"]],
  ["Left leg", ["left_hip", "left_knee", "left_ankle"]],
  ["Right leg", ["right_hip", "right_knee", "right_ankle"]],
];

export const COLOURS = { left: [255, 138, 61], right: [46, 168, 255], middle: [247, 244, 237] };

/** Colours of people, told apart by hue and lightness; the tenth person has the first one's again. */
export const PEOPLE = [
  [255, 138, 61], [46, 168, 255], [126, 217, 87], [233, 105, 178], [255, 214, 64], [161, 132, 255], [64, 224, 208], [255, 107, 107], [200, 230, 160],
];

/** number: of a person, from 1. */
export const personColour = (number) => PEOPLE[(number - 1) % PEOPLE.length];

/** Whether it is one of the arms and legs, hips and shoulders included. */
export const isLimb = (name) => /_(shoulder|elbow|wrist|hip|knee|ankle)$/.test(name);

/** The keypoint that this one becomes when the picture is mirrored. */
export const partnerOf = (name) => name.replace(/^(left|right)_/, (_, one) => (one === "left" ? "right_" : "left_"));

export const side = (name) => /^(left|right)_/.exec(name)?.[1] ?? "middle";

/** A limb takes the side of whichever end has one. */
export const limbSide = (a, b) => (side(a) === "middle" ? side(b) : side(a));

export const rgb = ([r, g, b]) => `rgb(${r} ${g} ${b})`;

/** "left_knee" -> "Left knee" */
export const label = (name) => name[0].toUpperCase() + name.slice(1).replaceAll("_", " ");
