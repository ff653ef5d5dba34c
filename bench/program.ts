import { join } from 'node:path';
import { z } from 'zod';
import { synthesize } from '../local/assembly/synth.ts';
import { Template } from '../local/assembly/template.ts';
import type { Processes } from '../local/host/processes.ts';

const jobSchema = z.object({ ContainerProperties: z.object({ Image: z.string() }) });

/**
 * Runs `cdk synth`.
 *
 * @param cdkOut folder to write to
 * @returns path of the dump program, as bundled for the image
 */
export async function synthesizeProgram(cdkOut: string, processes: Processes): Promise<string> {
  await synthesize(cdkOut, processes);
  const template = new Template(cdkOut);
  const [job] = template.ofType('AWS::Batch::JobDefinition');
  if (job === undefined) {
    throw new Error('The template has no job definition.');
  }
  const { Image } = template.properties(job, jobSchema).ContainerProperties;
  return join(template.imageAsset(Image), 'autodump.js');
}
