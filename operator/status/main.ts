import { styleText } from 'node:util';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { S3Client } from '@aws-sdk/client-s3';
import { regionOf } from '../region.ts';
import { report } from '../report.ts';
import { runCommand } from '../run-command.ts';
import { HELP, parseOptions } from './options.ts';
import { showStatus } from './status.ts';

await runCommand({ name: 'status', unread: 'Nothing was changed.', main });

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const cloudFormation = new CloudFormationClient();
  await regionOf(cloudFormation);
  const { stdout } = process;
  return await showStatus(options, {
    cloudFormation,
    s3: new S3Client(),
    now: new Date(),
    // Validating the stream also honors NO_COLOR.
    paint: (style, text) => styleText(style, text, { stream: stdout, validateStream: true }),
    width: stdout.isTTY ? stdout.columns : Infinity,
    report,
    warn: (line) => {
      process.stderr.write(`${line}\n`);
    },
  });
}
