/**
 * A story: what happens to the world, when, and what the world is like. Made from a seed, and plain
 * data, so that it can be cut down to what matters, printed, and kept as a test.
 */
import { Dice } from './dice.ts';

/** What goes wrong while a window is open, each time with the window's chance. */
export const FAULTS = [
  'webhook-lost',
  'webhook-late',
  'webhook-twice',
  'rooms-fail',
  'rooms-slow',
  'rooms-miss',
  'participants-fail',
  'participants-slow',
  'launch-refused',
  'launch-lost',
  'launch-slow',
  'list-fail',
  'list-slow',
  'stop-fail',
  'hints-lost',
  'agent-bad',
] as const;
export type Fault = (typeof FAULTS)[number];

const STRANGERS = ['stop', 'kill', 'remove', 'twin', 'displace'] as const;

export type Item =
  /** A room lives; `again`: the sid of the name's life before comes back. */
  | { kind: 'room'; atMs: number; name: string; livesMs: number; again: boolean }
  | { kind: 'fault'; atMs: number; forMs: number; fault: Fault; chance: number }
  /** The launcher is killed: at that moment, or right before or after its next call. */
  | { kind: 'crash'; atMs: number; at: 'once' | 'before-call' | 'after-call'; downMs: number }
  /** The launcher is killed right before or after it sends the next offer or assignment. */
  | { kind: 'crash-at-frame'; atMs: number; at: 'before-frame' | 'after-frame'; downMs: number }
  /** A new launcher starts beside the old one, which ends in order `overlapMs` later. */
  | { kind: 'roll-over'; atMs: number; overlapMs: number }
  /** LiveKit is killed, forgets its rooms, and is back after `downMs`. */
  | { kind: 'livekit-restart'; atMs: number; downMs: number }
  /**
   * Somebody stops, kills or removes a task behind the launcher's back, starts a further one for a
   * room, as another launcher would, or takes an agent's place in its room, time and again.
   */
  | { kind: 'stranger'; atMs: number; does: (typeof STRANGERS)[number] }
  /** An operator ends the run of the live room of this name. */
  | { kind: 'operator'; atMs: number; name: string }
  /** The engine's clock is set. */
  | { kind: 'clock'; atMs: number; byMs: number };

export interface Story {
  readonly seed: number;
  /** Faults cease then. */
  readonly horizonMs: number;
  readonly resyncMs: number;
  readonly engine: {
    readonly listLagMs: number;
    readonly startDelayMs: number;
    /** It forgets ended tasks after an hour, as ECS does; Docker never does. */
    readonly forgets: boolean;
    readonly hints: boolean;
  };
  readonly livekit: {
    /** From a room's start until lists show it, and from its end until they do not. */
    readonly showLagMs: number;
    readonly hideLagMs: number;
    /** From an agent's coming or going until lists of participants show it. */
    readonly seatLagMs: number;
  };
  readonly inFlight: number;
  /** Tasks that are to wait for a room. */
  readonly standby: number;
  readonly items: readonly Item[];
}

const MINUTE = 60_000;
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];

export function makeStory(seed: number, pool?: number): Story {
  const dice = new Dice(seed);
  const forgets = dice.chance(0.3, 'forgets');
  // Now and then long enough that the engine forgets ends of rooms that still live.
  const long = forgets && dice.chance(0.2, 'long');
  const horizonMs = long ? 90 * MINUTE : dice.between(3, 8, 'horizon') * MINUTE;
  const standby = pool ?? dice.pick([0, 0, 1, 2, 3], 'standby');
  return {
    seed,
    horizonMs,
    resyncMs: dice.pick([30_000, 30_000, 120_000], 'resync'),
    engine: {
      listLagMs: forgets ? dice.pick([1_000, 5_000], 'lag') : 0,
      startDelayMs: dice.pick([0, 300, 2_000, 20_000], 'start'),
      forgets,
      hints: dice.chance(0.7, 'hints'),
    },
    livekit: {
      showLagMs: dice.pick([0, 0, 500, 2_500], 'show'),
      hideLagMs: dice.pick([0, 0, 1_000], 'hide'),
      seatLagMs: dice.pick([0, 0, 300, 2_000], 'seats'),
    },
    inFlight: dice.pick([1, 4, 50, 50], 'slots'),
    standby,
    items: makeItems(dice, horizonMs, standby).toSorted((a, b) => a.atMs - b.atMs),
  };
}

