import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openS3 } from '../aws.ts';
import { freeSpace } from '../disk.ts';
import { Failure } from '../failure.ts';
import { listed, MANY } from '../listed.ts';
import { log } from '../log.ts';
import { readSecret } from '../plan/read-secret.ts';
import { parseConnectionSettings } from '../plan/secret.ts';
import { chooseRestoreClient, clientWarning, findClients, type PostgresClient } from '../postgres/clients.ts';
import type { ConnectionSettings } from '../postgres/connection/connection-settings.ts';
import { withConnection } from '../postgres/connection/connection.ts';
import { tlsPolicy, type TlsPolicy } from '../postgres/connection/tls/tls.ts';
import { describeLeftOut } from '../postgres/filters/left-out.ts';
import { nameOf } from '../postgres/names/quoting.ts';
import { formatBytes } from '../progress.ts';
import { counted } from '../restore/census/result.ts';
import type { RestoreOptions } from '../restore/options.ts';
import { findStoredDump, type StoredDump } from '../restore/stored-dump/stored-dump.ts';
import { type ArchiveObject, readTableOfContents } from '../restore/stored-dump/table-of-contents.ts';
import type { RunContext } from '../run-context.ts';
import { indexArchive } from './archive-index.ts';
import { planAsIs } from './as-is.ts';
import { blocksOf, checkNotEmpty, type RowsBlock } from './blocks.ts';
import { checkRoom } from './check-room.ts';
import { type ExaminedTarget, examineTarget, type KnownDump } from './examine-target.ts';
import { fetchBlocks, readBeginning } from './fetch.ts';
import { load, type Load, type Loaded } from './load.ts';
import { readRows } from './read-rows.ts';
import { planIntoSchema, rescuedSchema } from './rescued-schema.ts';
import { partitionsIn, selectTables } from './select-tables.ts';

/** Scratch space to leave free for other files. */
const RESERVE_BYTES = 64 * 1024 * 1024;

/**
 * Restores some tables of a dump, of which it fetches no more than the head and the rows of these. Either all of them
 * are then in the database, as they were counted and hashed when the dump was proven, or nothing there was changed.
 *
 * @throws {Failure} with the reason; any other error, except the signal's reason, is an internal error
 */
