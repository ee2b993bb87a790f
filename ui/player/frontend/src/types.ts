/** What Python hands over, and what the lanes hold. Times are seconds, scores are in [0, 1]. */

export interface EventData {
  number: number;
  start: number;
  end: number;
  peak: number;
  peak_time: number;
  mean: number;
  emotion: string;
}

export interface EmotionStyle {
  name: string;
  colour: string;
  pattern: string;
}

export interface PlayerData {
  kind: "player";
  id: string;
  name: string;
  audio: string;
  lanes: string;
  duration: number;
  threshold: number;
  events: EventData[];
  emotions: EmotionStyle[];
}

export interface EventListData {
  kind: "events";
  player: string;
  threshold: number;
  events: EventData[];
  emotions: EmotionStyle[];
}

/** A word as it is written, its start and end, and how sure the engine is. */
export type WordData = [string, number, number, number | null];

/** Start, end, text, mean confidence, words. */
export type UtteranceData = [number, number, string, number | null, WordData[]];

export interface TranscriptData {
  kind: "transcript";
  player: string;
  draft: boolean;
  /** Confidence below which a word is marked as unsure. */
  low: number;
  utterances: UtteranceData[];
}

export type SetTrigger = (name: string, value: unknown) => void;

export interface Lanes {
  step: number;
  duration: number;
  high: Float32Array;
  low: Float32Array;
  /** NaN where nobody speaks. */
  aggression: Float32Array;
  /** Row after row of as many probabilities as there are emotions, as 0..255. */
  emotions: Uint8Array;
}

/** The part of Streamlit's component arguments that is used here. */
export interface ComponentArgs {
  data: PlayerData | EventListData | TranscriptData;
  parentElement: HTMLElement | ShadowRoot;
  setTriggerValue: SetTrigger;
}
