/**
 * Draws everything below and over the waveform into one canvas as wide as the visible part: the event bands, the
 * aggression curve with its threshold, the emotion ribbon and the time axis.
 */

import { drawSides, type CurveName } from "./curves";
import { clock, code, score } from "./format";
import { leading, runs } from "./lanes";
import { hatch, inkOn } from "./patterns";
import type { Theme } from "./theme";
import type { EmotionStyle, EventData, Lanes } from "./types";

/** Heights in CSS pixels, from the top. */
export const WAVE = 76;
const BADGES = 22;
const CAPTION = 20;
const CURVE = 104;
const RIBBON = 30;
const AXIS = 22;
const CURVE_TOP = WAVE + BADGES + CAPTION;
const RIBBON_TOP = CURVE_TOP + CURVE + CAPTION;
const AXIS_TOP = RIBBON_TOP + RIBBON;
export const HEIGHT = AXIS_TOP + AXIS;
/** Where the numbers of the events stand. */
export const BADGE_TOP = WAVE + 3;

export interface Scene {
  lanes: Lanes;
  events: EventData[];
  threshold: number;
  emotions: EmotionStyle[];
  theme: Theme;
  /** Pixels a second, and the scroll position in pixels. */
  scale: number;
  scroll: number;
  width: number;
  /** Which curves to draw, where there are several. */
  shown: ReadonlySet<CurveName>;
  /** The event that plays or was chosen last, by its number. */
  chosen: number | null;
}

