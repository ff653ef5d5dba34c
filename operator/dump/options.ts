import { parseArgs } from 'node:util';
import { InvalidOptions, parseCommandLine } from '../command-line.ts';

export interface Options {
  /** Name or ARN of the secret. */
  readonly secret: string;
  /** Whether to follow the run to its end. */
  readonly wait: boolean;
}

export const HELP = `Dumps a database now, by the AutoDump that is deployed in the AWS account and Region of your credentials.

  npx -y pnpm@12 dump SECRET [options]

  SECRET       Name or ARN of the secret that describes the database. It must be on a schedule.
  --wait       Follow the run to its end: print what becomes of its job, and the job's log as it comes.
  -h, --help   Print this text.

The run takes the same path as a scheduled one, and the scheduled ones stay as they are, however far away the next one
is. The key of the dump has the time of the request. Ctrl-C stops following, not the run.

Credentials and Region are those of the AWS CLI: AWS_PROFILE, AWS_REGION, ~/.aws/config and so on. The command needs
cloudformation:DescribeStacks and lambda:InvokeFunction of the Scanner; to wait, also states:DescribeExecution,
batch:ListJobs, batch:DescribeJobs and logs:GetLogEvents.

Exit status: 0 if a run was started, 77 if AutoDump refuses to start one, 2 for invalid options, 141 if the reader of the
output has gone, 1 for any other failure. With --wait, that of the dump program instead, once its job has ended: 0 if the
dump is in S3, 75 if it may be worth another try, see docs/operations.md#exit-statuses for the others. Still 1 if the run
ended without one, 77 if it found the schedule changed and made no dump, and 130 after Ctrl-C.
`;

/**
 * Parses the command line.
 *
 * @returns `help` if that was requested
 * @throws {InvalidOptions} if an option is unknown, or there is not exactly one secret
 */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const { values, positionals } = parseCommandLine(args, (own) =>
    parseArgs({
      args: own,
      allowPositionals: true,
      options: { wait: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    }),
  );
  if (values.help === true) {
    return 'help';
  }
  const [secret = ''] = positionals;
  if (positionals.length !== 1) {
    throw new InvalidOptions(`Name one secret: ${positionals.length} were given. See --help.`);
  }
  if (secret === '') {
    throw new InvalidOptions('SECRET is empty. See --help.');
  }
  return { secret, wait: values.wait ?? false };
}
