/** The transcript: follows the playhead, plays what is clicked, is searched and corrected. Text is only ever text. */

import { clock, element } from "./format";
import { players } from "./player";
import { reading } from "./reading";
import type { SetTrigger, TranscriptData, UtteranceData } from "./types";

interface WordNode {
  node: HTMLElement;
  start: number;
  end: number;
  /** Where it stands in the utterance's text. */
  from: number;
  to: number;
}

interface Row {
  root: HTMLElement;
  utterance: UtteranceData;
  words: WordNode[];
  /** What the line says; while that stays, so does the line, with what a person selected or writes in it. */
  said: string;
}

/** For so long after the reader scrolled the list it stays where it is, in milliseconds. */
const PATIENCE = 4000;

export class TranscriptView {
  private readonly root: HTMLElement;
  private readonly list = element("ol", { class: "lines", tabindex: "0", "aria-label": "Transcript" });
  private readonly found = element("span", { class: "quiet", role: "status" });
  private readonly search: HTMLInputElement;
  private readonly legend = element("p", { class: "quiet note" });
  private readonly abort = new AbortController();
  private rows: Row[] = [];
  private data: TranscriptData | null = null;
  private shown = "";
  private current: Row | null = null;
  private marked: HTMLElement | null = null;
  private scrolled = -Infinity;
  private unsubscribe: () => void = () => undefined;
  private waiting = 0;

  constructor(
    parent: HTMLElement | ShadowRoot,
    data: TranscriptData,
    private trigger: SetTrigger,
  ) {
    this.search = element("input", {
      type: "search",
      placeholder: "Search the text",
      "aria-label": "Search the text",
      dir: "auto",
      maxlength: "200",
    });
    const signal = this.abort.signal;
    this.search.addEventListener("input", () => this.find(), { signal });
    this.list.addEventListener("click", (e) => this.click(e), { signal });
    for (const kind of ["wheel", "touchmove", "keydown"]) {
      this.list.addEventListener(kind, () => (this.scrolled = performance.now()), { signal, passive: true });
    }
    this.root = element(
      "section",
      { class: "transcript", "aria-label": "Transcript" },
      element("div", { class: "bar" }, this.search, this.found),
      this.list,
      this.legend,
    );
    parent.append(this.root);
    this.update(data, trigger);
  }

  update(data: TranscriptData, trigger: SetTrigger): void {
    this.trigger = trigger;
    this.data = data;
    const shown = JSON.stringify([data.utterances, data.draft, data.hostile]);
    if (shown !== this.shown) {
      this.shown = shown;
      this.current?.root.removeAttribute("aria-current");
      this.marked?.classList.remove("now");
      this.current = this.marked = null;
      this.rows = data.utterances.map((utterance, index) => this.renewed(utterance, index, data));
      while (this.list.children.length > this.rows.length) this.list.lastElementChild?.remove();
      const read = data.utterances.some((one) => one[5][0] !== null || one[5][1] !== null);
      this.list.classList.toggle("read", read);
      const unsure = this.rows.some((row) => row.root.querySelector(".unsure"));
      this.legend.replaceChildren();
      if (data.draft) this.legend.append(element("strong", {}, "Rough draft. "));
      if (unsure) this.legend.append(`Dotted words: the engine is unsure (confidence below ${data.low}).`);
      if (read) this.legend.append(" Beside a line: what a text model reads in it, sentiment and verbal aggression from 0 to 1; the mark on a bar is where words count as hostile.");
      this.find();
    }
    this.connect();
  }

  destroy(): void {
    this.abort.abort();
    clearTimeout(this.waiting);
    this.unsubscribe();
    this.root.remove();
  }

  /** The line at a place of the list: the one that is there, read anew, or another in its stead. */
  private renewed(utterance: UtteranceData, index: number, data: TranscriptData): Row {
    const said = JSON.stringify([utterance.slice(0, 5), data.low]);
    const old = this.rows[index];
    if (old?.said === said) {
      old.utterance = utterance;
      old.root.querySelector(".reading")?.replaceWith(reading(utterance[5], data.hostile));
      return old;
    }
    const row = this.row(utterance, index, data, said);
    if (old) old.root.replaceWith(row.root);
    else this.list.append(row.root);
    return row;
  }

