import { readFile } from 'node:fs/promises';
import { expect } from '@jest/globals';
import { type Evidence, evidenceSchema } from '../../../docker/drill/evidence.ts';
import type { Manifest } from '../../../docker/dump/manifest.ts';
import { DRILL_PROGRAMS } from './drill-programs.ts';
import { BUCKET, keyOf, type Outcome, type Running, type RunOptions, type Stage } from './stage.ts';

/** Starts a scheduled drill of the newest dump, as the job does. */
export function startDrill(stage: Stage, options?: RunOptions): Promise<Running> {
  return stage.start('unused', drilling(options));
}

export async function drill(stage: Stage, options?: RunOptions): Promise<Outcome> {
  return stage.dump('unused', drilling(options));
}

function drilling({ environment, ...options }: RunOptions = {}): RunOptions {
  const variables = { PATH: DRILL_PROGRAMS, ...environment };
  return { secret: 'none', args: ['drill'], ...options, environment: variables };
}

export function byHand(key: string, environment: RunOptions['environment'] = {}): RunOptions {
  return { args: ['drill', `s3://${BUCKET}/${key}`], environment: { AWS_REGION: 'us-west-2', ...environment } };
}

/** The evidence of a drill, from where its log says that it is. */
export async function evidenceIn(stage: Stage, { stdout }: Outcome): Promise<Evidence> {
  const [, key = ''] = new RegExp(`^Evidence: s3://${BUCKET}/(.*)$`, 'm').exec(stdout) ?? [];
  return evidenceSchema.parse(JSON.parse(await readFile(stage.fileOf(key), 'utf8')));
}

export async function put(stage: Stage, bucket: string, key: string, body: Buffer | string): Promise<void> {
  expect(await fetch(`${stage.s3.endpoint}/${bucket}/${key}`, { method: 'PUT', body })).toMatchObject({ ok: true });
}

let variants = 0;

/** Stores the dump of the database `app` again, with changes. @returns key */
export async function variant(
  stage: Stage,
  change: (manifest: Manifest) => void,
  changeBytes: (bytes: Buffer) => void = () => undefined,
): Promise<string> {
  variants += 1;
  const key = `prod/variants/${variants}-20261122T080000Z.dmp`;
  const bytes = await readFile(stage.fileOf(keyOf('app')));
  const manifest = await stage.manifestOf(keyOf('app'));
  change(manifest);
  changeBytes(bytes);
  await put(stage, BUCKET, key, bytes);
  await put(stage, BUCKET, `${key}.json`, JSON.stringify(manifest));
  return key;
}

/** Drills by hand a dump that is not equal to what is restored from it. */
export async function drillUnequal(
  stage: Stage,
  key: string,
  environment?: RunOptions['environment'],
): Promise<Evidence> {
  const outcome = await drill(stage, byHand(key, environment));
  const evidence = await evidenceIn(stage, outcome);
  expect(outcome.stderr).toBe(
    `AutoDump failed: verification failed (exit status 69): The drill of s3://${BUCKET}/${key} has the verdict ` +
      `${evidence.verdict}: ${evidence.reason}\n`,
  );
  expect(outcome.status).toBe(69);
  return evidence;
}
