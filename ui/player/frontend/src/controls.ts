/** Buttons, their icons, and the choice of speed. */

import { element } from "./format";

/** Drawn for Blipper on a grid of 16; they take the button's text colour. */
const icon = (shape: string) =>
  `<svg viewBox="0 0 16 16" width="16" height="16" fill="currentColor" aria-hidden="true">${shape}</svg>`;

export const ICONS = {
  play: icon('<path d="M4 2.2v11.6L13.5 8z"/>'),
  pause: icon('<path d="M3.5 2.5h3.2v11H3.5zM9.3 2.5h3.2v11H9.3z"/>'),
  previous: icon('<path d="M2.5 3h2v10h-2zM13.5 3v10L5.5 8z"/>'),
  next: icon('<path d="M11.5 3h2v10h-2zM2.5 3v10l8-5z"/>'),
  plus: icon('<path d="M7 3h2v4h4v2H9v4H7V9H3V7h4z"/>'),
  minus: icon('<path d="M3 7h10v2H3z"/>'),
};

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];

/** `content` is one of our own icons or words, never text from outside. */
export function button(content: string, label: string, act: () => void, kind = ""): HTMLButtonElement {
  const made = element("button", { type: "button", title: label, "aria-label": label, class: `control ${kind}` });
  made.innerHTML = content;
  made.addEventListener("click", act);
  return made;
}

export function speedSelect(choose: (speed: number) => void): HTMLElement {
  const select = element("select", { "aria-label": "Playback speed", title: "Playback speed" });
  for (const speed of SPEEDS) select.append(new Option(`${speed}×`, String(speed), speed === 1, speed === 1));
  select.addEventListener("change", () => choose(Number(select.value)));
  return select;
}
