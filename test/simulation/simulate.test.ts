import { randomInt } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { synthesize } from '../../local/assembly/synth.ts';
import { Template } from '../../local/assembly/template.ts';
import { Processes } from '../../local/host/processes.ts';
import type { Violation } from '../../simulation/checker/invariants.ts';
import { historyText } from '../../simulation/report.ts';
import { Clock } from '../../simulation/runtime/clock.ts';
import { scale } from '../../simulation/scale.ts';
import { type Result, SimulatedFunction, type World } from '../../simulation/services/lambda-function.ts';
import type { Figures, Progress } from '../../simulation/shard.ts';
import { shrink, type Shrunk } from '../../simulation/shrink.ts';
import { simulate, type Simulation } from '../../simulation/simulate.ts';
import { breakCode, breakDefinition, breakTemplate } from './support/broken-stack.ts';

const DAY = 24 * 60 * 60_000;

const folder = mkdtempSync(join(tmpdir(), 'autodump-simulation-'));
const cdkOut = join(folder, 'good');

const processes = new Processes();

beforeAll(async () => {
  await synthesize(cdkOut, processes);
});
afterAll(async () => {
  await processes.stop();
  rmSync(folder, { recursive: true });
});

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** The violations of a simulation and, if there are any, the shortest history that shows the first of them. */
async function violations(simulation: Simulation, figures: Figures): Promise<string> {
  return figures.violations.length === 0 ? '' : historyText(await shrink(simulation, figures.violations, processes));
}

describe('a simulation', () => {
  // Together more than 50,000 runs and 10,000 faults.
  test.each([1, 2, 3, 4])('of seed %i violates no rule', async (seed) => {
    const simulation = { cdkOut, secrets: 24, days: 11, seed, busy: true };
    const figures = await simulate(simulation, processes);
    expect(await violations(simulation, figures)).toBe('');
    expect(figures.runs).toBeGreaterThan(12_500);
    expect(total(figures.faults)).toBeGreaterThan(2_500);
    // An excuse is for what nothing could have helped, so it is rare.
    expect(figures.dumped / figures.due).toBeGreaterThan(0.98);
  });

  test('of a fresh seed violates no rule', async () => {
    const seed = randomInt(1_000_000_000);
    process.stdout.write(`The fresh seed of the simulation is ${seed}.\n`);
    const simulation = { cdkOut, secrets: 40, days: 30, seed, busy: false };
    const figures = await simulate(simulation, processes);
    expect(await violations(simulation, figures)).toBe('');
  });

  test('is the same for the same seed, and another one for another', async () => {
    const simulation = { cdkOut, secrets: 10, days: 10, seed: 1, busy: false };
    const [once, again, other] = [
      await simulate(simulation, processes),
      await simulate(simulation, processes),
      await simulate({ ...simulation, seed: 2 }, processes),
    ];
    expect(again).toEqual(once);
    expect(other.happened).not.toEqual(once.happened);
  });
});

test('a simulation tells how far it is', async () => {
  const told: Progress[] = [];
  const { runs } = await simulate({ cdkOut, secrets: 4, days: 5, seed: 1, busy: true }, processes, (progress) => {
    told.push(progress);
  });
  const days = told.map((progress) => progress.days);
  expect(days).toEqual([...days].sort((a, b) => a - b));
  expect(told.at(-1)).toEqual({ days: 5, runs, violations: 0 });
});

test('a simulation that is stopped ends at once, and says why', async () => {
  const stopped = new Processes();
  const simulation = { cdkOut, secrets: 4, days: 3000, seed: 1, busy: true };
  const simulated = simulate(simulation, stopped, () => void stopped.stop());
  await expect(simulated).rejects.toThrow('The process of a world ended too early: status 143');
});

test('a simulation whose worlds fail says so', async () => {
  const simulation = { cdkOut: join(folder, 'missing'), secrets: 4, days: 1, seed: 1, busy: true };
  await expect(simulate(simulation, processes)).rejects.toThrow('The process of a world ended too early: status 1');
});

