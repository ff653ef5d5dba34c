import { expect, test } from '@jest/globals';
import { Template } from '../../../../local/assembly/template.ts';
import { Clock } from '../../../../simulation/runtime/clock.ts';
import type { Result, World } from '../../../../simulation/services/lambda/invocation.ts';
import { functionsOf, functionTitled } from '../../../../simulation/services/lambda/lambda-function.ts';
import { useStack } from '../../support/stack.ts';

const TIMEOUT_MS = 30_000;
const ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:a-a1B2c3';

const stack = useStack();

test('an invocation that crashed does not time out later, when its environment serves another one', async () => {
  const hash = functionTitled(functionsOf(new Template(stack.cdkOut)), 'RunFunctions/Hash');
  const clock = new Clock(0);
  const body = JSON.stringify({ ARN, Name: 'a' });
  const world: World = {
    clock,
    runtimeUpdate: 0,
    random: () => 0.5,
    serve: (_invocation, _call, answer, crash) => {
      if (clock.now < TIMEOUT_MS / 2) {
        clock.at(clock.now + 1, crash);
        return;
      }
      // The answer comes after the time at which the first invocation would have timed out.
      clock.at(TIMEOUT_MS + 100, () => {
        answer({ status: 200, body, type: 'application/x-amz-json-1.1' });
      });
    },
  };
  const results: Result[] = [];
  for (const time of [0, TIMEOUT_MS - 100]) {
    clock.at(time, () => {
      void hash.invoke(world, { secretArn: ARN, tagsHash: 'x' }).then(({ result }) => results.push(result));
    });
  }
  await clock.run(3 * TIMEOUT_MS);
  expect(results).toMatchObject([{ error: 'Runtime.ExitError' }, { payload: { outcome: 'removed' } }]);
});