export async function rescue(options: RestoreOptions, context: RunContext): Promise<void> {
  const { signal } = context;
  const s3 = openS3(options.region);
  const folder = await mkdtemp(join(options.scratch, 'autodump-'));
  try {
    const dump = await findStoredDump(s3, options.object, signal);
    logStart(dump, options);
    const contents = await readTableOfContents(readBeginning(s3, dump, signal), join(folder, 'head'));
    const known = { dump, contents, index: await indexArchive(contents.head) };
    const target = await findTarget(options, context);
    const examined = await withConnection(target.settings, target.policy, signal, (connection) =>
      examineTarget(connection, target.settings, known, options.acceptEncoding),
    );
    const decision = decide(options, known, examined, target.settings);
    await checkSpace(decision.blocks, folder);
    const client = await findClient(dump, context);
    const archive = join(folder, 'rows');
    await fetchBlocks(s3, dump, decision.blocks, known.index, { head: contents.head, archive }, signal);
    const loading = { ...decision, data: known.index.data, encoding: contents.encoding, settings: examined.settings };
    const restored = await readRows(
      { file: archive, entries: decision.blocks.map(({ id }) => id), list: join(folder, 'entries') },
      client,
      (script) =>
        withConnection(target.settings, target.policy, signal, (connection) => load(connection, loading, script), {
          access: 'READ WRITE',
          isPatient: true,
        }),
      signal,
    );
    report(restored, decision.plan.leftOut, dump);
  } finally {
    s3.destroy();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Target {
  readonly settings: ConnectionSettings;
  readonly policy: TlsPolicy;
}

async function findTarget({ target }: RestoreOptions, { rdsRoots, signal }: RunContext): Promise<Target> {
  const settings = 'secretArn' in target ? parseConnectionSettings(await readSecret(target, signal)) : target;
  return { settings, policy: tlsPolicy(settings, rdsRoots) };
}

/** What to do in the database, and with which rows of the dump. */
type Decision = Pick<Load, 'plan' | 'blocks' | 'textSettings' | 'moneyLocale'>;

/** @throws {Failure} `refused` if that is not possible */
function decide(
  options: RestoreOptions,
  { dump, index }: KnownDump,
  examined: ExaminedTarget,
  target: ConnectionSettings,
): Decision {
  const { objects, statements } = examined;
  const partitions = partitionsIn(objects, index);
  const tables = selectTables(options.tables, objects, partitions, dump.leftOut);
  const archive = { objects, index, partitions, statements };
  const schema = options.asIs ? undefined : rescuedSchema(dump.scheduledFor);
  const plan = schema === undefined ? planAsIs(tables, archive) : planIntoSchema(schema, tables, archive);
  const rows = plan.steps.flatMap((step) => (step.kind === 'rows' ? [step.rows] : []));
  const blocks = blocksOf(rows, index, dump);
  if (schema !== undefined) {
    checkNotEmpty(tables, blocks);
  }
  checkRoom(examined, schema, plan.tables, target);
  return { plan, blocks, textSettings: dump.census?.textSettings ?? {}, moneyLocale: dump.moneyLocale };
}

async function findClient({ clientMajor }: StoredDump, { searchPath }: RunContext): Promise<PostgresClient> {
  const client = chooseRestoreClient(await findClients(searchPath), clientMajor);
  const warning = clientWarning(client);
  if (warning !== undefined) {
    log(`Warning: ${warning}.`);
  }
  return client;
}

function logStart({ object: { bucket, key }, bytes, leftOut }: StoredDump, { tables }: RestoreOptions): void {
  log(`Restoring ${listed(tables.map(nameOf), MANY)} of s3://${bucket}/${key}, which has ${formatBytes(bytes)} in all`);
  const described = leftOut === null ? '' : describeLeftOut(leftOut);
  if (described !== '') {
    log(`It was made with filters, which left out ${described}`);
  }
}

/** @throws {Failure} `refused` if the local disk has no room for the rows */
async function checkSpace(blocks: readonly RowsBlock[], folder: string): Promise<void> {
  const bytes = blocks.reduce((sum, { length }) => sum + length, 0);
  const free = await freeSpace(folder);
  if (bytes + RESERVE_BYTES > free) {
    throw new Failure(
      'refused',
      `The rows take ${formatBytes(bytes)} of the dump, and the local disk has only ${formatBytes(free)} free. Restore the ` +
        'tables one by one, or see the context ephemeralStorageGiB.',
    );
  }
}

function report(
  { tables, created, notCompared }: Loaded,
  leftOut: readonly ArchiveObject[],
  { census }: StoredDump,
): void {
  if (leftOut.length > 0) {
    const names = leftOut.map((object) => `${object.kind.toLowerCase()} ${nameOf(object)}`);
    log(`Note: not restored, although the dump has it: ${listed(names, MANY)}`);
  }
  for (const what of created) {
    log(`Created from the dump, because the database did not have it: ${what}`);
  }
  for (const table of tables) {
    log(`${nameOf(table)}: ${counted(table.count, 'row')}`);
  }
  for (const what of notCompared) {
    log(`Warning: not compared with the dump after it was in the database: ${what}`);
  }
  log(`Done: ${endOf(notCompared, census)}`);
}

function endOf(notCompared: Loaded['notCompared'], census: StoredDump['census']): string {
  if (census === null) {
    return (
      'the rows in the database are those that the dump has now. What it had when it was proven is unknown, because its ' +
      'manifest has no census.'
    );
  }
  return notCompared.length > 0
    ? 'the rows that were sent are those that were counted and hashed when the dump was proven, but not all were read back.'
    : 'the rows in the database are those that were counted and hashed when the dump was proven.';
}