test('a function that crashed does not run out of time as well, when its environment serves another invocation', async () => {
  const template = new Template(cdkOut);
  const [resource] = template.ofType('AWS::Lambda::Function').filter(({ title }) => title === 'RunFunctions/Hash');
  if (resource === undefined) {
    throw new Error('The template has no Hash function.');
  }
  const hash = new SimulatedFunction(template, resource);
  const clock = new Clock(0);
  const timeout = 30_000;
  const ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:a-a1B2c3';
  const body = JSON.stringify({ ARN, Name: 'a' });
  const world: World = {
    clock,
    random: () => 0.5,
    serve: (_invocation, _call, answer, crash) => {
      if (clock.now < timeout / 2) {
        clock.at(clock.now + 1, crash);
      }
      // Answered when the time of the one that crashed would be over.
      else {
        clock.at(timeout + 100, () => {
          answer({ status: 200, body, type: 'application/x-amz-json-1.1' });
        });
      }
    },
  };
  const results: Result[] = [];
  for (const time of [0, timeout - 100]) {
    clock.at(time, () => {
      void hash.invoke(world, { secretArn: ARN, tagsHash: 'x' }, (_, result) => results.push(result));
    });
  }
  await clock.run(3 * timeout);
  expect(results).toMatchObject([{ error: 'Runtime.ExitError' }, { payload: { outcome: 'removed' } }]);
});

describe('a scan of a settled account', () => {
  test('costs one call for each hundred secrets and three more, however many runs came due since the last one', async () => {
    const { first, later, settled } = await scale(cdkOut, 1000);
    expect(first).toMatchObject({ starts: 1000, throttled: 0, failed: 0 });
    const cost = { calls: 13, starts: 0, throttled: 0, invocations: 1, failed: 0 };
    expect(later).toMatchObject(cost);
    expect(settled).toMatchObject(cost);
  });
});

