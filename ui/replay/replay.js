// One key plays the sound in a container from its beginning, or stops it.

const TYPED_INTO = "input, textarea, select, [contenteditable='true'], [role='combobox'], [role='textbox']";

class Replay {
  constructor() {
    this.ended = new AbortController();
    document.addEventListener("keydown", (event) => this.press(event), { signal: this.ended.signal });
  }

  press(event) {
    if (event.key.toLowerCase() !== this.data.key || event.repeat) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.(TYPED_INTO)) return;
    const audio = document.querySelector(`.${this.data.place} audio`);
    if (!audio) return;
    event.preventDefault();
    if (!audio.paused) return audio.pause();
    audio.currentTime = 0;
    audio.play().catch((error) => console.warn(`the browser does not play it: ${error.message}`));
  }
}

const instances = new WeakMap();

export default function ({ data, parentElement }) {
  let replay = instances.get(parentElement);
  if (!replay) instances.set(parentElement, (replay = new Replay()));
  replay.data = data;
  return () => {
    replay.ended.abort();
    instances.delete(parentElement);
  };
}
