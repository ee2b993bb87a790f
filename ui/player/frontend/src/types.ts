/** What Python hands over, and what the lanes hold. Times are seconds, scores are in [0, 1]. */

export interface EventData {
  number: number;
  start: number;
  end: number;
  peak: number;
  peak_time: number;
  mean: number;
  emotion: string;
  /** Which side carries it, which case it is, and what that means; null where no words have a score. */
  carrier: string | null;
  case: string | null;
  meaning: string | null;
}

/** The fused curve beside the voice's, which is in the lanes; scores as base64 of 16 bit. */
export interface CurvesData {
  fused: string;
  words: string;
  /** Score from which words are hostile, and the four cases by which side stands out. */
  hostile: number;
  cases: { both: string; voice: string; words: string; neither: string };
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
  curves: CurvesData | null;
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

/** Negative, neutral, positive; verbal aggression; which case it is. Null where no text model has read it. */
export type ReadingData = [[number, number, number] | null, number | null, string | null];

/** Start, end, text, mean confidence, words, what a text model made of it. */
export type UtteranceData = [number, number, string, number | null, WordData[], ReadingData];

export interface TranscriptData {
  kind: "transcript";
  player: string;
  draft: boolean;
  /** Confidence below which a word is marked as unsure. */
  low: number;
  /** Score from which words are hostile. */
  hostile: number;
  utterances: UtteranceData[];
}

export type SetTrigger = (name: string, value: unknown) => void;

export interface Lanes {
  step: number;
  duration: number;
  high: Float32Array;
  low: Float32Array;
  /** The score that counts; NaN where nobody speaks. */
  aggression: Float32Array;
  /** The voice's own score, and the words' (NaN where none is scored); null where no words have a score. */
  voice: Float32Array;
  words: Float32Array | null;
  /** Row after row of as many probabilities as there are emotions, as 0..255. */
  emotions: Uint8Array;
}

/** The part of Streamlit's component arguments that is used here. */
export interface ComponentArgs {
  data: PlayerData | EventListData | TranscriptData;
  parentElement: HTMLElement | ShadowRoot;
  setTriggerValue: SetTrigger;
}
