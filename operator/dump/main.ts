import { setTimeout } from 'node:timers/promises';
import { BatchClient } from '@aws-sdk/client-batch';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SFNClient } from '@aws-sdk/client-sfn';
import { regionOf } from '../region.ts';
import { report } from '../report.ts';
import { PATIENT } from '../retries.ts';
import { runCommand } from '../run-command.ts';
import { dump } from './dump.ts';
import { HELP, parseOptions } from './options.ts';

const PAUSE_MS = 2000;

/** As shells report them. */
const SIGNAL_STATUS = { SIGINT: 130, SIGTERM: 143 } as const;

await runCommand({ name: 'dump', unread: 'A run that was started goes on.', main });

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const cloudFormation = new CloudFormationClient();
  await regionOf(cloudFormation);
  return await dump(options, {
    cloudFormation,
    // Another attempt, after a response that was lost, would start another run.
    lambda: new LambdaClient({ maxAttempts: 1 }),
    stepFunctions: new SFNClient(PATIENT),
    batch: new BatchClient(PATIENT),
    logs: new CloudWatchLogsClient(PATIENT),
    report,
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
