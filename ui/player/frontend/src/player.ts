/** The player: one playhead over waveform, aggression curve and emotion ribbon. */

import WaveSurfer from "wavesurfer.js";

import { BADGE_CSS, badges } from "./badges";
import { button, ICONS, speedSelect } from "./controls";
import { CurveToggles, withCurves } from "./curves";
import { clock, element } from "./format";
import { fetchLanes } from "./lanes";
import { legend } from "./legend";
import { inLines, inWords } from "./readout";
import { readTheme, type Theme } from "./theme";
import { BADGE_TOP, draw, HEIGHT, WAVE } from "./view";
import type { EventData, Lanes, PlayerData } from "./types";

type Listener = (playing: EventData | null) => void;
type Follower = (time: number, playing: boolean) => void;

/** Players that are on the page, so that a list of events finds its own. */
export const players = new Map<string, Player>();

/** Chromium lays out boxes up to about 33 million pixels; half of that is safe everywhere. */
const MAX_WIDTH = 16_000_000;

export class Player {
  private readonly root: HTMLElement;
  private readonly audio = element("audio", { preload: "metadata" });
  private readonly stage: HTMLElement;
  private readonly bar: HTMLElement;
  private readonly time = element("span", { class: "time" });
  private readonly readout = element("p", { class: "readout" });
  private readonly message = element("p", { class: "message", role: "alert", hidden: "" });
  private readonly legendBox = element("div", { class: "legend" });
  private readonly tip = element("div", { class: "tip", role: "tooltip", hidden: "" });
  private readonly playButton: HTMLButtonElement;
  private readonly eventButtons: HTMLButtonElement[];
  private readonly curves = new CurveToggles(() => this.redraw());
  private readonly zoomButtons: Record<"in" | "out" | "fit", HTMLButtonElement>;
  private readonly canvas = element("canvas");
  private readonly badges = element("div");
  private readonly hairline = element("div");
  private readonly listeners = new Set<Listener>();
  private readonly followers = new Set<Follower>();
  private readonly abort = new AbortController();

  private data: PlayerData;
  private surfer: WaveSurfer | null = null;
  private lanes: Lanes | null = null;
  private loaded = "";
  private theme: Theme;
  private chosen: EventData | null = null;
  private stopAt: number | null = null;
  private frame = 0;

  constructor(parent: HTMLElement | ShadowRoot, data: PlayerData) {
    this.data = data;
    this.playButton = button(ICONS.play, "Play", () => this.toggle(), "play");
    this.eventButtons = [
      button(ICONS.previous, "Previous event (P)", () => this.jump(-1)),
      button(ICONS.next, "Next event (N)", () => this.jump(1)),
    ];
    this.zoomButtons = {
      out: button(ICONS.minus, "Zoom out (−)", () => this.zoom(0.5)),
      in: button(ICONS.plus, "Zoom in (+)", () => this.zoom(2)),
      fit: button("Fit", "Show the whole recording (0)", () => this.zoom(0)),
    };
    const [previous, next] = this.eventButtons as [HTMLButtonElement, HTMLButtonElement];
    this.bar = element(
      "div",
      { class: "bar" },
      previous,
      this.playButton,
      next,
      this.time,
      element("span", { class: "spring" }),
      speedSelect((speed) => this.surfer?.setPlaybackRate(speed)),
      element("div", { class: "group", role: "group", "aria-label": "Zoom" }, ...Object.values(this.zoomButtons)),
    );
    this.stage = element("div", {
      class: "stage",
      tabindex: "0",
      role: "slider",
      "aria-label": "Position in the recording",
      "aria-orientation": "horizontal",
      "aria-valuemin": "0",
    });
    this.root = element(
      "section",
      { class: "player" },
      this.bar,
      this.curves.root,
      element("div", { class: "frame" }, this.stage, this.tip),
      this.readout,
      this.message,
      this.legendBox,
      this.audio,
    );
    parent.append(this.root);
    this.theme = readTheme(this.root);
    this.listen();
    this.update(data);
  }

