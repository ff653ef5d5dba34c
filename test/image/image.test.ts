import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { z } from 'zod';

import { Processes } from '../../local/processes.ts';
import { synthesize } from '../../local/synth.ts';
import { Template } from '../../local/template.ts';
import { findBuilder } from './builder.ts';
import type { Builder } from './builder.ts';

const jobSchema = z.object({
  ContainerProperties: z.object({ Image: z.string(), User: z.string(), Command: z.array(z.string()) }),
});

let folder: string;
let builder: Builder;
let job: z.infer<typeof jobSchema>['ContainerProperties'];

function progress(text: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  const found = await findBuilder();
  if (found === undefined) throw new Error('Nothing to build the image with.');
  builder = found;
  await synthesize(join(folder, 'cdk.out'), new Processes());
  const template = new Template(join(folder, 'cdk.out'));
  const [definition] = template.ofType('AWS::Batch::JobDefinition');
  if (definition === undefined) throw new Error('The template has no job definition.');
  job = template.properties(definition, jobSchema).ContainerProperties;
  progress(`Building the image by ${builder.name}`);
  await builder.build(template.imageAsset(job.Image));
  progress('Built');
});

afterAll(async () => {
  await builder.remove();
  await rm(folder, { recursive: true, force: true });
});

test('the program says what its environment lacks', async () => {
  const said: string[] = [];
  const status = await builder.run({ command: job.Command, environment: {}, user: job.User }, (line) => {
    said.push(line);
  });
  expect(said.join('\n')).toContain('AUTODUMP_SECRET_ARN is missing');
  expect(status).toBe(64);
});
