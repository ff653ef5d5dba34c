import { setTimeout } from 'node:timers/promises';
import { BatchClient } from '@aws-sdk/client-batch';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SFNClient } from '@aws-sdk/client-sfn';
import { printLine } from '../print-line.ts';
import { PATIENT } from '../retries.ts';
import { runCommand } from '../run-command.ts';
import { dump } from './dump.ts';
import { HELP, type Options, parseOptions } from './options.ts';

const PAUSE_MS = 2000;

/** As shells report them. */
const SIGNAL_STATUS = { SIGINT: 130, SIGTERM: 143 } as const;

await runCommand({
  name: 'dump',
  unread: 'This does not stop a run that was started.',
  help: HELP,
  parse: parseOptions,
  main,
});

async function main(options: Options): Promise<number> {
  return await dump(options, {
    cloudFormation: new CloudFormationClient(),
    // Another attempt, after a response that was lost, would start another run.
    lambda: new LambdaClient({ maxAttempts: 1 }),
    stepFunctions: new SFNClient(PATIENT),
    batch: new BatchClient(PATIENT),
    logs: new CloudWatchLogsClient(PATIENT),
    report: printLine,
    pause: () => setTimeout(PAUSE_MS),
    onFollow: endOnSignal,
  });
}

function endOnSignal(farewell: string): void {
  for (const [signal, status] of Object.entries(SIGNAL_STATUS)) {
    process.once(signal, () => {
      process.stderr.write(`Stopped following. ${farewell}\n`, () => process.exit(status));
    });
  }
}
