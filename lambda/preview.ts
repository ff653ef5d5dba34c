/**
 * `preview.ts TAGS`, the only program here that is not deployed: prints what a scan would decide now for a secret with
 * these tags, as a {@link Decision} in JSON. The argument is a JSON list of `{"Key", "Value"}`.
 */
import * as z from 'zod/mini';
import { decide } from './core/decision.ts';
import { Memo } from './core/memo.ts';

const [, , argument = ''] = process.argv;
const Tags = z.array(z.object({ Key: z.string(), Value: z.string() })).parse(JSON.parse(argument));
const ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:preview';
process.stdout.write(
  JSON.stringify(
    decide({ ARN, Tags }, 'dump', new Date(), new Memo({ stateMachineArn: '', timezoneRules: undefined })),
  ),
);
