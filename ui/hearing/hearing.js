// A click in the chart plays the recording from that time. The chart is Plotly's, drawn by Streamlit: its panels are
// the elements .nsewdrag, one below the other over one time axis, and a drag in them zooms.

const STILL = 5; // pixels that a pointer may move in a click
const TWICE = 250; // ms in which a second click makes it Plotly's way back to the whole stretch

class Hearing {
  constructor(parent) {
    const root = document.createElement("div");
    parent.append(root);
    root.innerHTML = `<div class="hearing" role="group" aria-label="Hear the figure">
      <audio controls preload="metadata"></audio><p role="status"></p></div>`;
    this.audio = root.querySelector("audio");
    this.said = root.querySelector("p");
    this.cursor = document.createElement("div");
    this.cursor.className = "blipper-cursor";
    this.cursor.style.cssText =
      "position:absolute;width:2px;pointer-events:none;background:#D55E00;z-index:5;display:none";
    this.ended = new AbortController();
    const { signal } = this.ended;
    document.addEventListener("pointerdown", (event) => this.down(event), { capture: true, signal });
    window.addEventListener("pointerup", (event) => this.up(event), { capture: true, signal });
    this.frame = requestAnimationFrame(() => this.follow());
  }

  update(data) {
    this.chart = data.chart;
    this.sounds = data.sounds;
    const chosen = Math.min(this.chosen ?? 0, this.sounds.length - 1);
    if (this.sounds[chosen].address !== this.address) this.take(chosen);
  }

  take(chosen) {
    this.chosen = chosen;
    this.address = this.sounds[chosen].address;
    this.audio.src = this.address;
    const { name } = this.sounds[chosen];
    this.audio.setAttribute("aria-label", this.sounds.length > 1 ? `Sound of ${name}` : "Sound of the recording");
    this.said.textContent =
      "Click in the figure to hear it from there; drag to zoom." +
      (this.sounds.length > 1 ? ` Heard: ${name}. A click in another channel's panel plays that one.` : "");
  }

  plot() {
    return document.querySelector(`.${this.chart} .js-plotly-plot`);
  }

  panels() {
    return [...(this.plot()?.querySelectorAll(".nsewdrag") ?? [])];
  }

  range() {
    const plot = this.plot();
    return (plot._fullLayout ?? plot.layout).xaxis.range.map(Number);
  }

  down(event) {
    const panel = event.target.closest?.(".nsewdrag");
    const ours = panel !== null && panel !== undefined && this.plot()?.contains(panel) && event.button === 0;
    this.pressed = ours ? { panel, x: event.clientX, y: event.clientY } : null;
  }

  up(event) {
    const pressed = this.pressed;
    this.pressed = null;
    if (!pressed || Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) > STILL) return;
    if (this.waiting) {
      clearTimeout(this.waiting);
      this.waiting = null;
      return;
    }
    const box = pressed.panel.getBoundingClientRect();
    const [start, end] = this.range();
    const time = start + ((event.clientX - box.left) / box.width) * (end - start);
    const number = this.panels().indexOf(pressed.panel);
    this.waiting = setTimeout(() => {
      this.waiting = null;
      this.play(time, Math.max(0, number) % this.sounds.length);
    }, TWICE);
  }

  play(time, chosen) {
    if (chosen !== this.chosen) this.take(chosen);
    this.audio.currentTime = Math.max(0, time);
    this.audio.play().catch((error) => {
      this.said.textContent = `The browser does not play it: ${error.message}`;
    });
  }

  follow() {
    this.frame = requestAnimationFrame(() => this.follow());
    const panels = this.panels();
    const at = this.audio.currentTime;
    if (!panels.length || (this.audio.paused && at === 0)) return this.hide();
    const [start, end] = this.range();
    if (at < start || at > end) return this.hide();
    const holder = this.plot().querySelector(".svg-container") ?? this.plot();
    if (this.cursor.parentElement !== holder) holder.append(this.cursor);
    const boxes = panels.map((panel) => panel.getBoundingClientRect());
    const outer = holder.getBoundingClientRect();
    const top = Math.min(...boxes.map((box) => box.top));
    const bottom = Math.max(...boxes.map((box) => box.bottom));
    this.cursor.style.left = `${boxes[0].left - outer.left + (boxes[0].width * (at - start)) / (end - start) - 1}px`;
    this.cursor.style.top = `${top - outer.top}px`;
    this.cursor.style.height = `${bottom - top}px`;
    this.cursor.style.display = "block";
  }

  hide() {
    this.cursor.style.display = "none";
  }

  end() {
    this.ended.abort();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.waiting);
    this.audio.pause();
    this.cursor.remove();
  }
}

const instances = new WeakMap();

export default function ({ data, parentElement }) {
  let hearing = instances.get(parentElement);
  if (!hearing) instances.set(parentElement, (hearing = new Hearing(parentElement)));
  hearing.update(data);
  return () => {
    hearing.end();
    instances.delete(parentElement);
  };
}
