/** The list of events: choose a row and the player plays that stretch. */

import { describe } from "./badges";
import { ICONS } from "./controls";
import { clock, code, element, score } from "./format";
import { swatch } from "./patterns";
import { players } from "./player";
import type { EventData, EventListData } from "./types";

export class EventList {
  private readonly root: HTMLElement;
  private readonly abort = new AbortController();
  private rows = new Map<number, HTMLElement>();
  private unsubscribe: () => void = () => undefined;
  private player = "";
  private waiting = 0;

  constructor(parent: HTMLElement | ShadowRoot, data: EventListData) {
    this.root = element("div", { class: "events" });
    parent.append(this.root);
    this.update(data);
  }

  update(data: EventListData): void {
    this.rows = new Map();
    const heads = ["Event", "Stretch", "Length", "Peak score", "Mean score", "Leading emotion"];
    const fused = data.events.some((event) => event.carrier !== null);
    if (fused) heads.push("Carried by");
    const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
    const body = element("tbody");
    for (const event of data.events) body.append(this.row(event, data, fused));
    this.root.replaceChildren(
      element("table", {}, element("caption", {}, "Events: choose one to hear it"), element("thead", {}, head), body),
    );
    this.player = data.player;
    this.connect();
  }

  destroy(): void {
    this.abort.abort();
    clearTimeout(this.waiting);
    this.unsubscribe();
    this.root.remove();
  }

  private row(event: EventData, data: EventListData, fused: boolean): HTMLElement {
    const play = element("button", { type: "button", class: "control", "aria-label": describe(event) });
    play.innerHTML = ICONS.play;
    play.append(String(event.number));
    const meter = element("span", { class: "meter", "aria-hidden": "true" });
    meter.style.setProperty("--peak", `${event.peak * 100}%`);
    meter.style.setProperty("--threshold", `${data.threshold * 100}%`);
    const style = data.emotions.find((emotion) => emotion.name === event.emotion);
    const emotion = element("td", { class: "emotion" });
    if (style) emotion.append(swatch(style.colour, style.pattern), element("b", {}, code(event.emotion)));
    emotion.append(event.emotion);
    const row = element(
      "tr",
      {},
      element("td", {}, play),
      element("td", { class: "number" }, `${clock(event.start)} – ${clock(event.end)}`),
      element("td", { class: "number" }, `${(event.end - event.start).toFixed(1)} s`),
      element("td", { class: "number" }, score(event.peak), meter, element("small", {}, `at ${clock(event.peak_time)}`)),
      element("td", { class: "number" }, score(event.mean)),
      emotion,
    );
    if (fused) {
      const side = element("td", {}, event.carrier ?? "", element("div", { class: "quiet case" }, event.case ?? ""));
      if (event.meaning !== null) side.title = event.meaning;
      row.append(side);
    }
    row.addEventListener("click", () => players.get(this.player)?.playEvent(event), { signal: this.abort.signal });
    this.rows.set(event.number, row);
    return row;
  }

  /** Follow the player; it may be mounted a moment later than this list. */
  private connect(): void {
    clearTimeout(this.waiting);
    this.unsubscribe();
    const player = players.get(this.player);
    if (!player) {
      this.waiting = window.setTimeout(() => this.connect(), 100);
      return;
    }
    this.unsubscribe = player.subscribe((playing) => {
      for (const [number, row] of this.rows) {
        if (playing?.number === number) row.setAttribute("aria-current", "true");
        else row.removeAttribute("aria-current");
      }
    });
  }
}
