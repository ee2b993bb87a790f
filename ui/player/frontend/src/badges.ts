/** The events' numbers above the curve: buttons that play the stretch. */

import { clock, element, score } from "./format";
import type { EventData } from "./types";

/** Room that a tick needs, in pixels. */
const TICK = 7;

/**
 * One numbered button an event. Where numbers would overlap the later ones shrink to a tick, and vanish where not
 * even that has room: zooming in, the list of events and the keys still reach them.
 */
export function badges(
  events: EventData[],
  scale: number,
  colour: string,
  play: (event: EventData) => void,
): HTMLElement[] {
  const made: HTMLElement[] = [];
  let free = -Infinity;
  for (const event of events) {
    const text = String(event.number);
    const middle = ((event.start + event.end) / 2) * scale;
    const full = 14 + 7 * text.length;
    const room = [full, TICK].find((width) => middle - width / 2 >= free);
    if (room === undefined) continue;
    free = middle + room / 2;
    const badge = element("button", {
      type: "button",
      class: room === full ? "badge" : "badge tick",
      tabindex: "-1",
      title: `Play event ${text}${event.carrier === null ? "" : `: ${event.carrier}, ${event.case}`}`,
      "aria-label": describe(event),
    });
    if (room === full) badge.textContent = text;
    badge.style.left = `${middle}px`;
    badge.style.setProperty("--event", colour);
    badge.addEventListener("click", (e) => {
      e.stopPropagation(); // else the lane below plays from there
      play(event);
    });
    made.push(badge);
  }
  return made;
}

export function describe(event: EventData): string {
  const stretch = `${clock(event.start)} to ${clock(event.end)}`;
  const carrier = event.carrier === null ? "" : `, ${event.carrier}, ${event.case}`;
  return `Play event ${event.number}: ${stretch}, peak score ${score(event.peak)}, leading emotion ${event.emotion}${carrier}`;
}

/** For wavesurfer's shadow root, in which the badges live. */
export const BADGE_CSS = `
  .badge {
    position: absolute; transform: translateX(-50%); pointer-events: auto; cursor: pointer; box-sizing: border-box;
    min-width: 20px; height: 18px; padding: 0 5px; border: 1px solid #fff8; border-radius: 9px;
    background: var(--event); color: #fff; font: 700 11px/16px sans-serif; text-align: center;
  }
  .badge.tick { min-width: 5px; width: 5px; padding: 0; border-radius: 2px; }
  .badge:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
`;
