import type { Execution } from './services/execution.ts';
import type { World } from './services/world.ts';
import type { Watcher } from './watcher.ts';

/**
 * Does what an event of the stack reports, and waits until the event has been handled, and everything that it started
 * has ended or waits.
 *
 * @returns the result, and the execution that was started for it and waits for its scheduled time
 * @throws {Error} if there is none
 */
export async function scheduledBy<T>(
  world: World,
  watcher: Watcher,
  act: () => Promise<T>,
): Promise<{ readonly result: T; readonly execution: Execution }> {
  const before = new Set(world.executions);
  const started = (): readonly Execution[] => world.executions.filter((execution) => !before.has(execution));
  const waits = watcher.nextWait();
  const result = await act();
  await world.settled();
  await Promise.race([waits, Promise.all(started().map(({ ended }) => ended))]);
  await Promise.all(
    started()
      .filter(({ wait }) => wait === undefined)
      .map(({ ended }) => ended),
  );
  await world.settled();
  const execution = started().find(({ wait }) => wait !== undefined);
  if (execution !== undefined) {
    return { result, execution };
  }
  const explanation = `After the secret's event no execution waits. The logs of the functions are in ${world.logs}.`;
  throw new Error([watcher.functionError, explanation].filter(Boolean).join('\n'));
}

/**
 * Ends the wait of an execution, and waits until it has ended and its end was reported.
 *
 * @throws {Error} with the error output of the job if there is any, or else with the cause of the execution's failure
 */
export async function runNow(world: World, execution: Execution, watcher: Watcher): Promise<void> {
  execution.wait?.finish();
  const end = await execution.ended;
  await world.settled();
  if (end.status === 'FAILED') {
    throw new Error(watcher.jobErrors || `${end.error}: ${end.cause}`);
  }
  if (end.status === 'ABORTED') {
    throw new Error('The execution was aborted.');
  }
}
