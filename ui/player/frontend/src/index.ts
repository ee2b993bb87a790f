/** Streamlit calls the default export at the first mount and at every change of data or theme. */

import "./style.css"; // esbuild writes it beside the module
import { EventList } from "./events";
import { Player } from "./player";
import type { ComponentArgs } from "./types";

const mounted = new WeakMap<HTMLElement | ShadowRoot, Player | EventList>();

export default function render({ data, parentElement }: ComponentArgs): () => void {
  const held = mounted.get(parentElement);
  if (held instanceof Player && data.kind === "player") held.update(data);
  else if (held instanceof EventList && data.kind === "events") held.update(data);
  else {
    held?.destroy();
    mounted.set(
      parentElement,
      data.kind === "player" ? new Player(parentElement, data) : new EventList(parentElement, data),
    );
  }
  return () => {
    mounted.get(parentElement)?.destroy();
    mounted.delete(parentElement);
  };
}
