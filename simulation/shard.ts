/** The program of {@link WorldProcesses}: simulates the worlds that it receives, one after the other. */
import process from 'node:process';
import type { ViolationPattern } from './checker/violations.ts';
import type { Figures, Progress } from './figures.ts';
import type { Span } from './workload/secret-history.ts';
import { SimulatedWorld } from './world.ts';

const DAY = 24 * 60 * 60_000;

/** Some of the secrets, in a world of their own. */
export interface Shard {
  readonly cdkOut: string;
  readonly seed: string;
  /** Numbers of the secrets. */
  readonly secrets: readonly number[];
  readonly span: Span;
  readonly busy: boolean;
  /** Ids of the secret events and faults to keep. */
  readonly keep: readonly string[] | undefined;
  readonly until: ViolationPattern | undefined;
  readonly recordHistory: boolean;
}

/** Sent to the parent process: the progress on every virtual day, and the figures at the end. */
export type Message =
  { readonly kind: 'progress'; readonly progress: Progress } | { readonly kind: 'figures'; readonly figures: Figures };

// Libraries throw and catch errors all the time, and their stacks are never read.
Error.stackTraceLimit = 0;

// The parent has exited.
process.on('disconnect', () => process.exit());

process.on('message', (shard: Shard) => {
  // If a world stalls without figures, nothing keeps this process alive, and its exit reports the failure.
  process.channel?.unref();
  void simulateShard(shard).then((figures) => {
    send({ kind: 'figures', figures });
    process.channel?.ref();
  });
});

function send(message: Message): void {
  // A failure to send means that the parent has exited, which `disconnect` handles.
  process.send?.(message, undefined, undefined, () => undefined);
}

async function simulateShard({ keep, until, ...shard }: Shard): Promise<Figures> {
  const world = new SimulatedWorld({
    ...shard,
    ...(keep === undefined ? {} : { keep: new Set(keep) }),
    ...(until === undefined ? {} : { until }),
  });
  const reportProgress = (days: number): void => {
    const progress = { days, runs: world.runs, violations: world.invariants.violations.length };
    send({ kind: 'progress', progress });
    world.clock.at(world.clock.now + DAY, () => {
      reportProgress(days + 1);
    });
  };
  reportProgress(0);
  await world.run();
  return figuresOf(world, shard.recordHistory);
}

function figuresOf(world: SimulatedWorld, withHistory: boolean): Figures {
  const { invariants, faults, secrets, runs, functions } = world;
  const { due, started, excused } = invariants.schedules.figures;
  const events = secrets.flatMap((secret) => secret.events);
  return {
    runs,
    ...functions.figures,
    due,
    started,
    excused: Object.fromEntries(excused),
    ...invariants.executions.figures,
    reports: Object.fromEntries(invariants.reports.figures.reports),
    calls: Object.fromEntries(functions.figures.calls),
    faults: Object.fromEntries(faults.counts),
    secretEvents: events.length,
    violations: invariants.violations,
    occurrences: [
      ...events.map(({ id, time }) => ({ id, time, kind: 'secret event' as const })),
      ...faults.injected.map(({ id, time }) => ({ id, time, kind: 'fault' as const })),
    ],
    history: withHistory ? world.history() : [],
  };
}
