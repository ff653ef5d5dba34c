import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openS3 } from '../../../docker/aws.ts';
import { type DumpResult, makeDump, type MakeOptions } from '../../../docker/engine/make-dump.ts';
import { compressionMethodOf, findClients } from '../../../docker/postgres/clients.ts';
import { NO_FILTERS } from '../../../docker/postgres/filters/filters.ts';
import { CLIENT_PROGRAMS } from './client-programs.ts';
import { BUCKET, type Stage } from './stage.ts';

/** Dumps a database of the stage's server with several connections, by the engine. */
export async function makeParallel(
  stage: Stage,
  database: string,
  key: string,
  changes: Partial<MakeOptions> = {},
): Promise<DumpResult> {
  const { host, port, user, password } = stage.postgres;
  const [client] = changes.client === undefined ? await findClients(CLIENT_PROGRAMS) : [changes.client];
  if (client === undefined) {
    throw new Error('There is no pg_dump.');
  }
  const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  const s3 = openS3('us-west-2');
  try {
    const options: MakeOptions = {
      client,
      compressionMethod: changes.compressionMethod ?? (await compressionMethodOf(client)),
      encoding: 'UTF8',
      filters: NO_FILTERS,
      environment: {
        PATH: `${CLIENT_PROGRAMS}:${process.env.PATH ?? ''}`,
        LC_ALL: 'C',
        ...{ PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password, PGDATABASE: database },
      },
      job: undefined,
      folder,
      beforeDump: () => Promise.resolve(() => Promise.resolve()),
      estimate: 0,
      largeObjectBytes: 0,
      jobs: 3,
      ...changes,
    };
    return await makeDump(options, s3, { bucket: BUCKET, key }, new AbortController().signal);
  } finally {
    s3.destroy();
    await rm(folder, { recursive: true });
  }
}
