// The photos of this visit and the queue that sends them: one at a time, in order, each kept with its answer.

const OPEN = ["waiting", "busy"];

/** Whether a shot's answer shows nobody. To a box the network always has a pose: one without any sure joint is nobody. */
export function showsNobody({ result: { people, threshold }, answered: { box, guess } }) {
  const sure = ({ keypoints }) => keypoints.some(({ score }) => score > 0 && score >= threshold);
  return !people.length || (Boolean(box) && !guess && !people.some(sure));
}

/**
 * A shot: {id, name, file or sample, state, photo, url, thumb, ask, result, answered, problem, wait, seconds}.
 * state: cold (a sample not looked at yet), waiting, busy, done or problem. photo: as preparePhoto gives it. ask: what
 * to ask, {box, guess} (see posePath). result: the last answer, and answered: what it was asked. whole: those
 * of the whole photo, while those of a box are shown. how: it was processed, {here, sent, clean, bytes}. wait: {text, part}.
 * work(shot, signal): does what the shot asks for, and changes it. onChange(shot): after every step.
 */
export function createShots({ work, onChange }) {
  const list = [];
  let running = null;
  let ids = 0;

  async function pump() {
    const shot = !running && list.find(({ state }) => state === "waiting");
    if (!shot) return;
    const control = new AbortController();
    running = { shot, control };
    Object.assign(shot, { state: "busy", problem: null, wait: null });
    onChange(shot);
    let problem = null;
    try {
      await work(shot, control.signal);
    } catch (error) {
      problem = error;
    }
    running = null;
    if (!control.signal.aborted) {
      Object.assign(shot, { state: problem ? "problem" : "done", problem });
      onChange(shot);
    }
    pump();
  }

  return {
    list,

    /** Files the user gave, put behind those given before and in front of the samples. Gives their shots. */
    add(files) {
      const added = files.map((file) => ({ id: ++ids, file, name: file.name || "photo", state: "waiting", ask: {} }));
      const first = list.findIndex(({ sample }) => sample);
      list.splice(first < 0 ? list.length : first, 0, ...added);
      added.forEach(onChange);
      pump();
      return added;
    },

    addSamples(samples) {
      list.push(...samples.map((sample) => ({ ...sample, id: ++ids, sample: true, state: "cold", ask: {}, answered: {} })));
    },

    /** Does a shot's work again, asking this. */
    again(shot, ask = shot.ask) {
      if (OPEN.includes(shot.state)) return;
      Object.assign(shot, { ask, state: "waiting", wait: null });
      onChange(shot);
      pump();
    },

    /** Stops a shot. One with an answer goes back to it; one without leaves the list. */
    cancel(shot) {
      if (running?.shot === shot) running.control.abort();
      if (shot.result) Object.assign(shot, { state: "done", ask: shot.answered, problem: null });
      else list.splice(list.indexOf(shot), 1);
      onChange(shot);
    },

    /** Photos of before, with their answers, in order. */
    restore(kept) {
      const back = kept.map(({ file, result, answered, seconds, how }) => ({
        id: ++ids, file, name: file.name || "photo", state: "done", ask: answered, answered, result, seconds, how, kept: true,
      }));
      list.unshift(...back);
      back.forEach(onChange);
      return back;
    },

    /** Takes a shot off the list, whatever it is doing. */
    remove(shot) {
      if (running?.shot === shot) running.control.abort();
      list.splice(list.indexOf(shot), 1);
      if (shot.url?.startsWith("blob:")) URL.revokeObjectURL(shot.url);
      onChange(shot);
    },

    /** How many photos come before this one. */
    ahead: (shot) => list.slice(0, list.indexOf(shot)).filter(({ state }) => OPEN.includes(state)).length,
  };
}