  /** Take new data: a moved threshold and its events at once, another recording by loading it. */
  update(data: PlayerData): void {
    if (players.get(this.data.id) === this) players.delete(this.data.id);
    players.set(data.id, this);
    this.data = data;
    this.theme = readTheme(this.root);
    if (this.chosen) this.chosen = data.events.find((e) => same(e, this.chosen)) ?? null;
    this.root.setAttribute("aria-label", `Player for ${data.name}`);
    this.stage.setAttribute("aria-valuemax", data.duration.toFixed(1));
    this.curves.update(data.curves);
    if (this.lanes) this.lanes = withCurves(this.lanes, data.curves);
    this.legendBox.replaceChildren(legend(data.emotions, this.lanes));
    for (const jump of this.eventButtons) jump.disabled = data.events.length === 0;
    if (data.audio !== this.loaded) void this.load();
    this.surfer?.setOptions(this.colours());
    this.placeBadges();
    this.redraw();
    this.tick();
    this.tell();
  }

  /** Play from an event's start and stop at its end. */
  playEvent(event: EventData): void {
    this.chosen = event;
    this.play(event.start, event.end);
    this.redraw();
    this.tell();
  }

  /** Be told which event plays, now and at every change; returns how to stop that. */
  subscribe(listener: Listener): () => void {
    this.listeners.add(listener);
    listener(this.playingEvent());
    return () => this.listeners.delete(listener);
  }

  /** Play from a time on. */
  playFrom(time: number): void {
    this.play(time);
  }

  /** Be told where the playhead is, now and whenever it moves; returns how to stop that. */
  follow(follower: Follower): () => void {
    this.followers.add(follower);
    follower(this.audio.currentTime, !this.audio.paused);
    return () => this.followers.delete(follower);
  }

  destroy(): void {
    this.abort.abort();
    cancelAnimationFrame(this.frame);
    this.surfer?.destroy();
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.audio.load();
    if (players.get(this.data.id) === this) players.delete(this.data.id);
    this.root.remove();
  }

  private async load(): Promise<void> {
    const { audio, lanes, duration } = this.data;
    this.loaded = audio;
    this.root.setAttribute("aria-busy", "true");
    try {
      this.lanes = withCurves(await fetchLanes(lanes, this.abort.signal), this.data.curves);
    } catch (error) {
      if (!this.abort.signal.aborted) this.fail(error);
      return;
    }
    if (this.abort.signal.aborted || this.loaded !== audio) return;
    this.legendBox.replaceChildren(legend(this.data.emotions, this.lanes));
    this.surfer?.destroy();
    const surfer = WaveSurfer.create({
      container: this.stage,
      media: this.audio,
      height: WAVE,
      cursorWidth: 2,
      interact: false, // wavesurfer 8.0.1 loses a seek that comes while another is under way; see seek()
      ...this.colours(),
    });
    this.surfer = surfer;
    this.furnish(surfer);
    surfer.on("timeupdate", () => this.tick());
    surfer.on("play", () => this.tick());
    surfer.on("pause", () => {
      this.stopAt = null;
      this.tick();
    });
    surfer.on("scroll", () => this.redraw());
    surfer.on("redrawcomplete", () => {
      this.placeBadges();
      this.redraw();
    });
    surfer.on("error", (error) => this.fail(error));
    await surfer.load(audio, [this.lanes.high, this.lanes.low], duration).catch(() => undefined); // told by "error"
    this.root.removeAttribute("aria-busy");
    this.tick();
  }

  /** Put lanes, badges and the hover line into wavesurfer's own scrolling wrapper. */
  private furnish(surfer: WaveSurfer): void {
    const wrapper = surfer.getWrapper();
    wrapper.style.height = `${HEIGHT}px`;
    const overlay = element("div");
    overlay.style.cssText = "position:absolute;inset:0;pointer-events:none;z-index:1";
    this.canvas.style.cssText = "position:sticky;left:0;display:block;image-rendering:auto";
    this.canvas.setAttribute("aria-hidden", "true");
    overlay.append(this.canvas);
    this.badges.style.cssText = `position:absolute;left:0;right:0;top:${BADGE_TOP}px;height:18px;z-index:6;pointer-events:none`;
    this.hairline.style.cssText =
      "position:absolute;top:0;bottom:0;width:1px;z-index:4;pointer-events:none;opacity:.5;display:none";
    wrapper.append(overlay, this.hairline, this.badges);
    const style = element("style");
    style.textContent = BADGE_CSS;
    (wrapper.getRootNode() as ShadowRoot).append(style);
    const signal = this.abort.signal;
    wrapper.addEventListener("click", (e) => this.play(this.timeAt(e.clientX)), { signal });
    wrapper.addEventListener("pointermove", (e) => this.hover(e), { signal });
    wrapper.addEventListener("pointerleave", () => this.hover(null), { signal });
    wrapper.style.cursor = "pointer";
  }

