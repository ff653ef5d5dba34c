import { parseArgs } from 'node:util';
import { InvalidOptions, parseCommandLine } from '../command-line.ts';
import { STACK_NAME } from '../stack.ts';

export interface Options {
  /** Names of the secrets to show; all of them if there are none. */
  readonly secrets: readonly string[];
  readonly stack: string;
  /** Whether to print the status as JSON. */
  readonly json: boolean;
  /** File to write the page to. */
  readonly html?: string | undefined;
}

export const HELP = `Shows which databases are dumped, by the AutoDump that is deployed in the AWS account and Region of your credentials.

  npx -y pnpm@12 status [options] [SECRET…]

  SECRET        Name of a secret on a schedule, to see also where its newest dump is; all secrets if none is given.
  --stack NAME  Name of the stack (default ${STACK_NAME}).
  --json        Print the status as JSON, as docs/reference.md#the-status describes it. Its totals are always those of all
                secrets.
  --html FILE   Write the status page to a file, too. It is always about all secrets.
  -h, --help    Print this text.

The status is that of the last hourly check. Ages are as of now. A dump that was made on request appears with the next
search, at the latest after about a day.

Credentials and Region are those of the AWS CLI: AWS_PROFILE, AWS_REGION, ~/.aws/config and so on. The command needs
cloudformation:DescribeStacks, and s3:GetObject and s3:ListBucket of the bucket in the output StatusBucketName.

Exit status: 0 if all is well with the secrets that are shown; 1 if one of them is overdue, failing, unchecked or has a
broken tag, if rows of it vanished, if a drill of it is overdue or its last one was not equal, if the last check was more
than two hours ago, or if the command failed; 2 for invalid options; 141 if the reader of the output has gone.
`;

/**
 * Parses the command line.
 *
 * @returns `help` if that was requested
 * @throws {InvalidOptions} if an option is unknown or invalid
 */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const { values, positionals: secrets } = parseCommandLine(args, (own) =>
    parseArgs({
      args: own,
      allowPositionals: true,
      options: {
        stack: { type: 'string', default: STACK_NAME },
        json: { type: 'boolean', default: false },
        html: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }),
  );
  if (values.help === true) {
    return 'help';
  }
  const { stack, json, html } = values;
  for (const [name, value] of Object.entries({
    '--stack': stack,
    '--html': html,
    SECRET: secrets.find((one) => one === ''),
  })) {
    if (value === '') {
      throw new InvalidOptions(`${name} is empty. See --help.`);
    }
  }
  return { secrets, stack, json, html };
}
