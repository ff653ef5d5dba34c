import { styleText } from 'node:util';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { S3Client } from '@aws-sdk/client-s3';
import { printLine } from '../print-line.ts';
import { runCommand } from '../run-command.ts';
import { HELP, type Options, parseOptions } from './options.ts';
import { showStatus } from './status.ts';

await runCommand({ name: 'status', unread: 'Nothing was changed.', help: HELP, parse: parseOptions, main });

async function main(options: Options): Promise<number> {
  const { stdout } = process;
  return await showStatus(options, {
    cloudFormation: new CloudFormationClient(),
    s3: new S3Client(),
    now: new Date(),
    // Validating the stream also honors NO_COLOR.
    paint: (style, text) => styleText(style, text, { stream: stdout, validateStream: true }),
    // Some terminals say that they have 0 columns.
    width: stdout.columns || Infinity,
    report: printLine,
    warn: (line) => {
      process.stderr.write(`${line}\n`);
    },
  });
}
