import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { openS3 } from '../../../docker/aws.ts';
import { type ExpectedCensus, expectedCensus } from '../../../docker/restore/census/expected-census.ts';
import { findStoredDump } from '../../../docker/restore/stored-dump/stored-dump.ts';
import { StructureCheck } from '../../../docker/restore/stored-dump/structure-check.ts';
import {
  type ArchiveObject,
  objectsOf,
  readTableOfContents,
} from '../../../docker/restore/stored-dump/table-of-contents.ts';
import { BUCKET, keyOf, type Stage } from './stage.ts';

/** What the dump of a database, and its manifest, say of it. */
export async function expectedOf(
  stage: Stage,
  database: string,
): Promise<{ readonly census: ExpectedCensus; readonly objects: readonly ArchiveObject[] }> {
  process.env.AWS_ENDPOINT_URL_S3 = stage.s3.endpoint;
  process.env.AWS_ACCESS_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';
  process.env.AWS_SECRET_ACCESS_KEY = 'example';
  const s3 = openS3('us-west-2');
  const dump = await findStoredDump(s3, { bucket: BUCKET, key: keyOf(database) }, new AbortController().signal);
  s3.destroy();
  const archive = async function* () {
    yield await readFile(stage.fileOf(keyOf(database)));
  };
  const head = join(stage.scratch, 'head');
  const contents = await readTableOfContents(archive(), head);
  await rm(head);
  const check = new StructureCheck();
  await buffer(check.follow(archive()));
  const client = await stage.connect(database);
  const objects = await objectsOf(contents, 'UTF8', client);
  await client.end();
  if (dump.census === null) {
    throw new Error('The manifest has no census.');
  }
  const known = { contents, objects, before: { hasLargeObjects: false }, settings: [] };
  return { objects, census: expectedCensus(dump.census, known, check.end().blocks) };
}
