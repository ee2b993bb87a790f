/** What the lanes say at one time: for screen readers and the line below the lanes, and for the tip beside the mouse. */

import { clock, element, percent, score } from "./format";
import { cellAt, leading, ranking, scoreAt } from "./lanes";
import type { Lanes, PlayerData } from "./types";

const SHOWN = 3;

export function inWords(lanes: Lanes, time: number, data: PlayerData): string {
  const value = scoreAt(lanes, time);
  if (Number.isNaN(value)) return "no speech, so no score";
  const top = ranking(lanes, cellAt(lanes, time), data.emotions).slice(0, SHOWN);
  const emotions = top.map(([style, p]) => `${style.name} ${percent(p)}`).join(", ");
  const reach = value >= data.threshold ? "at or above the threshold" : "below the threshold";
  const sides = sidesAt(lanes, time, data);
  return `score ${score(value)}, ${reach}; ${sides.length > 0 ? `${sides.join(", ")}; ` : ""}${emotions}`;
}

/** What voice and words score at a time, and which of the four cases that is; nothing where no words have a score. */
function sidesAt(lanes: Lanes, time: number, data: PlayerData): string[] {
  const cell = cellAt(lanes, time);
  if (!lanes.words || !data.curves) return [];
  const voice = lanes.voice[cell] ?? NaN;
  const words = lanes.words[cell] ?? NaN;
  if (Number.isNaN(words)) return [`voice ${score(voice)}`, "no scored words"];
  const angry = voice >= data.threshold;
  const hostile = words >= data.curves.hostile;
  const found = angry && hostile ? "both" : angry ? "voice" : hostile ? "words" : "neither";
  return [`voice ${score(voice)}`, `words ${score(words)}`, data.curves.cases[found]];
}

export function inLines(lanes: Lanes, time: number, data: PlayerData): HTMLElement[] {
  const lines: HTMLElement[] = [element("strong", {}, clock(time))];
  const cell = cellAt(lanes, time);
  if (leading(lanes, cell, data.emotions.length) < 0) lines.push(element("div", {}, "no speech"));
  else {
    lines.push(element("div", {}, `score ${score(scoreAt(lanes, time))}`));
    for (const side of sidesAt(lanes, time, data)) lines.push(element("div", {}, side));
    for (const [style, p] of ranking(lanes, cell, data.emotions).slice(0, SHOWN)) {
      lines.push(element("div", { class: "quiet" }, `${style.name} ${percent(p)}`));
    }
  }
  const event = data.events.find((e) => e.start <= time && time < e.end);
  if (event) {
    const carrier = event.carrier === null ? "" : `, ${event.carrier}`;
    lines.push(element("div", { class: "quiet" }, `event ${event.number}${carrier}`));
  }
  return lines;
}
