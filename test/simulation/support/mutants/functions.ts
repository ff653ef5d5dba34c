import { breakCode } from '../broken-stack.ts';
import { type Mutant, SIMULATION } from './mutant.ts';

/** Secrets of one of two worlds, enough for listings with several pages. */
function evenNumbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => 2 * i);
}

/** The Scanner, Hash and Reschedule. */
export const functionMutants: readonly Mutant[] = [
  {
    bug: 'the name of an execution lacks the hash of the tags',
    breakStack: breakCode(/\[secretArn, tagsHash, when\]/, '[secretArn, when]'),
    invariant: 'one dump',
    simulation: { ...SIMULATION, secrets: 60, only: [38] },
  },
  {
    bug: 'the Scanner swallows errors',
    breakStack: breakCode(/if \(this\.#failed > 0\)/, 'if (this.#failed < 0)'),
    invariant: 'true ends',
    simulation: { ...SIMULATION, only: [12] },
  },
  {
    bug: 'Hash finds any tags unchanged',
    breakStack: breakCode(/tags\.hash !== tagsHash/, 'tags.hash === ""'),
    invariant: 'no other dump',
    simulation: { ...SIMULATION, seed: 145, days: 1, only: [16] },
  },
  {
    bug: 'Hash does not know that the rules of time zones change',
    breakStack: breakCode(/if \(hasWaited\(\w+, \w+\) && hasMoved\(\w+, \w+\)\)/, 'if (false)'),
    invariant: 'no other dump',
    simulation: { ...SIMULATION, seed: 16, days: 2, only: [0] },
  },
  {
    bug: 'the memo is kept when the rules of time zones change',
    breakStack: breakCode(/timezoneRules === scope\.timezoneRules/, 'true'),
    invariant: 'always served',
    simulation: { ...SIMULATION, seed: 16, days: 2, only: [0] },
  },
  {
    bug: 'a scan ends after its first page',
    breakStack: breakCode(/nextToken: NextToken }/, 'nextToken: undefined }'),
    invariant: 'true ends',
    simulation: { ...SIMULATION, only: evenNumbers(15) },
  },
  {
    bug: 'a scan does not continue in another invocation',
    breakStack: breakCode(/await client\.send\((new [\w.]*InvokeCommand\()/, 'void ($1'),
    invariant: 'true ends',
    simulation: { ...SIMULATION, seed: 13, days: 1, only: evenNumbers(15) },
  },
  {
    bug: 'Reschedule starts nothing',
    breakStack: breakCode(/await startExecution\(\w+, \w+, decision\.input\)/, '"started"'),
    invariant: 'always served',
    simulation: { ...SIMULATION, only: [26] },
  },
  {
    bug: 'Reschedule fails without a reason',
    breakStack: breakCode(/const rescheduled = await reschedule\(input\);/, '$& throw new Error("no reason");'),
    invariant: 'true ends',
    simulation: { ...SIMULATION, only: [14] },
  },
  {
    bug: 'the Scanner fails without a reason',
    breakStack: breakCode(/if \(this\.#failed > 0\)/, 'if (this.#failed >= 0)'),
    invariant: 'true ends',
    simulation: { ...SIMULATION, only: [14] },
  },
  {
    bug: 'an event starts nothing',
    breakStack: breakCode(/\? await scan\w*\(secret, \w+\)/, '? [{ secret: secretId, outcome: "skipped" }]'),
    invariant: 'always served',
    simulation: { ...SIMULATION, only: [26] },
  },
  {
    bug: 'no execution waits for more than twenty days',
    breakStack: breakCode(/ = 340 \* 24 \*/, ' = 20 * 24 *'),
    invariant: 'always served',
    simulation: { ...SIMULATION, only: [28] },
  },
  {
    bug: 'an execution may wait until its year leaves no time for the job',
    breakStack: breakCode(/ = 340 \* 24 \*/, ' = 364 * 24 *'),
    invariant: 'true ends',
    simulation: { ...SIMULATION, seed: 823, days: 1, only: [10] },
  },
  {
    bug: 'the memo ignores the tags, and an event is lost',
    breakStack: breakCode(/\[secretArn, tagsHash, \.\.\./, '[secretArn, ...'),
    invariant: 'true ends',
    simulation: { secrets: 40, days: 2, seed: 2290, busy: false, only: [26] },
  },
  {
    bug: 'the Scanner does not name a secret whose tags are invalid',
    breakStack: breakCode(/`\$\{result\.secret\}\$\{drill\}: \$\{String\(result\.reason\)\}`/, 'String(result.reason)'),
    invariant: 'true ends',
    simulation: { ...SIMULATION, seed: 59, days: 1, only: [14] },
  },
  {
    bug: 'a newly tagged secret is not checked',
    breakStack: breakCode(/const isDue = isNamed \|\| isStarted && !isRunning/, 'const isDue = false'),
    invariant: 'always served',
    simulation: { ...SIMULATION, days: 1, only: [14] },
  },
  {
    bug: 'a newly tagged secret is not checked if the event is lost',
    breakStack: breakCode(/const isDue = isNamed \|\| isStarted && !isRunning/, 'const isDue = isNamed'),
    invariant: 'always served',
    simulation: { ...SIMULATION, seed: 38, days: 1, only: [8] },
  },
];
