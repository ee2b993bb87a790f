/** The key to the lanes, readable without colour: swatches carry patterns, and every one has its name. */

import { code, element } from "./format";
import { leading } from "./lanes";
import { swatch } from "./patterns";
import type { EmotionStyle, Lanes } from "./types";

export function legend(emotions: EmotionStyle[], lanes: Lanes | null): HTMLElement {
  const list = element("ul", { "aria-label": "Key to the lanes" });
  list.append(
    item(element("i", { class: "key threshold" }), "threshold"),
    item(element("i", { class: "key event" }, "1"), "event: a stretch worth a listen"),
    item(element("i", { class: "key silence" }), "nobody speaks: no score"),
  );
  const present = new Set<number>();
  if (lanes) for (let c = 0; c < lanes.aggression.length; c++) present.add(leading(lanes, c, emotions.length));
  emotions.forEach((style, i) => {
    if (!present.has(i)) return;
    list.append(item(swatch(style.colour, style.pattern), style.name, code(style.name)));
  });
  return list;
}

function item(mark: HTMLElement, text: string, short = ""): HTMLElement {
  const node = element("li", {}, mark);
  if (short) node.append(element("b", {}, short));
  node.append(text);
  return node;
}
