import pg from 'pg';
import type { PostgresServer } from '../../../../local/postgres/server.ts';
import type { AppWorld } from '../../support/app-world.ts';

/** Runs the next execution of a secret until its dump waits for a lock, and stops it there. */
export async function stopRun(app: AppWorld, secret: string, server: PostgresServer): Promise<void> {
  const execution = app.waiting(secret);
  const holder = new pg.Client({ ...server, database: 'postgres' });
  await holder.connect();
  try {
    await holder.query('begin; lock table big in access exclusive mode');
    await app.until(
      (it) => it.kind === 'job output' && it.line.startsWith('Database '),
      () => execution.wait?.finish(),
    );
    await app.until(
      ({ kind }) => kind === 'job ended',
      () => app.stopExecution(execution.arn),
    );
  } finally {
    await holder.end();
  }
  await execution.ended;
}

/** Stops the check of a new secret while its job runs. */
export async function stopCheck(app: AppWorld): Promise<void> {
  let created: Promise<string> | undefined;
  await app.until(
    ({ kind }) => kind === 'job started',
    () => {
      created = app.createSecret('unchecked');
    },
  );
  const check = app.checksOf().at(-1);
  // Its job is terminated only once its process has been started, which may be later.
  await app.until(
    ({ kind }) => kind === 'job ended',
    () => app.stopExecution(check?.arn ?? ''),
  );
  await created;
}
