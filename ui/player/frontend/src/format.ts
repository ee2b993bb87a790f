/** Times and numbers as people read them. */

/** 67.34 -> "1:07.3"; with hours "1:02:07.3"; without decimals "1:07". */
export function clock(seconds: number, decimals = 1): string {
  const scale = 10 ** decimals;
  const whole = Math.round(Math.max(0, seconds) * scale);
  const s = (whole / scale) % 60;
  const minutes = Math.floor(whole / scale / 60);
  const secondsText = s.toFixed(decimals).padStart(decimals > 0 ? 3 + decimals : 2, "0");
  if (minutes < 60) return `${minutes}:${secondsText}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${secondsText}`;
}

export function score(value: number): string {
  return value.toFixed(2);
}

export function percent(value: number): string {
  return `${Math.round(value * 100)} %`;
}

/** Two letters, unlike for each emotion: "angry" -> "An". */
export function code(emotion: string): string {
  return emotion.charAt(0).toUpperCase() + emotion.charAt(1);
}

/** An element with attributes and children; text is only ever set as text. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
