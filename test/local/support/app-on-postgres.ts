import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import type { PostgresServer } from '../../../local/postgres/server.ts';
import { startPostgres } from '../../support/postgres.ts';

/** What the tests of a file use to run the app. */
export interface AppOnPostgres {
  /** Output of synth; not to be changed. */
  readonly cdkOut: string;
  /** Temporary folder for worlds. */
  readonly folder: string;
  readonly server: PostgresServer;
}

/** Synthesizes the app and starts a PostgreSQL server for the tests of a file. @returns a function that returns them */
export function appOnPostgres(synthesize: () => Promise<string>): () => AppOnPostgres {
  let app: AppOnPostgres | undefined;
  let data: string;
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
    data = await mkdtemp(join(tmpdir(), 'autodump-test-'));
    const [cdkOut, server] = await Promise.all([synthesize(), startPostgres(data)]);
    app = { cdkOut, folder, server };
  });
  afterAll(async () => {
    await app?.server.stop();
    await rm(data, { recursive: true });
    await rm(app?.folder ?? '', { recursive: true });
  });
  return () => {
    if (app === undefined) {
      throw new Error('Call this in a test or a hook.');
    }
    return app;
  };
}
