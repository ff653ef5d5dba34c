import { parentPort, workerData } from 'node:worker_threads';
import type { Span } from './secret-life.ts';
import { SimulatedWorld, type WorldOptions } from './world.ts';
import type { Violation } from './rules.ts';

/** Something that can be left out of a history, by its id. */
export interface Happening {
  readonly id: string;
  readonly time: number;
  readonly kind: 'life' | 'fault';
}

/** What was seen in a world. */
export interface Figures {
  readonly runs: number;
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

if (parentPort !== null) {
  // Libraries throw and catch errors all the time, and nobody reads their stacks.
  Error.stackTraceLimit = 0;
  const figures = await simulateShard(workerData as Shard);
  parentPort.postMessage(figures);
}

async function simulateShard({ keep, tell, ...shard }: Shard): Promise<Figures> {
  const options: WorldOptions = { ...shard, ...(keep === undefined ? {} : { keep: new Set(keep) }) };
  const world = new SimulatedWorld(options, tell);
  await world.run();
  const { rules, faults, figures, secrets } = world;
  const lives = secrets.flatMap(({ events }) => events).map(({ id, time }) => ({ id, time, kind: 'life' as const }));
  const struck = faults.struck.map(({ id, time }) => ({ id, time, kind: 'fault' as const }));
  return {
    runs: figures.executions,
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
