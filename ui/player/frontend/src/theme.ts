/** Streamlit's colours at a place, as the canvas needs them. */

export interface Theme {
  text: string;
  background: string;
  muted: string;
  faint: string;
  accent: string;
  event: string;
  voice: string;
  words: string;
  font: string;
}

export function readTheme(root: HTMLElement): Theme {
  const style = getComputedStyle(root);
  const get = (name: string, otherwise: string) => style.getPropertyValue(name).trim() || otherwise;
  const text = get("--st-text-color", "#1f2933");
  return {
    text,
    background: get("--st-background-color", "#ffffff"),
    muted: get("--blipper-muted", text),
    faint: get("--blipper-faint", text),
    accent: get("--st-primary-color", "#1f5f8b"),
    event: get("--blipper-event", "#d55e00"),
    voice: get("--blipper-voice", "#0072b2"),
    words: get("--blipper-words", "#cc79a7"),
    font: get("--st-font", "sans-serif"),
  };
}