  private colours(): { waveColor: string; progressColor: string; cursorColor: string } {
    return { waveColor: this.theme.muted, progressColor: this.theme.accent, cursorColor: this.theme.text };
  }

  private listen(): void {
    const signal = this.abort.signal;
    this.root.addEventListener("keydown", (e) => this.key(e), { signal });
    this.stage.addEventListener(
      "wheel",
      (e) => {
        if (!e.ctrlKey) return; // an ordinary wheel scrolls the page
        e.preventDefault();
        this.zoom(e.deltaY < 0 ? 1.25 : 0.8, e.clientX);
      },
      { signal, passive: false },
    );
  }

  private key(e: KeyboardEvent): void {
    const target = e.composedPath()[0] as HTMLElement;
    if (e.ctrlKey || e.metaKey || e.altKey || target.tagName === "SELECT") return;
    if (target.tagName === "BUTTON" && (e.key === " " || e.key === "Enter")) return;
    const now = this.audio.currentTime;
    const actions: Record<string, () => void> = {
      " ": () => this.toggle(),
      k: () => this.toggle(),
      ArrowLeft: () => this.seek(now - (e.shiftKey ? 1 : 5)),
      ArrowRight: () => this.seek(now + (e.shiftKey ? 1 : 5)),
      Home: () => this.seek(0),
      End: () => this.seek(this.data.duration),
      n: () => this.jump(1),
      p: () => this.jump(-1),
      "+": () => this.zoom(2),
      "=": () => this.zoom(2),
      "-": () => this.zoom(0.5),
      "0": () => this.zoom(0),
    };
    const action = actions[e.key.length === 1 ? e.key.toLowerCase() : e.key];
    if (!action) return;
    e.preventDefault();
    e.stopPropagation();
    action();
  }

  private toggle(): void {
    if (this.audio.paused) this.play();
    else this.audio.pause();
  }

  /** Play, from `start` if given, and stop at `end` if given. */
  private play(start?: number, end?: number): void {
    if (start !== undefined) this.seek(start);
    this.stopAt = end ?? null;
    this.audio.play().catch((error: unknown) => {
      // A pause or a new source that comes before playing has begun is no fault.
      if (!(error instanceof DOMException && error.name === "AbortError")) this.fail(error);
    });
  }

  /** Move the playhead; the last of several quick moves wins. */
  private seek(time: number): void {
    const target = Math.min(Math.max(0, time), this.data.duration);
    this.stopAt = null;
    const move = () => {
      this.audio.currentTime = target;
    };
    // WebKit forgets a move that comes before it knows the sound's length.
    if (this.audio.readyState < HTMLMediaElement.HAVE_METADATA) {
      this.audio.addEventListener("loadedmetadata", move, { once: true, signal: this.abort.signal });
    }
    move();
    this.surfer?.getRenderer().renderProgress(target / this.data.duration, !this.audio.paused);
    this.tick();
  }

  /** Play the next or the previous event, seen from the playhead. */
  private jump(direction: 1 | -1): void {
    const now = this.audio.currentTime;
    const { events } = this.data;
    const later = events.filter((e) => e.start > now + 0.05);
    const earlier = events.filter((e) => e.start < now - 1);
    const target = direction > 0 ? (later[0] ?? events[0]) : (earlier.at(-1) ?? events.at(-1));
    if (target) this.playEvent(target);
  }

  /** Multiply the zoom, keeping the time at `clientX` (or the middle) where it is; 0 fits all. */
  private zoom(factor: number, clientX?: number): void {
    const surfer = this.surfer;
    if (!surfer) return;
    const fit = surfer.getWidth() / this.data.duration;
    const old = this.scale();
    const closest = Math.min(Math.max(200, 4 * fit), MAX_WIDTH / this.data.duration);
    const next = Math.min(closest, old * factor);
    const box = this.stage.getBoundingClientRect();
    const offset = clientX === undefined ? box.width / 2 : clientX - box.left;
    const time = (surfer.getScroll() + offset) / old;
    surfer.zoom(next <= fit * 1.01 ? 0 : next);
    if (next > fit) surfer.setScroll(time * next - offset);
    this.redraw();
    this.placeBadges();
    const shown = this.scale();
    this.zoomButtons.out.disabled = this.zoomButtons.fit.disabled = shown <= fit * 1.01;
    this.zoomButtons.in.disabled = shown >= closest * 0.99;
  }

