// Made by `python -m widgets.declarations` from the structs of a frame; a test holds the two together.

export interface Frame {
  n: number;
  depth: number;
  event: string;
  say: [string, string, string][];
  facts: [string, string, string, string, string][];
  always: string[];
  next: (number | [number, string])[];
  cost: Record<string, number>;
  panels: PanelChange[];
  parent?: number;
  choice?: number;
  rests?: boolean;
  clock?: string;
  quiet?: boolean;
  fault?: boolean;
  moment?: Moment;
  era?: Era;
  ask?: Asking;
}

export interface PanelChange {
  id: string;
  head?: PanelHead;
  set?: AnyMark[];
  changed?: Record<string, Record<string, any>>;
  gone?: string[];
}

export interface PanelHead {
  width: number;
  height: number;
  label: string;
  title: string;
}

export interface Moment {
  lane: string;
  kind: string;
  label?: string;
  role?: string;
  sent?: number;
  sender?: string;
}

export interface Era {
  key: string;
  label: string;
  role?: string;
  tone?: "dashed" | "ghost" | "outline" | "row" | "soft" | "solid" | "wall";
}

export interface Asking {
  prompt: string;
  options: Option[];
}

export interface Option {
  text: string;
  because: string;
  right: boolean;
}

export interface Word {
  label: string;
  group: string;
  why_not?: string;
  about?: string[];
  ask?: string;
  likely?: boolean;
  fill?: string;
  several?: number[];
}

export interface Disc {
  k: "disc";
  x: number;
  y: number;
  r?: number;
  sub?: string;
  caption?: string;
  above?: boolean;
  heavy?: boolean;
  id: string;
  role?: string;
  hue?: string;
  tone?: "dashed" | "ghost" | "outline" | "row" | "soft" | "solid" | "wall";
  text?: string;
  title?: string;
  of?: string;
}

export interface Box {
  k: "box";
  x: number;
  y: number;
  w: number;
  h: number;
  id: string;
  role?: string;
  hue?: string;
  tone?: "dashed" | "ghost" | "outline" | "row" | "soft" | "solid" | "wall";
  text?: string;
  title?: string;
  of?: string;
}

export interface Line {
  k: "line";
  x: number;
  y: number;
  x2: number;
  y2: number;
  arrow?: boolean;
  wide?: number;
  id: string;
  role?: string;
  hue?: string;
  tone?: "dashed" | "ghost" | "outline" | "row" | "soft" | "solid" | "wall";
  text?: string;
  title?: string;
  of?: string;
}

export interface Message {
  k: "message";
  x: number;
  y: number;
  x2: number;
  y2: number;
  part?: number;
  bend?: number;
  sender?: string;
  to?: string;
  sign?: string;
  reply?: boolean;
  id: string;
  role?: string;
  hue?: string;
  tone?: "dashed" | "ghost" | "outline" | "row" | "soft" | "solid" | "wall";
  text?: string;
  title?: string;
  of?: string;
}

export interface Arc {
  k: "arc";
  x: number;
  y: number;
  r: number;
  start: number;
  end: number;
  wide?: number;
  id: string;
  role?: string;
  hue?: string;
  tone?: "dashed" | "ghost" | "outline" | "row" | "soft" | "solid" | "wall";
  text?: string;
  title?: string;
  of?: string;
}

export interface Ticks {
  k: "ticks";
  x: number;
  y: number;
  r: number;
  r2: number;
  at: number[];
  wide?: number;
  id: string;
  role?: string;
  hue?: string;
  tone?: "dashed" | "ghost" | "outline" | "row" | "soft" | "solid" | "wall";
  text?: string;
  title?: string;
  of?: string;
}

export interface Label {
  k: "label";
  x: number;
  y: number;
  anchor?: "end" | "middle" | "start";
  size?: "large" | "normal" | "small";
  strong?: boolean;
  id: string;
  role?: string;
  hue?: string;
  tone?: "dashed" | "ghost" | "outline" | "row" | "soft" | "solid" | "wall";
  text?: string;
  title?: string;
  of?: string;
}

export type AnyMark = Disc | Box | Line | Message | Arc | Ticks | Label;
