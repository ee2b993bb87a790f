/** Streamlit calls the default export at the first mount and at every change of data or theme. */

import "./style.css"; // esbuild writes it beside the module
import { EventList } from "./events";
import { Player } from "./player";
import { TranscriptView } from "./transcript";
import type { ComponentArgs } from "./types";

const mounted = new WeakMap<HTMLElement | ShadowRoot, Player | EventList | TranscriptView>();

export default function render({ data, parentElement, setTriggerValue }: ComponentArgs): () => void {
  const held = mounted.get(parentElement);
  if (held instanceof Player && data.kind === "player") held.update(data);
  else if (held instanceof EventList && data.kind === "events") held.update(data);
  else if (held instanceof TranscriptView && data.kind === "transcript") held.update(data, setTriggerValue);
  else {
    held?.destroy();
    if (data.kind === "player") mounted.set(parentElement, new Player(parentElement, data));
    else if (data.kind === "events") mounted.set(parentElement, new EventList(parentElement, data));
    else mounted.set(parentElement, new TranscriptView(parentElement, data, setTriggerValue));
  }
  return () => {
    mounted.get(parentElement)?.destroy();
    mounted.delete(parentElement);
  };
}
