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
  data: PlayerData | EventListData;
  parentElement: HTMLElement | ShadowRoot;
}
