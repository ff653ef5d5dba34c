import type { S3Client } from '@aws-sdk/client-s3';
import { Attempts } from '../attempts.ts';
import { log } from '../log.ts';
import { chooseDatabases, type ChosenDatabases } from '../plan/choose-databases.ts';
import { nameInKey } from '../plan/key.ts';
import { planOf, type Run, type SecretPlan } from '../plan/plan.ts';
import type { RunContext } from '../run-context.ts';
import { listDumps } from '../s3/list-dumps.ts';
import { dumpDatabase } from './dump.ts';
import { writeGlobals } from './write-globals.ts';

/**
 * Dumps several databases, one after another, the largest first. One that fails does not stop the others.
 *
 * @throws {Failure} that names those that failed
 */
export async function dumpSeveral(s3: S3Client, secret: SecretPlan, context: RunContext): Promise<void> {
  const chosen = await chooseDatabases(secret, context);
  logLeftOut(chosen, []);
  const attempts = new Attempts(context.signal);
  const names = new Set(chosen.names);
  if (chosen.secret.databases.kind !== 'all') {
    await dumpEach(s3, chosen, chosen.names, attempts, context);
  } else {
    const globals = await attempts.make('roles', () => writeGlobals(s3, chosen, context));
    await attempts.make('what is gone', () => reportGone(s3, chosen, context));
    await dumpEach(s3, { ...chosen, globals }, chosen.names, attempts, context);
    const now = await attempts.make('what was created since', () => chooseDatabases(chosen.secret, context));
    if (now !== undefined) {
      logLeftOut(now, chosen.leftOut);
      forgetDropped(chosen, now, names, attempts);
      const created = now.names.filter((name) => !names.has(name));
      await dumpEach(s3, { ...now, globals }, created, attempts, context);
      created.forEach((name) => names.add(name));
    }
  }
  const done = [...names].filter((name) => !attempts.failed(quoted(name)));
  const summary = `${done.length} of ${names.size} databases are dumped.`;
  attempts.conclude(summary);
  log(`Done: ${summary}`);
}

/** @param logged those that the log has already */
function logLeftOut({ leftOut }: ChosenDatabases, logged: ChosenDatabases['leftOut']): void {
  for (const { database, reason } of leftOut.filter((one) => !logged.some((each) => each.database === one.database))) {
    log(`Left out: ${quoted(database)}: ${reason}`);
  }
}

function quoted(name: string): string {
  return `"${name}"`;
}

async function dumpEach(
  s3: S3Client,
  { secret, ...run }: Run & Pick<ChosenDatabases, 'secret'>,
  names: readonly string[],
  attempts: Attempts,
  context: RunContext,
): Promise<void> {
  for (const [index, name] of names.entries()) {
    log(`Database ${index + 1} of ${names.length}: ${quoted(name)}`);
    await attempts.make(quoted(name), () => dumpDatabase(s3, planOf(secret, name, run), context));
  }
}

/** Those that were dropped while others were dumped need no dump. */
function forgetDropped(
  { names: before }: ChosenDatabases,
  { names: now }: ChosenDatabases,
  names: Set<string>,
  attempts: Attempts,
): void {
  for (const name of before.filter((each) => !now.includes(each) && attempts.failed(quoted(each)))) {
    log(`Note: ${quoted(name)} was dropped in the meantime.`);
    attempts.forget(quoted(name));
    names.delete(name);
  }
}

/** Says once what has a dump of the run before this one and is no longer there. */
async function reportGone(s3: S3Client, { secret, ...run }: ChosenDatabases, { signal }: RunContext): Promise<void> {
  const { bucket, secretName, task } = secret;
  const dumps = await listDumps(s3, [bucket], secretName, signal);
  const times = dumps.map(({ scheduledFor }) => scheduledFor).filter((time) => time < task.scheduledFor);
  const last = times.toSorted().at(-1);
  const there = new Set([...run.names, ...run.leftOut.map(({ database }) => database)].map(nameInKey));
  const gone = dumps.filter(({ scheduledFor, database }) => scheduledFor === last && !there.has(database));
  for (const { key } of gone) {
    log(`Note: the server no longer has the database that was dumped to s3://${bucket}/${key}.`);
  }
}
