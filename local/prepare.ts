import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { synthesize } from './assembly/synth.ts';
import type { Cleanups } from './host/program.ts';
import { lockStateDir } from './host/state-dir.ts';
import { temporaryFolder } from './host/temporary-folder.ts';
import { type ClientPrograms, ensureClientPrograms } from './postgres/client-programs.ts';
import { DEFAULT_MAJOR } from './postgres/data-directory.ts';
import type { Database } from './postgres/database.ts';
import { startSample } from './postgres/sample.ts';
import { serverFolders } from './postgres/server-folder.ts';
import type { RunState } from './run-state.ts';
import { sampleFailure } from './sample-failure.ts';
import { refuseUnscheduled } from './schedule.ts';
import type { Steps } from './steps.ts';

export interface Prepared {
  readonly programs: readonly ClientPrograms[];
  /** Further folders for the PATH of jobs, with the programs of servers. */
  readonly serverFolders: readonly string[];
  readonly database: Database;
  readonly cdkOut: string;
}

/**
 * Refuses a schedule that starts nothing, locks the state directory, finds the client programs, starts the sample
 * database if needed, and synthesizes the app.
 *
 * @throws {InvalidOptions} if the app would start no run for the schedule
 * @throws {StepFailed} if a step fails
 */
export async function prepare({
  options,
  stateDir,
  reporter,
  steps,
  processes,
  cleanups,
}: RunState): Promise<Prepared> {
  await steps.run('schedule', () => refuseUnscheduled(options, processes));
  cleanups.push(await steps.run('state directory', () => lockStateDir(stateDir)));
  reporter.heading('Preparing');
  const log = (text: string): void => {
    reporter.line(text);
  };
  const serverMajor = options.database === undefined ? DEFAULT_MAJOR : undefined;
  const programs = await steps.run(
    'PostgreSQL clients',
    () => ensureClientPrograms(serverMajor, processes, log),
    (found) => found.map(({ version, folder }) => `${version} in ${folder}`).join(', '),
  );
  const [servers, removeServers] = await temporaryFolder('servers');
  cleanups.push(removeServers);
  // A server that is started as root runs as another user.
  await chmod(servers, 0o711);
  const cdkOut = join(stateDir, 'cdk.out');
  log('Running cdk synth, which takes some seconds');
  const synth = steps.run(
    'cdk synth',
    () => synthesize(cdkOut, processes),
    () => cdkOut,
  );
  const [database, synthesized] = await Promise.allSettled([options.database ?? sample(steps, cleanups), synth]);
  if (database.status === 'rejected') {
    throw database.reason;
  }
  if (synthesized.status === 'rejected') {
    throw synthesized.reason;
  }
  return {
    programs,
    serverFolders: await serverFolders(programs, servers),
    database: database.value,
    cdkOut,
  };
}

async function sample(steps: Steps, cleanups: Cleanups): Promise<Database> {
  const started = await steps.run(
    'sample database',
    () =>
      startSample().catch((error: unknown) => {
        throw sampleFailure(error);
      }),
    ({ serverVersion, host, port, database, orderItems }) =>
      `PostgreSQL ${serverVersion} on ${host} port ${port}, database ${database} with ${orderItems} order items`,
  );
  cleanups.push(() => started.stop());
  return started;
}
