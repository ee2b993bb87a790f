/** The voice's, the words' and the fused curve: unpacking, showing each apart, and drawing what is beside the score. */

import { element } from "./format";
import { runs } from "./lanes";
import type { Theme } from "./theme";
import type { CurvesData, Lanes } from "./types";

export type CurveName = "fused" | "voice" | "words";

/** Dashes tell the lines apart without colour; the threshold's are [6, 4]. */
const DASHES: Record<CurveName, number[]> = { fused: [], voice: [9, 3, 2, 3], words: [2, 3] };
const LABELS: Record<CurveName, string> = { fused: "Both together", voice: "Voice", words: "Words" };
const HINTS: Record<CurveName, string> = {
  fused: "the score that counts, of voice and words together",
  voice: "the score of the voice alone",
  words: "the score of the words alone, an utterance at a time",
};

/** What a score is where there is none, as Python packs it. */
const NONE = 65535;

/** Unpack numbers of [0, 1] that came as base64 of 16 bit. */
function unpacked(text: string): Float32Array {
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 2 }, (_, i) => {
    const value = view.getUint16(2 * i, true);
    return value === NONE ? NaN : value / (NONE - 1);
  });
}

/** The lanes with the fused score in place of the voice's, and both sides beside it; as they are without words. */
export function withCurves(lanes: Lanes, data: CurvesData | null): Lanes {
  if (!data) return { ...lanes, aggression: lanes.voice, words: null };
  return { ...lanes, aggression: unpacked(data.fused), words: unpacked(data.words) };
}

/** Buttons that show and hide the curves; nothing where there is only the voice's. */
export class CurveToggles {
  readonly root = element("div", { class: "curves", role: "group", "aria-label": "Curves shown", hidden: "" });
  readonly shown = new Set<CurveName>(["fused", "voice", "words"]);

  constructor(changed: () => void) {
    for (const name of ["fused", "voice", "words"] as const) {
      const made = element("button", { type: "button", class: "control curve", "aria-pressed": "true", title: HINTS[name] });
      made.innerHTML = sample(name);
      made.append(LABELS[name]);
      made.addEventListener("click", () => {
        const on = !this.shown.delete(name);
        if (on) this.shown.add(name);
        made.setAttribute("aria-pressed", String(on));
        changed();
      });
      this.root.append(made);
    }
  }

  update(data: CurvesData | null): void {
    this.root.hidden = data === null;
  }
}

/** A line as it is drawn, of our own making. */
function sample(name: CurveName): string {
  const dash = DASHES[name].join(" ");
  return `<svg class="sample ${name}" viewBox="0 0 28 8" width="28" height="8" aria-hidden="true"><path d="M0 4h28" fill="none" stroke="currentColor" stroke-width="2.5" stroke-dasharray="${dash}"/></svg>`;
}

export interface Plot {
  ctx: CanvasRenderingContext2D;
  lanes: Lanes;
  theme: Theme;
  first: number;
  end: number;
  x: (time: number) => number;
  y: (score: number) => number;
}

/** Draw the curves beside the score that counts, under it. */
export function drawSides(plot: Plot, shown: ReadonlySet<CurveName>): void {
  const { lanes, theme } = plot;
  if (!lanes.words) return;
  if (shown.has("voice")) stroke(plot, lanes.voice, DASHES.voice, theme.voice, false);
  if (shown.has("words")) stroke(plot, lanes.words, DASHES.words, theme.words, true);
}

/** One line with gaps; in steps where a value holds for a whole utterance. */
function stroke(plot: Plot, values: Float32Array, dash: number[], colour: string, steps: boolean): void {
  const { ctx, lanes, first, end, x, y } = plot;
  const at = (cell: number) => values[cell] ?? NaN;
  ctx.save();
  ctx.setLineDash(dash);
  ctx.lineDashOffset = x(0); // the dashes move with the sound
  ctx.lineWidth = 2;
  ctx.strokeStyle = colour;
  for (const [start, stop, scored] of runs(first, end, (cell) => Number(!Number.isNaN(at(cell))))) {
    if (!scored) continue;
    const path = new Path2D();
    path.moveTo(x(start * lanes.step), y(at(start)));
    for (let cell = start; cell < stop; cell++) {
      if (steps) path.lineTo(x(cell * lanes.step), y(at(cell)));
      path.lineTo(x((cell + (steps ? 1 : 0.5)) * lanes.step), y(at(cell)));
    }
    path.lineTo(x(Math.min(stop * lanes.step, lanes.duration)), y(at(stop - 1)));
    ctx.stroke(path);
  }
  ctx.restore();
}
