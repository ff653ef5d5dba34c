import type { BatchClient } from '@aws-sdk/client-batch';
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { DUMP_JOB_PREFIX, EXIT_STATUS } from '../../contract.ts';
import { CommandError } from '../command-error.ts';
import { explain } from '../explain.ts';
import { readStackOutputs } from '../stack.ts';
import { followRun } from './follow-run.ts';
import { JobProgress } from './job-progress.ts';
import type { Options } from './options.ts';
import { startRun } from './start-run.ts';

export interface Environment {
  readonly cloudFormation: CloudFormationClient;
  readonly lambda: LambdaClient;
  readonly stepFunctions: SFNClient;
  readonly batch: BatchClient;
  readonly logs: CloudWatchLogsClient;
  /** Prints a line. */
  readonly report: (line: string) => void;
  /** Waits until it is time to look again at what is followed. */
  readonly pause: () => Promise<unknown>;
  /** Called before a run is followed, with what to say if that is broken off. */
  readonly onFollow: (farewell: string) => void;
}

/**
 * Starts a run of a secret, and follows it if the options say so.
 *
 * @returns exit status, see HELP
 * @throws {StackNotFound} if the stack does not exist
 * @throws {Refused} if AutoDump does not dump the secret
 * @throws {CommandError} if the run cannot be started or followed
 */
export async function dump({ secret, wait }: Options, environment: Environment): Promise<number> {
  const { cloudFormation, lambda, stepFunctions, report, pause, onFollow } = environment;
  const { ScannerName, JobQueueArn } = await readStackOutputs(cloudFormation, ['ScannerName', 'JobQueueArn']);
  const { execution, when } = await startRun(lambda, ScannerName, secret);
  report(`Started a run of ${secret}, scheduled for ${when}: ${execution}`);
  if (!wait) {
    return EXIT_STATUS.done;
  }
  const farewell = `This does not stop the run. To see how it ended: aws stepfunctions describe-execution --execution-arn ${execution}`;
  onFollow(farewell);
  const jobName = `${DUMP_JOB_PREFIX}${execution.split(':').at(-1) ?? ''}`;
  const progress = new JobProgress({ ...environment, jobQueue: JobQueueArn, jobName });
  try {
    const { status, messages } = await followRun(stepFunctions, execution, progress, pause);
    messages.forEach(report);
    return status;
  } catch (error) {
    throw new CommandError(`The run cannot be followed: ${explain(error)}\n${farewell}`, { cause: error });
  }
}