  private timeAt(clientX: number): number {
    const left = this.surfer?.getWrapper().getBoundingClientRect().left ?? 0;
    return Math.min(Math.max(0, (clientX - left) / this.scale()), this.data.duration);
  }

  /** Pixels a second as drawn. */
  private scale(): number {
    return (this.surfer?.getWrapper().clientWidth ?? 1) / this.data.duration;
  }

  private redraw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      const { surfer, lanes } = this;
      if (!surfer || !lanes) return;
      draw(this.canvas, {
        lanes,
        events: this.data.events,
        threshold: this.data.threshold,
        emotions: this.data.emotions,
        theme: this.theme,
        scale: this.scale(),
        scroll: surfer.getScroll(),
        width: surfer.getWidth(),
        shown: this.curves.shown,
        chosen: (this.playingEvent() ?? this.chosen)?.number ?? null,
      });
    });
  }

  private placeBadges(): void {
    const play = (event: EventData) => this.playEvent(event);
    this.badges.replaceChildren(...badges(this.data.events, this.scale(), this.theme.event, play));
  }

  /** Stop at the end of a stretch, and show what is at the playhead. */
  private tick(): void {
    const now = this.audio.currentTime;
    if (this.stopAt !== null && now >= this.stopAt && !this.audio.paused && !this.audio.seeking) {
      const end = this.stopAt;
      this.audio.pause();
      this.seek(end);
      return;
    }
    const playing = !this.audio.paused;
    const decimals = this.data.duration < 3600 ? 1 : 0;
    this.time.textContent = `${clock(now, decimals)} / ${clock(this.data.duration, decimals)}`;
    const label = playing ? "Pause" : "Play";
    if (this.playButton.title !== label) {
      this.playButton.title = label;
      this.playButton.setAttribute("aria-label", label);
      this.playButton.innerHTML = playing ? ICONS.pause : ICONS.play;
    }
    this.stage.setAttribute("aria-valuenow", now.toFixed(1));
    const text = this.lanes ? inWords(this.lanes, now, this.data) : "loading";
    this.stage.setAttribute("aria-valuetext", `${clock(now)}: ${text}`);
    this.readout.replaceChildren(element("strong", {}, clock(now)), ` ${text}`);
    for (const follower of this.followers) follower(now, playing);
    this.tell();
  }

  private hover(e: PointerEvent | null): void {
    const { lanes, surfer } = this;
    if (!e || !lanes || !surfer) {
      this.tip.hidden = true;
      this.hairline.style.display = "none";
      return;
    }
    const time = this.timeAt(e.clientX);
    this.hairline.style.display = "block";
    this.hairline.style.left = `${time * this.scale()}px`;
    this.hairline.style.background = this.theme.text;
    this.tip.replaceChildren(...inLines(lanes, time, this.data));
    this.tip.hidden = false;
    const frame = this.stage.getBoundingClientRect();
    const left = e.clientX - frame.left;
    const beside = left + 16 + this.tip.offsetWidth > frame.width ? left - 12 - this.tip.offsetWidth : left + 12;
    this.tip.style.transform = `translate(${Math.max(0, beside)}px, 8px)`;
  }

  private playingEvent(): EventData | null {
    const now = this.audio.currentTime;
    if (this.audio.paused) return null;
    return this.data.events.find((e) => e.start <= now + 0.02 && now < e.end) ?? null;
  }

  private tell(): void {
    const event = this.playingEvent();
    for (const listener of this.listeners) listener(event);
  }

  private fail(error: unknown): void {
    this.root.removeAttribute("aria-busy");
    const reason = error instanceof Error ? error.message : String(error);
    this.message.textContent = `The player could not load this recording (${reason}). Reload the page and open it again.`;
    this.message.hidden = false;
  }
}

function same(a: EventData, b: EventData | null): boolean {
  return b !== null && a.start < b.end && b.start < a.end;
}
