/** The lanes' numbers: fetching, unpacking, asking at a time. */

import type { EmotionStyle, Lanes } from "./types";

interface Header {
  step: number;
  duration: number;
  arrays: Record<string, { offset: number; length: number; type: string }>;
}

/** Unpack what ui/playback.py packed: header length, header, arrays. */
export function unpack(buffer: ArrayBuffer): Lanes {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))) as Header;
  const find = (name: string, type: string) => {
    const entry = header.arrays[name];
    if (!entry || entry.type !== type) throw new Error(`the lanes have no ${name} of type ${type}`);
    return { offset: 4 + length + entry.offset, length: entry.length };
  };
  const bytes = (name: string) => {
    const at = find(name, "u1");
    return new Uint8Array(buffer, at.offset, at.length);
  };
  const curve = find("aggression", "f4");
  const voice = new Float32Array(buffer, curve.offset, curve.length);
  return {
    step: header.step,
    duration: header.duration,
    high: Float32Array.from(bytes("high"), (value) => value / 255),
    low: Float32Array.from(bytes("low"), (value) => value / 255),
    aggression: voice,
    voice,
    words: null,
    emotions: bytes("emotions"),
  };
}

export async function fetchLanes(url: string, signal: AbortSignal): Promise<Lanes> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return unpack(await response.arrayBuffer());
}

/** Index of the grid cell at a time, or -1 outside the curve. */
export function cellAt(lanes: Lanes, time: number): number {
  const index = Math.floor(time / lanes.step);
  return index >= 0 && index < lanes.aggression.length ? index : -1;
}

/** Score at a time; NaN where nobody speaks. */
export function scoreAt(lanes: Lanes, time: number): number {
  return lanes.aggression[cellAt(lanes, time)] ?? NaN;
}

/** Emotions of one cell with their probabilities, the likeliest first. */
export function ranking(lanes: Lanes, cell: number, styles: EmotionStyle[]): [EmotionStyle, number][] {
  const row = lanes.emotions.subarray(cell * styles.length, (cell + 1) * styles.length);
  return styles
    .map((style, i): [EmotionStyle, number] => [style, (row[i] ?? 0) / 255])
    .sort((a, b) => b[1] - a[1]);
}

/** Index of the leading emotion of a cell; -1 where nobody speaks. */
export function leading(lanes: Lanes, cell: number, nEmotions: number): number {
  if (Number.isNaN(lanes.aggression[cell] ?? NaN)) return -1;
  let best = 0;
  for (let i = 1; i < nEmotions; i++) {
    if ((lanes.emotions[cell * nEmotions + i] ?? 0) > (lanes.emotions[cell * nEmotions + best] ?? 0)) best = i;
  }
  return best;
}

/** Runs of equal values of a function over cells: [first, behind the last, value]. */
export function* runs(first: number, end: number, value: (cell: number) => number): Generator<[number, number, number]> {
  let start = first;
  while (start < end) {
    const held = value(start);
    let stop = start + 1;
    while (stop < end && value(stop) === held) stop++;
    yield [start, stop, held];
    start = stop;
  }
}
