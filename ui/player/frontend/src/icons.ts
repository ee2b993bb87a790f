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
