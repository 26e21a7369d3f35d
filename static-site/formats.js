// An answer -> the files that other programs read: the twins of hpe/photo/{coco,tables,openpose}.py. Pure: a test holds both
// to the same text.
import { ANGLES, anglesOf } from "./angles.js";
import { sizeOf } from "./geometry.js";
import { statesOf } from "./states.js";

const COCO = [
  "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist",
  "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
];
// OpenPose's BODY_25 without its feet; its neck is MPII's thorax, its middle hip the pelvis.
const BODY_25 = [
  "nose", "thorax", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist", "pelvis", "right_hip", "right_knee",
  "right_ankle", "left_hip", "left_knee", "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear", ...Array(6).fill(null),
];

const round = (v) => Math.round(v * 100) / 100;

/** The answer as the API gives it at another threshold: `confident` and `state` change with it. */
export const atThreshold = (result, threshold) => ({
  ...result, threshold,
  people: result.people.map((p) => {
    const states = statesOf(p, threshold, sizeOf(result));
    return { ...p, keypoints: p.keypoints.map((k, j) => ({ ...k, confident: k.score >= threshold && k.score > 0, state: states[j] })) };
  }),
});

const byName = (person) => new Map(person.keypoints.map((k) => [k.name, k]));

export const json = (result) => JSON.stringify(result, null, 2);

/** COCO's results: 17 keypoints x, y, score each; 0, 0, 0 for one that is not estimated. */
export function coco(result, imageId = 1) {
  return JSON.stringify(result.people.map((person) => {
    const at = byName(person);
    const [x0, y0, x1, y1] = person.box;
    return {
      image_id: imageId, category_id: 1, score: person.score,
      keypoints: COCO.flatMap((name) => (at.has(name) ? [at.get(name).x, at.get(name).y, at.get(name).score] : [0, 0, 0])),
      bbox: [x0, y0, round(x1 - x0), round(y1 - y0)],
    };
  }));
}

const COLUMNS = ["people", "person", "person_score", "joint", "x", "y", "score", "confident", "state", "degrees", "degrees_error"];
const ANGLE_AT = new Map(Object.entries(ANGLES).map(([name, [, corner]]) => [corner, name]));

/** A row for each joint of each person; an angle is on the row of the joint that it is at. */
export function csv(result) {
  const rows = result.people.flatMap((person, i) => {
    const angles = new Map(anglesOf(person, result.threshold).map((angle) => [angle.name, angle]));
    return person.keypoints.map((k) => {
      const { degrees = "", error = "" } = angles.get(ANGLE_AT.get(k.name)) ?? {};
      return [result.people.length, i + 1, person.score, k.name, k.x, k.y, k.score, Number(k.confident), k.state, degrees, error];
    });
  });
  const lines = rows.length ? rows : [[0, 0, ...COLUMNS.slice(2).map(() => "")]];
  return [COLUMNS, ...lines].map((row) => `${row.join(",")}\n`).join("");
}

/** OpenPose's JSON: x, y, score of 25 joints; 0, 0, 0 for those that are unsure or not estimated. */
export function openpose(result) {
  const none = { face_keypoints_2d: [], hand_left_keypoints_2d: [], hand_right_keypoints_2d: [], pose_keypoints_3d: [] };
  return JSON.stringify({
    version: 1.3,
    people: result.people.map((person) => {
      const at = byName(person);
      const flat = BODY_25.flatMap((name) => (at.get(name)?.confident ? [at.get(name).x, at.get(name).y, at.get(name).score] : [0, 0, 0]));
      return { person_id: [-1], pose_keypoints_2d: flat, ...none };
    }),
    canvas_width: result.width ?? result.image.width,
    canvas_height: result.height ?? result.image.height,
  });
}
