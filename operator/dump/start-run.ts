import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { z } from 'zod';
import { type DumpRequest, EXIT_STATUS, type NotStarted, type StartedNow } from '../../contract.ts';
import { CommandError } from '../command-error.ts';

/** AutoDump does not dump this secret. */
export class Refused extends CommandError {
  override readonly name = 'Refused';
  override readonly exitStatus = EXIT_STATUS.refused;
}

const started: z.ZodType<StartedNow> = z.object({ execution: z.string(), when: z.string() });
const notStarted: z.ZodType<NotStarted> = z.object({ refused: z.string() });
const failure = z.object({ errorType: z.string().default('Error'), errorMessage: z.string() });

/**
 * Has the Scanner start a run of a secret for this moment.
 *
 * @throws {Refused} if it does not, with its reason
 * @throws {CommandError} if it fails
 */
export async function startRun(client: LambdaClient, scanner: string, secret: string): Promise<StartedNow> {
  const { FunctionError, Payload } = await client.send(
    new InvokeCommand({
      FunctionName: scanner,
      Payload: JSON.stringify({ dumpNow: secret } satisfies DumpRequest),
    }),
  );
  const response: unknown = JSON.parse(Payload?.transformToString() ?? 'null');
  if (FunctionError !== undefined) {
    const { errorType, errorMessage } = failure.parse(response);
    throw new CommandError(`The function ${scanner} failed: ${errorType}: ${errorMessage}`);
  }
  const { refused } = notStarted.safeParse(response).data ?? {};
  if (refused !== undefined) {
    throw new Refused(refused);
  }
  const run = started.safeParse(response).data;
  if (run === undefined) {
    throw new CommandError(
      `The function ${scanner} does not say that it started a run. Those of earlier versions scan instead: ` +
        'deploy this version of AutoDump, and ask again.',
    );
  }
  return run;
}
