import process from 'node:process';
import type { Violation } from './checker/invariants.ts';
import type { Span } from './workload/secret-history.ts';
import { SimulatedWorld, type WorldOptions } from './world.ts';

const DAY = 24 * 60 * 60_000;

/** Something that can be left out of a history, by its id. */
export interface Happening {
  readonly id: string;
  readonly time: number;
  readonly kind: 'life' | 'fault';
}

/** What was seen in a world. */
export interface Figures {
  readonly runs: number;
  /** Times that an event of a secret was dealt with. */
  readonly events: number;
  /** Of all secrets. */
  readonly scans: number;
  /** Invocations in which scans went on. */
  readonly continuations: number;
  readonly due: number;
  readonly dumped: number;
  readonly excused: Readonly<Record<string, number>>;
  readonly calls: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  readonly lifeEvents: number;
  readonly violations: readonly Violation[];
  /** Life events and faults. */
  readonly happened: readonly Happening[];
  /** What happened, if it was asked for. */
  readonly history: readonly string[];
}

/** How far a world is, or worlds are together. */
export interface Progress {
  /** Virtual days that have passed. */
  readonly days: number;
  readonly runs: number;
  readonly violations: number;
}

/** What a world tells from its process: every virtual day how far it is, and in the end what was seen in it. */
export type Told =
  { readonly kind: 'progress'; readonly progress: Progress } | { readonly kind: 'figures'; readonly figures: Figures };

/** A part of the secrets, in a world of its own. */
export interface Shard {
  readonly cdkOut: string;
  readonly seed: string;
  readonly secrets: readonly number[];
  readonly span: Span;
  readonly busy: boolean;
  readonly keep: readonly string[] | undefined;
  readonly tell: boolean;
}

// Libraries throw and catch errors all the time, and nobody reads their stacks.
Error.stackTraceLimit = 0;

// The parent is gone: nobody waits for the figures any more.
process.on('disconnect', () => process.exit());

process.once('message', (shard: Shard) => {
  // A world that has nothing left to do and no figures ends as what it is, a failure.
  process.channel?.unref();
  const progressed = (progress: Progress): void => {
    say({ kind: 'progress', progress });
  };
  void simulateShard(shard, progressed).then((figures) => {
    say({ kind: 'figures', figures }, () => process.exit());
  });
});

/** If the parent is gone, `disconnect` tells. */
function say(told: Told, done: () => void = () => undefined): void {
  process.send?.(told, undefined, undefined, done);
}

async function simulateShard(
  { keep, tell, ...shard }: Shard,
  progressed: (progress: Progress) => void,
): Promise<Figures> {
  const options: WorldOptions = { ...shard, ...(keep === undefined ? {} : { keep: new Set(keep) }) };
  const world = new SimulatedWorld(options, tell);
  const pass = (days: number): void => {
    progressed({ days, runs: world.figures.executions, violations: world.rules.violations.length });
    world.clock.at(world.clock.now + DAY, () => {
      pass(days + 1);
    });
  };
  pass(0);
  await world.run();
  const { rules, faults, figures, secrets } = world;
  const lives = secrets.flatMap(({ events }) => events).map(({ id, time }) => ({ id, time, kind: 'life' as const }));
  const struck = faults.struck.map(({ id, time }) => ({ id, time, kind: 'fault' as const }));
  return {
    runs: figures.executions,
    events: figures.events,
    scans: figures.scans,
    continuations: figures.continuations,
    due: rules.figures.due,
    dumped: rules.figures.dumped,
    excused: Object.fromEntries(rules.figures.excused),
    calls: Object.fromEntries(figures.calls),
    faults: Object.fromEntries(faults.counts),
    lifeEvents: lives.length,
    violations: rules.violations,
    happened: [...lives, ...struck],
    history: tell ? world.history() : [],
  };
}
