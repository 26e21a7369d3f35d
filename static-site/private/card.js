// A model's manifest (models/pose.json, schema 2) -> what the engine needs of it.
import { JOINTS } from "../skeleton.js";

const frameOf = (size) => (typeof size === "number" ? [size, size] : size);

/** Throws for a manifest that is none of ours: it would find people where none are. */
export function readCard({ schema, name, locate, pose }) {
  if (schema !== 2 || !locate || !pose) throw new Error("this is not a manifest of schema 2 with two networks");
  return {
    name,
    locate: { ...locate, unit: locate.size_unit || locate.input_size, photoThreshold: locate.photo_threshold ?? 0 },
    pose: {
      ...pose, flipTest: pose.flip_test ?? null, frame: frameOf(pose.input_size), keypoints: pose.keypoints ?? JOINTS, photoThreshold: pose.photo_threshold ?? 0,
      personThreshold: pose.person_threshold,
    },
  };
}
