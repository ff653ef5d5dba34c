import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { z } from 'zod';
import type { ClientPrograms } from './postgres/client-programs.ts';
import type { ReportDetails, Summary } from './report.ts';
import type { World } from './services/world.ts';

/** The fields of a manifest that the local run reads. */
const manifestSchema = z.object({
  scheduledFor: z.string(),
  dump: z.object({ client: z.string().nullable() }),
  object: z.object({ bucket: z.string(), key: z.string() }),
  proof: z.object({
    bytes: z.number(),
    sha256: z.string().nullable(),
    verified: z.literal(true),
    method: z.string(),
  }),
});

export interface FoundDump extends ReportDetails {
  readonly scheduledFor: string;
  readonly dump: Summary['dump'];
}

/**
 * Finds the dump of a secret, and checks its file against its manifest.
 *
 * @throws {Error} if there is no dump, or its file does not match the manifest
 */
export async function findDump(
  world: World,
  bucket: string,
  secretName: string,
  programs: readonly ClientPrograms[],
): Promise<FoundDump> {
  const { Contents = [] } = await world.s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `${secretName}/` }));
  const manifestKey = Contents.map(({ Key = '' }) => Key).find((key) => key.endsWith('.dmp.json'));
  if (manifestKey === undefined) {
    throw new Error(`The execution succeeded, but there is no dump of ${secretName}.`);
  }
  const manifestFile = fileOf(world, bucket, manifestKey);
  const manifest = manifestSchema.parse(JSON.parse(await readFile(manifestFile, 'utf8')));
  const { key } = manifest.object;
  const file = fileOf(world, bucket, key);
  const { bytes, sha256 } = await measure(file);
  const { proof } = manifest;
  if (bytes !== proof.bytes || (proof.sha256 !== null && sha256 !== proof.sha256)) {
    throw new Error(`${file} has ${bytes} bytes and the SHA-256 ${sha256}, which does not match its manifest.`);
  }
  return {
    scheduledFor: manifest.scheduledFor,
    dump: { bucket, key, file, bytes, sha256, verified: proof.verified, manifest: manifestFile },
    proof: `${proof.method} The SHA-256 of the file matches.`,
    restore: restoreCommand(file, manifest.dump.client, programs),
  };
}

function fileOf(world: World, bucket: string, key: string): string {
  const file = world.fileOf(bucket, key);
  if (file === undefined) {
    throw new Error(`There is no object s3://${bucket}/${key}.`);
  }
  return file;
}

async function measure(file: string): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(createReadStream(file), async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      bytes += chunk.length;
      hash.update(chunk);
    }
  });
  return { bytes, sha256: hash.digest('hex') };
}

/** Uses the pg_restore next to the pg_dump that made the file. */
function restoreCommand(file: string, client: string | null, programs: readonly ClientPrograms[]): string {
  const folder = programs.find(({ version }) => `pg_dump ${version}` === client)?.folder ?? '';
  const database = '"${PGDATABASE:?set PGHOST, PGUSER, PGPASSWORD and PGDATABASE to an empty database}"';
  return `${quoted(join(folder, 'pg_restore'))} --no-owner --jobs=4 --dbname=${database} ${quoted(file)}`;
}

/** Quotes a word for a POSIX shell. */
function quoted(word: string): string {
  return /^[\w./@:-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
