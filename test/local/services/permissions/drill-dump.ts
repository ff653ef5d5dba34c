import { DRILL_TAG } from '../../../../contract.ts';
import type { Execution } from '../../../../local/services/execution.ts';
import type { AppWorld } from '../../support/app-world.ts';

/** Runs the first drill of a secret, and stops the one after it. */
export async function drillDump(app: AppWorld, secret: string): Promise<void> {
  const waiting = (): Execution => {
    const drill = app.allWaiting(secret).find(({ input }) => input.includes('"drill"'));
    if (drill === undefined) {
      throw new Error('No drill waits.');
    }
    return drill;
  };
  await app.tagSecret(secret, { [DRILL_TAG]: '@daily' });
  const drill = waiting();
  drill.wait?.finish();
  const end = await drill.ended;
  if (end.status !== 'SUCCEEDED') {
    throw new Error(`The drill ended as ${JSON.stringify(end)}`);
  }
  await app.stopExecution(waiting().arn);
}
