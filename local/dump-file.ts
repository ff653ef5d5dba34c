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
    sections: z.array(z.object({ bytes: z.int().positive(), sha256: z.string() })).optional(),
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
  world: Pick<World, 's3' | 'fileOf'>,
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
  if (bytes !== proof.bytes || !(await isAsProven(file, sha256, proof))) {
    throw new Error(`${file} has ${bytes} bytes and the SHA-256 ${sha256}, which does not match its manifest.`);
  }
  return {
    scheduledFor: manifest.scheduledFor,
    dump: { bucket, key, file, bytes, sha256, verified: proof.verified, manifest: manifestFile },
    proof: isHashed(proof) ? `${proof.method} The SHA-256 of the file matches.` : proof.method,
    restore: restoreCommand(file, manifest.dump.client, programs),
  };
}

type Proof = z.infer<typeof manifestSchema>['proof'];

/** Whether the manifest says what is hashed. A recovered one does not. */
function isHashed({ sha256, sections }: Proof): boolean {
  return sha256 !== null || sections !== undefined;
}

/** @param found SHA-256 of the file, which has the proven number of bytes */
async function isAsProven(file: string, found: string, { bytes, sha256, sections }: Proof): Promise<boolean> {
  let from = 0;
  for (const section of sections ?? []) {
    const part = await measure(file, { start: from, end: from + section.bytes - 1 });
    if (part.sha256 !== section.sha256) {
      return false;
    }
    from += section.bytes;
  }
  return (sections === undefined || from === bytes) && (sha256 === null || sha256 === found);
}

function fileOf(world: Pick<World, 'fileOf'>, bucket: string, key: string): string {
  const file = world.fileOf(bucket, key);
  if (file === undefined) {
    throw new Error(`There is no object s3://${bucket}/${key}.`);
  }
  return file;
}

/** @param range its first and last byte; by default, all bytes */
async function measure(
  file: string,
  range: { readonly start?: number; readonly end?: number } = {},
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(createReadStream(file, range), async (source: AsyncIterable<Buffer>) => {
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