describe('a simulation finds out that', () => {
  function broken(name: string, breakIt: (copy: string) => void): string {
    const copy = join(folder, name);
    cpSync(cdkOut, copy, { recursive: true });
    breakIt(copy);
    return copy;
  }

  const rulesViolated = async (copy: string, more: Partial<Simulation> = {}) => {
    const { violations: all } = await simulate(
      { cdkOut: copy, secrets: 30, days: 60, seed: 4, busy: false, ...more },
      processes,
    );
    return [...new Set(all.map(({ rule }) => rule))];
  };

  test('the name of an execution lacks the hash of the tags', async () => {
    const copy = broken('name', (at) => {
      breakCode(at, 'core/execution.ts', '[secretArn, tagsHash, when]', '[secretArn, when]');
    });
    expect(await rulesViolated(copy, { days: 90, secrets: 60 })).toContain('one dump');
  });

  test('Reschedule is skipped when the job fails', async () => {
    const copy = broken('skipped', (at) => {
      breakDefinition(at, ({ States }) => {
        const both = States['Dump and reschedule'] as { Branches: unknown[]; Parameters: unknown };
        const [dump, reschedule] = both.Branches;
        const { Parameters } = both;
        Object.assign(both, { Branches: [dump], ResultSelector: { 'dump.$': '$[0]', 'reschedule.$': '$[0]' } });
        Object.assign(States['Did both end well?'] ?? {}, { Default: 'Then reschedule' });
        const after = { Type: 'Parallel', Branches: [reschedule], Parameters, ResultPath: '$.after', Next: 'Done' };
        Object.assign(States, { 'Then reschedule': after });
      });
    });
    expect(await rulesViolated(copy, { days: 15 })).toContain('true ends');
  });

  test('there is no periodic scan', async () => {
    const copy = broken('period', (at) => {
      breakTemplate(at, ({ Resources }) => {
        const [id = ''] =
          Object.entries(Resources).find(([, { Properties }]) => 'ScheduleExpression' in Properties) ?? [];
        Reflect.deleteProperty(Resources, id);
      });
    });
    expect(await rulesViolated(copy)).toContain('always served');
  });

  test('the job definition is pinned to a revision', async () => {
    const copy = broken('pinned', (at) => {
      breakDefinition(at, ({ States }, { Resources }) => {
        const both = States['Dump and reschedule'] as { Branches: [{ States: { Dump: { Parameters: object } } }] };
        Object.assign(both.Branches[0].States.Dump.Parameters, { JobDefinition: '@@new@@' });
        const [Ref] = Object.entries(Resources).find(([, { Type }]) => Type === 'AWS::Batch::JobDefinition') ?? [];
        return { Ref };
      });
    });
    expect(await rulesViolated(copy)).toContain('one dump');
  });

  test('the job is not told what to dump', async () => {
    const copy = broken('untold', (at) => {
      breakDefinition(at, ({ States }) => {
        const both = States['Dump and reschedule'] as { Branches: [{ States: { Dump: { Parameters: object } } }] };
        Object.assign(both.Branches[0].States.Dump.Parameters, { ContainerOverrides: { Environment: [] } });
      });
    });
    expect(await rulesViolated(copy, { days: 10 })).toContain('no other dump');
  });

  test('the submission of the job is not tried again', async () => {
    const copy = broken('once', (at) => {
      breakDefinition(at, ({ States }) => {
        const both = States['Dump and reschedule'] as { Branches: [{ States: { Dump: { Retry?: unknown } } }] };
        delete both.Branches[0].States.Dump.Retry;
      });
    });
    expect(await rulesViolated(copy, { days: 5, busy: true })).toContain('one dump');
  });

  test('no rule is enabled', async () => {
    const copy = broken('disabled', (at) => {
      breakTemplate(at, ({ Resources }) => {
        for (const { Type, Properties } of Object.values(Resources)) {
          if (Type === 'AWS::Events::Rule') {
            Object.assign(Properties, { State: 'DISABLED' });
          }
        }
      });
    });
    expect(await rulesViolated(copy, { days: 5 })).toContain('always served');
  });

  test('an error is swallowed in the Scanner', async () => {
    const copy = broken('swallowed', (at) => {
      breakCode(at, 'report.ts', 'if (this.#failed > 0)', 'if (this.#failed < 0)');
    });
    expect(await rulesViolated(copy, { days: 3 })).toContain('true ends');
  });

  test.each([
    [
      'Hash finds any tags unchanged',
      'core/comparison.ts',
      'tags.hash !== tagsHash',
      'tags.hash === ""',
      'no other dump',
    ],
    ['a scan ends after its first page', 'secrets.ts', 'nextToken: NextToken }', 'nextToken: undefined }', 'true ends'],
    ['a scan does not go on', 'continuation.ts', 'await client.send(new', 'void (new', 'true ends'],
    [
      'Reschedule starts nothing',
      'reschedule.ts',
      'await startExecution(stepFunctions, stateMachineArn, decision.input)',
      '"started" as const',
      'always served',
    ],
    [
      'Reschedule fails for no reason',
      'reschedule.ts',
      'const rescheduled = await reschedule(input);',
      'const rescheduled = await reschedule(input); throw new Error("no reason");',
      'true ends',
    ],
    ['the Scanner fails for no reason', 'report.ts', 'if (this.#failed > 0)', 'if (this.#failed >= 0)', 'true ends'],
    [
      'an event starts nothing',
      'scanner.ts',
      '? await scan(secret, tools)',
      '? { secret: secretId, outcome: "skipped" as const }',
      'always served',
    ],
    [
      'nothing waits for longer than twenty days',
      'core/decision.ts',
      'LONGEST_WAIT = 364',
      'LONGEST_WAIT = 20',
      'always served',
    ],
  ])('%s', async (name, file, good, bad, rule) => {
    const copy = broken(name, (at) => {
      breakCode(at, file, good, bad);
    });
    expect(await rulesViolated(copy, { days: 10 })).toContain(rule);
  });

  test('the memo does without the tags, where an event is lost', async () => {
    const copy = broken('memo', (at) => {
      breakCode(at, 'core/memo.ts', '[secretArn, tagsHash]', '[secretArn]');
    });
    expect(await rulesViolated(copy, { days: 90, secrets: 60 })).toContain('true ends');
  });

  async function shrinks(
    copy: string,
    chosen: (violation: Violation) => boolean,
    more: Partial<Simulation>,
  ): Promise<Shrunk> {
    const simulation = { cdkOut: copy, secrets: 30, days: 5, seed: 4, busy: false, ...more };
    const { violations: all } = await simulate(simulation, processes);
    const shrunk = await shrink(simulation, all.filter(chosen), processes);
    expect(shrunk.simulation.keep?.length).toBeLessThanOrEqual(3);
    expect(shrunk.history.length).toBeLessThan(30);
    const { violations: again } = await simulate(shrunk.simulation, processes);
    expect(again).toContainEqual(shrunk.violation);
    return shrunk;
  }

  test('and shows it by the shortest history, which repeats it', async () => {
    const copy = broken('told', (at) => {
      breakCode(at, 'report.ts', 'if (this.#failed > 0)', 'if (this.#failed < 0)');
    });
    await shrinks(copy, () => true, {});
  });

  test('and shows it also where the run that nothing waits for is due long after', async () => {
    const copy = broken('late', (at) => {
      const good = 'await startExecution(stepFunctions, stateMachineArn, decision.input)';
      breakCode(at, 'reschedule.ts', good, '"started" as const');
    });
    const isLate = ({ time, what }: Violation) =>
      Date.parse(/^Nothing waits for (\S+) after the Reschedule/.exec(what)?.[1] ?? '') > time + 3 * DAY;
    const { violation } = await shrinks(copy, isLate, { days: 20 });
    expect(violation.rule).toBe('always served');
  });
});
