import { parseArgs } from 'node:util';
import { InvalidOptions, parseCommandLine } from '../command-line.ts';

export interface Options {
  /** Context for CDK: `key=value`. */
  readonly context: readonly string[];
  /** Whether to proceed without confirmation. */
  readonly force: boolean;
}

export const HELP = `Removes AutoDump from the AWS account and Region of your credentials.

  npx -y pnpm@12 undeploy [options]

  -c, --context KEY=VALUE   Context, as for "cdk deploy"; once for each value that is not in cdk.json.
  --force                   Do not ask for confirmation. Required if there is no terminal.
  -h, --help                Print this text.

"cdk destroy" alone hangs: deleting a state machine waits for its running executions, and every scheduled secret has one
that waits for its next dump, for up to a year. So this command
  1. synthesizes the app, which fails on invalid context before anything is changed,
  2. disables the stack's EventBridge rules, so that nothing starts further executions,
  3. stops the running executions of its state machines, until none is left,
  4. runs "cdk destroy".

Dumps in progress are stopped. A dump is in S3 only once it is complete, so no partial dump remains.
Restores in progress are terminated with their job queue and leave their databases incomplete: wait for them first.
Buckets and log groups stay, with their contents; they are listed before you confirm. No secret is changed.

Credentials and Region are those of the AWS CLI and CDK: AWS_PROFILE, AWS_REGION, ~/.aws/config and so on.
The command can be repeated if it fails, or if "cdk destroy" waits because a scan was still starting executions.

Exit status: 0 if AutoDump was removed, 2 for invalid options, 141 if the reader of its output has gone, 1 otherwise.
`;

/**
 * Parses the command line.
 *
 * @returns `help` if that was requested
 * @throws {InvalidOptions} if an option is unknown or invalid
 */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const {
    help,
    context = [],
    force = false,
  } = parseCommandLine(
    args,
    (own) =>
      parseArgs({
        args: own,
        options: {
          context: { type: 'string', multiple: true, short: 'c' },
          force: { type: 'boolean' },
          help: { type: 'boolean', short: 'h' },
        },
      }).values,
  );
  const invalid = context.find((entry) => !/^[^=]+=/.test(entry));
  if (invalid !== undefined) {
    throw new InvalidOptions(`--context is "${invalid}": allowed is KEY=VALUE. See --help.`);
  }
  return help === true ? 'help' : { context, force };
}
