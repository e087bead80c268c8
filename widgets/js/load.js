// @ts-check
// The runs of the site: each is a small script that hands its run, compressed, to `patternsRun`.

/** Files on their way: the name of a run -> what it is given to. @type {Map<string, (packed: string) => void>} */
const awaited = new Map();
/** @type {Map<string, Promise<Record<string, any>>>} */
const runs = new Map();

/** What a page says in the place of a run that it could not load. */
export const UNLOADED = "This run could not be loaded: load the page again.";

/** What a file calls. @param {string} name @param {string} packed */
export function handed(name, packed) {
  const taken = awaited.get(name);
  awaited.delete(name);
  taken?.(packed);
}

/**
 * The run of this name, from its file. One that could not be loaded is asked for again the next time.
 * @param {string} name `chapter/run`
 * @returns {Promise<Record<string, any>>}
 */
export function loaded(name) {
  const known = runs.get(name);
  if (known) return known;
  /** @type {Promise<Record<string, any>>} */
  const run = new Promise((done, fail) => {
    awaited.set(name, (packed) => unpacked(packed).then(done, fail));
    const script = document.createElement("script");
    const none = () => awaited.delete(name) && fail(new Error(`no file of the run ${name}`));
    Object.assign(script, { src: `runs/${name}.js`, onload: none, onerror: none }); // a file hands its run over before
    document.head.append(script);
  });
  runs.set(name, run);
  run.catch(() => runs.delete(name));
  return run;
}

/** @param {string} packed @returns {Promise<Record<string, any>>} */
async function unpacked(packed) {
  const bytes = Uint8Array.from(atob(packed), (sign) => sign.charCodeAt(0));
  const text = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const state = await new Response(text).json();
  return state.twin ? asked(await loaded(state.twin), state) : state;
}

/** A run with the same steps as its twin, and other questions. @param {Record<string, any>} twin @param {Record<string, any>} run */
function asked(twin, { asks, head, cursor }) {
  const frames = twin.frames.map((/** @type {{ n: number }} */ frame) =>
    frame.n in asks ? { ...frame, ask: asks[frame.n] } : frame,
  );
  return { ...twin, head, cursor, frames };
}
