/** Fill patterns, so that no lane is read by colour alone. The names are Plotly's, as in blipper.figures. */

const TILE = 8;

const cache = new Map<string, HTMLCanvasElement>();

function tile(pattern: string, ink: string, ratio: number): HTMLCanvasElement {
  const key = `${pattern} ${ink} ${ratio}`;
  const held = cache.get(key);
  if (held) return held;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.round(TILE * ratio);
  const ctx = canvas.getContext("2d");
  if (ctx) {
    ctx.scale(canvas.width / TILE, canvas.height / TILE);
    ctx.strokeStyle = ctx.fillStyle = ink;
    ctx.lineWidth = 1.2;
    const line = (x0: number, y0: number, x1: number, y1: number) => {
      ctx.beginPath();
      ctx.moveTo(x0, y0);
      ctx.lineTo(x1, y1);
      ctx.stroke();
    };
    // Diagonals are drawn thrice, shifted by a tile, so that they meet at the corners.
    const rising = () => [-TILE, 0, TILE].forEach((d) => line(d, TILE, d + TILE, 0));
    const falling = () => [-TILE, 0, TILE].forEach((d) => line(d, 0, d + TILE, TILE));
    if (pattern === "-" || pattern === "+") line(0, TILE / 2, TILE, TILE / 2);
    if (pattern === "|" || pattern === "+") line(TILE / 2, 0, TILE / 2, TILE);
    if (pattern === "/" || pattern === "x") rising();
    if (pattern === "\\" || pattern === "x") falling();
    if (pattern === ".") {
      ctx.beginPath();
      ctx.arc(TILE / 2, TILE / 2, 1.3, 0, 2 * Math.PI);
      ctx.fill();
    }
  }
  cache.set(key, canvas);
  return canvas;
}

/** Fill a rectangle with a pattern in an ink; `origin` keeps it still while the view scrolls. */
export function hatch(
  ctx: CanvasRenderingContext2D,
  pattern: string,
  ink: string,
  x: number,
  y: number,
  width: number,
  height: number,
  origin = 0,
): void {
  if (pattern === "" || width <= 0) return;
  const ratio = ctx.getTransform().a;
  const fill = ctx.createPattern(tile(pattern, ink, ratio), "repeat");
  if (!fill) return;
  fill.setTransform(new DOMMatrix().translate(origin % TILE, 0).scale(1 / ratio));
  ctx.fillStyle = fill;
  ctx.fillRect(x, y, width, height);
}

/** Black or white, whichever reads better on a colour given as #rrggbb. */
export function inkOn(colour: string): string {
  const channel = (i: number) => {
    const c = parseInt(colour.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  const luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
  return luminance > 0.179 ? "#000000" : "#ffffff";
}

/** A legend's swatch: the colour with its pattern. */
export function swatch(colour: string, pattern: string): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  const ratio = window.devicePixelRatio || 1;
  canvas.width = 18 * ratio;
  canvas.height = 14 * ratio;
  canvas.setAttribute("aria-hidden", "true");
  const ctx = canvas.getContext("2d");
  if (ctx) {
    ctx.scale(ratio, ratio);
    ctx.fillStyle = colour;
    ctx.fillRect(0, 0, 18, 14);
    hatch(ctx, pattern, "rgba(0, 0, 0, 0.45)", 0, 0, 18, 14);
  }
  return canvas;
}