  private row(utterance: UtteranceData, index: number, data: TranscriptData, said: string): Row {
    const [start, , text, confidence] = utterance;
    const play = element("button", { type: "button", class: "when", "aria-label": `Play from ${clock(start)}` }, clock(start));
    const edit = element("button", { type: "button", class: "edit", "aria-label": `Correct the text at ${clock(start)}` }, "Correct");
    const line = element("p", { dir: "auto" });
    const words: WordNode[] = [];
    let at = 0;
    for (const [word, from, to, sure] of utterance[4]) {
      const place = text.indexOf(word, at);
      if (place < 0) continue; // a word that the text does not have
      line.append(text.slice(at, place));
      const node = element("span", { class: sure !== null && sure < data.low ? "word unsure" : "word" }, word);
      if (sure !== null) node.title = `${clock(from, 2)}, confidence ${sure.toFixed(2)}`;
      else node.title = clock(from, 2);
      line.append(node);
      at = place + word.length;
      words.push({ node, start: from, end: to, from: place, to: at });
    }
    line.append(text.slice(at));
    const root = element("li", { "data-index": String(index) }, play, line, reading(utterance[5], data.hostile));
    if (confidence !== null) {
      root.append(element("span", { class: "sure quiet", title: "Mean confidence of the words" }, confidence.toFixed(2)));
    } else root.append(element("span", { class: "sure" }));
    root.append(edit);
    return { root, utterance, words, said };
  }

  private click(e: Event): void {
    const target = e.target as HTMLElement;
    const root = target.closest("li");
    const row = root ? this.rows[Number(root.dataset["index"])] : undefined;
    if (!row || target.closest("form")) return;
    if (target.closest(".edit")) this.correct(row);
    else if (target.closest(".when")) this.hear(row.utterance[0]);
    else {
      const word = row.words.find((one) => one.node === target);
      if (word) this.hear(word.start);
    }
  }

  private hear(time: number): void {
    this.scrolled = -Infinity;
    players.get(this.data?.player ?? "")?.playFrom(time);
  }

  /** Turn a line into a field; what is saved goes to Python, which sends the new text back. */
  private correct(row: Row): void {
    if (row.root.querySelector("form")) return;
    const field = element("textarea", { dir: "auto", rows: "3", "aria-label": "Corrected text", maxlength: "10000" });
    field.value = row.utterance[2];
    const save = element("button", { type: "submit", class: "control" }, "Save");
    const cancel = element("button", { type: "button", class: "control" }, "Cancel");
    const form = element("form", {}, field, element("div", { class: "bar" }, save, cancel));
    const close = () => {
      form.remove();
      row.root.classList.remove("editing");
    };
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      if (field.value.trim() !== row.utterance[2]) {
        this.trigger("correction", { index: Number(row.root.dataset["index"]), old: row.utterance[2], text: field.value });
      }
      close();
    });
    cancel.addEventListener("click", close);
    form.addEventListener("keydown", (e) => {
      e.stopPropagation();
      if (e.key === "Escape") close();
      if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) form.requestSubmit();
    });
    row.root.classList.add("editing");
    row.root.append(form);
    field.focus();
  }

  /** Hide the lines that do not hold what is searched for, and mark it where it is. */
  private find(): void {
    const wanted = this.search.value.trim().toLocaleLowerCase();
    let lines = 0;
    for (const row of this.rows) {
      const text = row.utterance[2].toLocaleLowerCase();
      const hits: number[] = [];
      if (wanted) for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) hits.push(at);
      row.root.hidden = wanted !== "" && hits.length === 0;
      if (hits.length > 0) lines += 1;
      for (const word of row.words) {
        word.node.classList.toggle("hit", hits.some((at) => at < word.to && at + wanted.length > word.from));
      }
    }
    this.found.textContent = wanted ? `${lines} of ${this.rows.length} lines` : "";
  }

  /** Follow the player; it may be mounted a moment later than this list. */
  private connect(): void {
    clearTimeout(this.waiting);
    this.unsubscribe();
    const player = players.get(this.data?.player ?? "");
    if (!player) {
      this.waiting = window.setTimeout(() => this.connect(), 100);
      return;
    }
    this.unsubscribe = player.follow((time, playing) => this.mark(time, playing));
  }

  private mark(time: number, playing: boolean): void {
    // Of lines that overlap, the one that began last.
    let row: Row | null = null;
    for (const one of this.rows) {
      if (one.utterance[0] > time + 0.02) break;
      if (time < one.utterance[1]) row = one;
    }
    let word: WordNode | null = null;
    for (const one of row?.words ?? []) if (one.start <= time + 0.02) word = one;
    if (row !== this.current) {
      this.current?.root.removeAttribute("aria-current");
      row?.root.setAttribute("aria-current", "true");
      this.current = row;
      if (row && playing && performance.now() - this.scrolled > PATIENCE) this.show(row.root);
    }
    const node = word?.node ?? null;
    if (node !== this.marked) {
      this.marked?.classList.remove("now");
      node?.classList.add("now");
      this.marked = node;
    }
  }

  /** Scroll the list, and never the page. */
  private show(line: HTMLElement): void {
    const box = this.list.getBoundingClientRect();
    const own = line.getBoundingClientRect();
    if (own.top < box.top || own.bottom > box.bottom) {
      this.list.scrollTop += own.top - box.top - box.height / 3;
    }
  }
}