function makeItems(dice: Dice, horizonMs: number, standby: number): Item[] {
  const at = (what: string) => dice.between(1_000, horizonMs, `${what} at`);
  // Each story has its own mixture: most faults are absent from most stories.
  const some = (probability: number, most: number, what: Item['kind'], make: () => Item): Item[] =>
    dice.chance(probability, `some ${what}`)
      ? Array.from({ length: dice.between(1, most, `many ${what}`) }, make)
      : [];
  const deaths = [
    ...some(0.5, 4, 'crash', () => ({
      kind: 'crash',
      atMs: at('crash'),
      at: dice.pick(['once', 'before-call', 'after-call'] as const, 'crash at'),
      downMs: dice.pick([100, 2_000, 20_000], 'crash down'),
    })),
    ...some(0.2, 2, 'roll-over', () => ({
      kind: 'roll-over',
      atMs: at('roll-over'),
      overlapMs: dice.pick([500, 5_000, 40_000], 'overlap'),
    })),
    ...some(standby > 0 ? 0.4 : 0, 3, 'crash-at-frame', () => ({
      kind: 'crash-at-frame',
      atMs: at('crash-at-frame'),
      at: dice.pick(['before-frame', 'after-frame'] as const, 'frame'),
      downMs: dice.pick([100, 2_000, 20_000], 'frame crash down'),
    })),
  ];
  return [
    room(dice, dice.between(1_000, 20_000, 'first'), horizonMs),
    ...some(1, 12, 'room', () => room(dice, at('room'), horizonMs)),
    ...deaths,
    ...faultWindows(dice, at, deaths.length > 0),
    ...some(0.2, 2, 'livekit-restart', () => ({
      kind: 'livekit-restart',
      atMs: at('livekit-restart'),
      downMs: dice.pick([500, 5_000, 40_000], 'livekit down'),
    })),
    ...some(0.4, 4, 'stranger', () => ({
      kind: 'stranger',
      atMs: at('stranger'),
      does: dice.pick(STRANGERS, 'stranger does'),
    })),
    ...some(0.2, 2, 'operator', () => ({
      kind: 'operator',
      atMs: at('operator'),
      name: dice.pick(NAMES, 'operator name'),
    })),
    ...some(0.15, 2, 'clock', () => ({
      kind: 'clock',
      atMs: at('clock'),
      byMs: dice.pick([-3_600_000, -120_000, 120_000, 3_600_000], 'clock by'),
    })),
  ];
}

function faultWindows(dice: Dice, at: (what: string) => number, deaths: boolean): Item[] {
  const likely = dice.chance(0.3, 'storm') ? 0.7 : 0.3;
  return FAULTS.flatMap((fault) => {
    if (!dice.chance(likely, `some ${fault}`)) return [];
    // A launcher that was started anew takes two lists that leave out a room for its end. One that
    // knows the room's name asks who sits in it.
    const misses = fault === 'rooms-miss';
    const missesMs = deaths ? 8_000 : 25_000;
    const longestMs = misses ? missesMs : fault === 'agent-bad' ? 240_000 : 40_000;
    return Array.from({ length: dice.between(1, misses ? 1 : 3, `many ${fault}`) }, () => ({
      kind: 'fault' as const,
      atMs: at(fault),
      forMs: dice.between(1_000, longestMs, `${fault} for`),
      fault,
      chance: misses ? 1 : dice.pick([0.2, 0.6, 1], `${fault} chance`),
    }));
  });
}

function room(dice: Dice, atMs: number, horizonMs: number): Item {
  const livesMs = dice.pick([300, 3_000, 30_000, 120_000, 2 * horizonMs], 'lives');
  const name = dice.pick(NAMES, 'name');
  return { kind: 'room', atMs, name, livesMs, again: dice.chance(0.1, 'again') };
}

/** The story in words, a line an item. */
export function tellStory({ items, seed, ...world }: Story): string {
  const lines = items.map(({ kind, atMs, ...rest }) => {
    const details = Object.entries(rest).map(([name, value]) => `${name} ${String(value)}`);
    return `  ${(atMs / 1_000).toFixed(1).padStart(8)} s  ${kind}: ${details.join(', ')}`;
  });
  return [`  seed ${seed}: ${JSON.stringify(world)}`, ...lines].join('\n');
}
