// The Live page's recorder: microphone -> AudioWorklet -> pieces of 16-bit PCM, handed to Python one at a time.
//
// A piece is sent when the one before it was taken (data.taken), so a slow server never has a queue; what waits
// here is bounded, and what does not fit is dropped and told. Nothing is stored, and no other host is asked.

const PIECE_SECONDS = 0.25; // at least this much is sent at once
const WAITING_SECONDS = 15; // at most this much waits here
// Nothing is sent for so long after a click on a link. Streamlit joins requests that wait for a run to end, and
// the newest one's page counts: a piece would take the way to another page back.
const LINK_SECONDS = 5;

const WORKLET = `
registerProcessor("blipper-tap", class extends AudioWorkletProcessor {
  process(inputs) {
    const channels = inputs[0];
    if (channels.length) {
      const mono = new Float32Array(channels[0].length);
      for (const channel of channels)
        for (let i = 0; i < mono.length; i++) mono[i] += channel[i] / channels.length;
      this.port.postMessage(mono, [mono.buffer]);
    }
    return true;
  }
});`;

const FAULTS = {
  NotAllowedError: ["refused", "The browser may not use the microphone. Allow it in the address bar, then start again."],
  SecurityError: ["refused", "The browser may not use the microphone. Allow it in the address bar, then start again."],
  NotFoundError: ["missing", "This computer has no microphone that the browser can see. Plug one in, then start again."],
  NotReadableError: ["busy", "The microphone cannot be opened: another program may be using it."],
};

class Recorder {
  constructor(root, args) {
    this.root = root;
    this.run = null; // random name of the stream that goes on
    this.stop = () => {};
    root.innerHTML = `<div class="recorder" role="group" aria-label="Microphone">
      <button type="button" class="toggle"></button>
      <div class="meter" role="img" aria-label="Level of the microphone"><i></i></div>
      <p class="status" role="status"></p></div>`;
    this.button = root.querySelector(".toggle");
    this.level = root.querySelector(".meter i");
    this.status = root.querySelector(".status");
    this.heldUntil = 0; // in performance.now()'s milliseconds
    this.onLink = (event) => {
      if (event.target.closest?.("a[href]")) this.heldUntil = performance.now() + LINK_SECONDS * 1000;
    };
    document.addEventListener("click", this.onLink, true);
    this.button.addEventListener("click", () => (this.run ? this.finish("stopped", "Stopped.") : this.start()));
    this.update(args);
    this.say("Not listening.");
  }

  update(args) {
    this.set = args.setStateValue;
    this.taken = args.data.taken; // {run, number}: the last piece that Python has taken
    this.button.disabled = !args.data.ready;
    this.button.textContent = this.run ? "Stop listening" : "Start listening";
    if (this.sent && this.taken.run === this.sent.run && this.taken.number >= this.sent.number) this.sent = null;
    if (this.last && this.taken.run === this.last.run && this.taken.number >= this.last.number) {
      this.last = null;
      this.set("piece", null); // nothing of the sound stays in the session
    }
    this.send();
  }

  say(text) {
    this.status.textContent = text;
  }

  async start() {
    this.button.disabled = true;
    this.say("Asking for the microphone…");
    try {
      if (!navigator.mediaDevices?.getUserMedia)
        return this.fault("insecure", "Browsers give the microphone only to pages on localhost or by https.");
      const stream = await navigator.mediaDevices.getUserMedia({
        // What is said is to be heard as it is: no automatic gain that lifts whispers to shouts.
        audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
      });
      const context = new AudioContext();
      const url = URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" }));
      await context.audioWorklet.addModule(url);
      URL.revokeObjectURL(url);
      const source = context.createMediaStreamSource(stream);
      const tap = new AudioWorkletNode(context, "blipper-tap", { numberOfOutputs: 0 });
      source.connect(tap);
      await context.resume();
      this.run = crypto.randomUUID();
      this.number = 0;
      this.rate = context.sampleRate;
      this.waiting = [];
      this.nWaiting = 0;
      this.lost = 0;
      this.sent = null;
      this.ending = null;
      tap.port.onmessage = ({ data }) => this.take(data);
      const [track] = stream.getAudioTracks();
      track.onended = () => this.finish("unplugged", "The microphone is gone.");
      this.stop = () => {
        tap.port.onmessage = null;
        track.onended = null;
        stream.getTracks().forEach((one) => one.stop());
        void context.close();
        this.stop = () => {};
      };
      this.say(`Listening to ${track.label || "the microphone"}.`);
      this.button.textContent = "Stop listening";
    } catch (error) {
      const [code, text] = FAULTS[error.name] ?? ["failed", `The microphone cannot be used: ${error.message}`];
      this.fault(code, text);
    } finally {
      this.button.disabled = false;
    }
  }

  fault(code, text) {
    this.say(text);
    this.root.querySelector(".recorder").dataset.fault = code;
    this.button.disabled = false;
  }

  take(samples) {
    let peak = 0;
    for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
    this.peak = Math.max(peak, (this.peak ?? 0) * 0.93);
    this.level.style.width = `${Math.max(0, 100 + (100 / 60) * 20 * Math.log10(this.peak + 1e-6))}%`;
    this.waiting.push(samples);
    this.nWaiting += samples.length;
    while (this.nWaiting > WAITING_SECONDS * this.rate) {
      const dropped = this.waiting.shift().length;
      this.nWaiting -= dropped;
      this.lost += dropped / this.rate;
    }
    if (this.nWaiting >= PIECE_SECONDS * this.rate) this.send();
  }

  finish(reason, text) {
    if (!this.run) return;
    this.stop();
    this.level.style.width = "0";
    this.ending = reason;
    this.button.textContent = "Start listening";
    this.say(text);
    this.send();
  }

  send() {
    if (!this.run || this.sent) return;
    const last = this.ending !== null;
    if (!last && performance.now() < this.heldUntil) return; // take() asks again
    if (!last && this.nWaiting < PIECE_SECONDS * this.rate) return;
    const pcm = new Int16Array(this.nWaiting);
    let at = 0;
    for (const samples of this.waiting)
      for (const sample of samples) pcm[at++] = Math.max(-1, Math.min(1, sample)) * 32767;
    this.waiting = [];
    this.nWaiting = 0;
    this.number += 1;
    this.sent = { run: this.run, number: this.number };
    const piece = { ...this.sent, rate: this.rate, pcm: base64(pcm), lost: this.lost, ending: this.ending };
    if (last) {
      this.last = this.sent;
      this.run = this.sent = null;
    }
    this.set("piece", piece);
  }

  destroy() {
    document.removeEventListener("click", this.onLink, true);
    this.run = null;
    this.stop();
  }
}

function base64(pcm) {
  const bytes = new Uint8Array(pcm.buffer); // little-endian on every computer that has a browser
  let text = "";
  for (let first = 0; first < bytes.length; first += 0x8000)
    text += String.fromCharCode(...bytes.subarray(first, first + 0x8000));
  return btoa(text);
}

const mounted = new WeakMap();

export default function render(args) {
  const { parentElement } = args;
  const held = mounted.get(parentElement);
  if (held) held.update(args);
  else {
    const holder = document.createElement("div");
    parentElement.append(holder);
    mounted.set(parentElement, new Recorder(holder, args));
  }
  return () => {
    mounted.get(parentElement)?.destroy();
    mounted.delete(parentElement);
  };
}