export function draw(canvas: HTMLCanvasElement, scene: Scene): void {
  const ratio = Math.max(1, window.devicePixelRatio || 1);
  const width = Math.max(1, Math.round(scene.width));
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(HEIGHT * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(HEIGHT * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${HEIGHT}px`;
  }
  const ctx = canvas.getContext("2d");
  if (!ctx) return;
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, HEIGHT);
  ctx.textBaseline = "middle";
  const step = scene.lanes.step;
  const first = Math.max(0, Math.floor(scene.scroll / scene.scale / step) - 1);
  const end = Math.min(
    scene.lanes.aggression.length,
    Math.ceil((scene.scroll + width) / scene.scale / step) + 1,
  );
  const view: View = {
    ...scene,
    ctx,
    width,
    first,
    end,
    x: (time) => time * scene.scale - scene.scroll,
  };
  drawSilence(view);
  drawEvents(view);
  drawCurve(view);
  drawRibbon(view);
  drawAxis(view);
  caption(view, "Waveform", 9);
  caption(view, "Aggression score", WAVE + BADGES + CAPTION / 2);
  caption(view, "Leading emotion", CURVE_TOP + CURVE + CAPTION / 2);
}

interface View extends Scene {
  ctx: CanvasRenderingContext2D;
  first: number;
  end: number;
  x: (time: number) => number;
}

const curveY = (value: number) => CURVE_TOP + CURVE * (1 - value);

function caption({ ctx, theme }: View, text: string, y: number): void {
  ctx.font = `600 11px ${theme.font}`;
  halo(ctx, theme, text, 4, y, "left", theme.muted);
}

/** Text on a rim of the background, readable on whatever lies beneath. */
function halo(
  ctx: CanvasRenderingContext2D,
  theme: Theme,
  text: string,
  x: number,
  y: number,
  align: CanvasTextAlign,
  colour: string,
): void {
  ctx.textAlign = align;
  ctx.lineWidth = 4;
  ctx.lineJoin = "round";
  ctx.strokeStyle = theme.background;
  ctx.strokeText(text, x, y);
  ctx.fillStyle = colour;
  ctx.fillText(text, x, y);
}

function cellEdges(view: View, start: number, stop: number): [number, number] {
  const { lanes, x, width } = view;
  const left = Math.max(-TILE_MARGIN, x(start * lanes.step));
  const right = Math.min(width + TILE_MARGIN, x(Math.min(stop * lanes.step, lanes.duration)));
  return [left, right];
}

const TILE_MARGIN = 16;

/** Hatches where nobody speaks, across curve and ribbon, and says so where there is room. */
function drawSilence(view: View): void {
  const { ctx, theme, lanes, first, end } = view;
  const silent = (cell: number) => Number(Number.isNaN(lanes.aggression[cell] ?? NaN));
  for (const [start, stop, isSilent] of runs(first, end, silent)) {
    if (!isSilent) continue;
    const [left, right] = cellEdges(view, start, stop);
    for (const [top, height] of [[CURVE_TOP, CURVE], [RIBBON_TOP, RIBBON]] as const) {
      hatch(ctx, "/", theme.faint, left, top, right - left, height, -view.scroll);
    }
    ctx.font = `11px ${theme.font}`;
    if (right - left > ctx.measureText("no speech").width + 12) {
      halo(ctx, theme, "no speech", (left + right) / 2, RIBBON_TOP + RIBBON / 2, "center", theme.muted);
    }
  }
}

/** Bands from the waveform down to the axis: tinted, edged, so that they show without colour. */
function drawEvents(view: View): void {
  const { ctx, theme, events, chosen, x, width } = view;
  for (const event of events) {
    const left = x(event.start);
    const right = Math.max(left + 2, x(event.end));
    if (right < 0 || left > width) continue;
    const narrow = right - left < 6; // its two edges would hide everything else
    ctx.globalAlpha = event.number === chosen || narrow ? 0.3 : 0.15;
    ctx.fillStyle = theme.event;
    ctx.fillRect(left, 0, right - left, CURVE_TOP + CURVE);
    ctx.globalAlpha = 1;
    if (narrow && event.number !== chosen) continue;
    ctx.lineWidth = event.number === chosen ? 2 : 1;
    ctx.strokeStyle = theme.event;
    ctx.beginPath();
    for (const edge of [left, right]) {
      ctx.moveTo(edge, 0);
      ctx.lineTo(edge, CURVE_TOP + CURVE);
    }
    ctx.stroke();
  }
}

function drawCurve(view: View): void {
  const { ctx, theme, lanes, first, end, x, width, threshold } = view;
  ctx.font = `10px ${theme.font}`;
  ctx.lineWidth = 1;
  for (const value of [0, 0.5, 1]) {
    const y = Math.round(curveY(value)) + (value === 1 ? 0.5 : -0.5);
    ctx.strokeStyle = theme.faint;
    line(ctx, 0, y, width, y);
  }
  drawSides({ ...view, y: curveY }, view.shown);
  const scoreAtCell = (cell: number) => lanes.aggression[cell] ?? NaN;
  const drawn = lanes.words === null || view.shown.has("fused") ? end : first;
  for (const [start, stop, spoken] of runs(first, drawn, (c) => Number(!Number.isNaN(scoreAtCell(c))))) {
    if (!spoken) continue;
    const path = new Path2D();
    path.moveTo(x(start * lanes.step), curveY(scoreAtCell(start)));
    for (let cell = start; cell < stop; cell++) path.lineTo(x((cell + 0.5) * lanes.step), curveY(scoreAtCell(cell)));
    const right = x(Math.min(stop * lanes.step, lanes.duration));
    path.lineTo(right, curveY(scoreAtCell(stop - 1)));
    const area = new Path2D(path);
    area.lineTo(right, curveY(0));
    area.lineTo(x(start * lanes.step), curveY(0));
    area.closePath();
    ctx.save();
    ctx.globalAlpha = 0.12;
    ctx.fillStyle = theme.text;
    ctx.fill(area);
    ctx.restore();
    // What reaches the threshold is filled and drawn heavier.
    ctx.save();
    ctx.beginPath();
    ctx.rect(0, CURVE_TOP - 2, width, curveY(threshold) - CURVE_TOP + 2);
    ctx.clip();
    ctx.globalAlpha = 0.55;
    ctx.fillStyle = theme.event;
    ctx.fill(area);
    ctx.restore();
    ctx.lineJoin = "round";
    ctx.lineWidth = view.scale * lanes.step < 1.5 ? 1 : 2; // thinner where several cells share a pixel
    ctx.strokeStyle = theme.text;
    ctx.stroke(path);
  }
  const y = curveY(threshold);
  ctx.save();
  ctx.setLineDash([6, 4]);
  ctx.lineWidth = 1.5;
  ctx.strokeStyle = theme.accent;
  line(ctx, 0, y, width, y);
  ctx.restore();
  ctx.font = `600 11px ${theme.font}`;
  const above = y - 9 > CURVE_TOP + 4;
  halo(ctx, theme, `threshold ${score(threshold)}`, width - 6, above ? y - 9 : y + 10, "right", theme.accent);
  ctx.font = `10px ${theme.font}`;
  for (const value of [0, 0.5, 1]) {
    const offset = value === 1 ? 7 : value === 0 ? -7 : 0;
    halo(ctx, theme, value === 0.5 ? "0.5" : String(value), 4, curveY(value) + offset, "left", theme.muted);
  }
}

function drawRibbon(view: View): void {
  const { ctx, theme, lanes, emotions, first, end } = view;
  for (const [start, stop, index] of runs(first, end, (cell) => leading(lanes, cell, emotions.length))) {
    const style = emotions[index];
    if (!style) continue;
    const [left, right] = cellEdges(view, start, stop);
    const width = right - left;
    ctx.fillStyle = style.colour;
    ctx.fillRect(left, RIBBON_TOP, width, RIBBON);
    hatch(ctx, style.pattern, "rgba(0, 0, 0, 0.28)", left, RIBBON_TOP, width, RIBBON, -view.scroll);
    if (width > 3) {
      ctx.fillStyle = theme.background;
      ctx.fillRect(right - 1, RIBBON_TOP, 1, RIBBON);
    }
    ctx.font = `600 11px ${theme.font}`;
    const label = [style.name, code(style.name)].find((text) => ctx.measureText(text).width + 10 <= width);
    if (label === undefined) continue;
    const visible = (Math.max(0, left) + Math.min(view.width, right)) / 2;
    const half = ctx.measureText(label).width / 2 + 4;
    const middle = Math.min(Math.max(visible, left + half), right - half);
    ctx.fillStyle = style.colour;
    ctx.fillRect(middle - half, RIBBON_TOP + 7, 2 * half, RIBBON - 14);
    ctx.fillStyle = inkOn(style.colour);
    ctx.textAlign = "center";
    ctx.fillText(label, middle, RIBBON_TOP + RIBBON / 2 + 0.5);
  }
}

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

function drawAxis({ ctx, theme, lanes, scale, scroll, width, x }: View): void {
  const step = STEPS.find((s) => s * scale >= 72) ?? 7200;
  ctx.font = `11px ${theme.font}`;
  ctx.lineWidth = 1;
  ctx.strokeStyle = theme.muted;
  for (let i = Math.ceil(scroll / scale / step); i * step <= lanes.duration; i++) {
    const at = x(i * step);
    if (at > width) break;
    line(ctx, at, AXIS_TOP, at, AXIS_TOP + 5);
    const text = clock(i * step, step < 1 ? 1 : 0);
    const half = ctx.measureText(text).width / 2;
    ctx.textAlign = "center";
    ctx.fillStyle = theme.muted;
    ctx.fillText(text, Math.min(Math.max(at, half + 1), width - half - 1), AXIS_TOP + 14);
  }
}

function line(ctx: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}
