/** What a text model reads in an utterance: a badge for its sentiment, a bar for verbal aggression. */

import { element, score } from "./format";
import type { ReadingData } from "./types";

/** Signs and words, so that no colour is needed. */
const SENTIMENTS = [
  ["negative", "−"],
  ["neutral", "○"],
  ["positive", "+"],
] as const;

export function reading([sentiment, aggression, found]: ReadingData, hostile: number): HTMLElement {
  const root = element("span", { class: "reading" });
  if (sentiment) root.append(badge(sentiment));
  if (aggression !== null) root.append(bar(aggression, hostile, found));
  return root;
}

function badge(sentiment: [number, number, number]): HTMLElement {
  const leading = sentiment.indexOf(Math.max(...sentiment));
  const [name, sign] = SENTIMENTS[leading] ?? SENTIMENTS[1];
  const title = `Sentiment: ${SENTIMENTS.map(([one], i) => `${one} ${score(sentiment[i] ?? 0)}`).join(", ")}`;
  const root = element(
    "span",
    { class: `sentiment ${name}`, title, role: "img", "aria-label": title },
    element("b", { "aria-hidden": "true" }, sign),
    name,
  );
  root.style.setProperty("--share", `${(sentiment[leading] ?? 0) * 100}%`);
  return root;
}

function bar(aggression: number, hostile: number, found: string | null): HTMLElement {
  const side = aggression >= hostile ? "reads as hostile" : "reads as harmless";
  const title = `Verbal aggression ${score(aggression)}, ${side}${found === null ? "" : `; with the voice: ${found}`}`;
  const root = element("span", { class: "hostility", title, role: "img", "aria-label": title });
  root.style.setProperty("--peak", `${aggression * 100}%`);
  root.style.setProperty("--threshold", `${hostile * 100}%`);
  if (aggression >= hostile) root.classList.add("over");
  return root;
}
