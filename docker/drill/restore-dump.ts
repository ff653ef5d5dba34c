import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { Failure } from '../failure.ts';
import { log } from '../log.ts';
import { findClients } from '../postgres/clients.ts';
import { expectedCensus } from '../restore/census/expected-census.ts';
import { compareTarget } from '../restore/compare-target.ts';
import { prepare, type RestoreSetup } from '../restore/prepare.ts';
import { type ArchiveRestore, restoreArchive } from '../restore/restore-archive.ts';
import { createRoles } from '../restore/roles/create-roles.ts';
import { fetchAndCheck, readContents } from '../restore/stored-dump/fetch-dump.ts';
import type { StoredDump } from '../restore/stored-dump/stored-dump.ts';
import type { TableOfContents } from '../restore/stored-dump/table-of-contents.ts';
import type { RunContext } from '../run-context.ts';
import { checkAssertions } from './assertions.ts';
import { checkSpace, neededSpace, spaceAdvice } from './disk-space.ts';
import { lackingOn } from './lacking-on-server.ts';
import { chooseServer, type ServerPrograms, serversBeside } from './server/programs.ts';
import { type ThrowawayServer, withServer } from './server/server.ts';
import { jobsFor, PRELOADED_EXTENSIONS, serverSettings, thisMachine } from './server/settings.ts';
import type { Findings } from './verdict.ts';

/** A dump, what it contains and a file with it. */
interface Fetched {
  readonly dump: StoredDump;
  readonly contents: TableOfContents;
  readonly file: string;
  readonly blocks: Awaited<ReturnType<typeof fetchAndCheck>>['blocks'];
}

/** Receives what becomes known, so that the evidence of a drill that fails has it, too. */
export interface Observer {
  readonly onServer: (version: string, pgRestore: string) => void;
  /** The database is usable. */
  readonly onRestored: () => void;
}

/**
 * Restores a dump into a throwaway server, and compares the two.
 *
 * @param scratch folder for that of the server
 * @param folder for the dump
 * @throws {Failure} `refused` before anything is fetched, if it cannot be drilled here, or when the disk is full;
 * `verificationFailed` if the dump is not the proven one, or cannot be restored at all; `tryAgain`
 */
export async function restoreDump(
  s3: S3Client,
  dump: StoredDump,
  { scratch, folder }: { readonly scratch: string; readonly folder: string },
  observer: Observer,
  context: RunContext,
): Promise<Findings> {
  const { searchPath, signal } = context;
  const programs = chooseServer(serversBeside(await findClients(searchPath)), dump);
  await checkSpace(dump, folder);
  const contents = await readContents(s3, dump, folder, signal);
  const file = join(folder, 'dump');
  const { blocks } = await fetchAndCheck(s3, dump, file, signal);
  const { encoding } = contents;
  const machine = thisMachine();
  const preloaded = preloadedFor(contents, programs);
  log(
    `Starting a server of PostgreSQL ${programs.major} for a dump of PostgreSQL ${dump.serverVersion ?? 'an unknown version'}`,
  );
  const plan = {
    scratch,
    programs,
    text: { encoding, locale: dump.locale },
    settingsIn: (socketFolder: string) => serverSettings(socketFolder, machine, preloaded),
    searchPath,
  };
  return withServer(plan, signal, (server) =>
    restoreInto(server, { dump, contents, file, blocks }, { folder, jobs: jobsFor(machine) }, observer, context),
  );
}

function preloadedFor({ entries }: TableOfContents, { libraries }: ServerPrograms): readonly string[] {
  const used = new Set(entries.filter(({ kind }) => kind === 'EXTENSION').map(({ nameBytes }) => nameBytes));
  return PRELOADED_EXTENSIONS.filter((name) => used.has(name) && existsSync(join(libraries, `${name}.so`)));
}

async function restoreInto(
  { target, lackingLocale }: ThrowawayServer,
  fetched: Fetched,
  { folder, jobs }: { readonly folder: string; readonly jobs: number },
  observer: Observer,
  context: RunContext,
): Promise<Findings> {
  const { dump, contents } = fetched;
  const { signal } = context;
  // What a lacking locale changes is reported with it; rows that are refused for it are counted.
  const options = { target, jobs, intoNonEmpty: false, acceptEncoding: true, createRoles: true };
  const setup = await prepare(options, dump, contents, folder, context);
  observer.onServer(setup.serverVersion, setup.tool.client.version);
  const lacking = lackingOn(contents, setup.objects, setup.before.extensions, lackingLocale);
  const restore = archiveRestore(fetched, setup);
  const { missingRoles } = setup;
  const refusedRoles =
    missingRoles === undefined ? [] : await orNotRestorable(createRoles(setup.tool, missingRoles, signal));
  const { contents: main, remarks, triggers } = await orNotRestorable(restoreArchive(restore, signal));
  observer.onRestored();
  const refused = [...refusedRoles, ...main.messages, ...remarks.messages, ...triggers.messages];
  checkDiskWasLargeEnough(refused, dump);
  const compared = await compareTarget(restore, signal);
  const assertions = dump.assertions === null ? null : await checkAssertions(dump.assertions, setup.tool, signal);
  const refusedCount = refusedRoles.length + main.count + remarks.count + triggers.count;
  return { compared, lacking, refused, refusedCount, assertions };
}

function archiveRestore({ dump, file, blocks }: Fetched, setup: RestoreSetup): ArchiveRestore {
  const census = dump.census === null ? undefined : expectedCensus(dump.census, { ...setup, ...setup.tool }, blocks);
  return { ...setup, archive: { file, jobs: setup.jobs }, census, verification: 'content', isFiltered: false };
}

/** What the server refuses as a whole is a verdict about the dump, and not of this machine. */
async function orNotRestorable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Failure && error.reason === 'refused') {
      throw new Failure('verificationFailed', error.message, { cause: error });
    }
    throw error;
  }
}

/** Of the operating system, by way of the server. */
const NO_SPACE = 'No space left on device';

/** @throws {Failure} `refused` */
function checkDiskWasLargeEnough(refused: readonly string[], dump: StoredDump): void {
  if (refused.some((message) => message.includes(NO_SPACE))) {
    throw new Failure(
      'refused',
      'The local disk became full while the dump was restored: its database takes more space than it had on the disk of its ' +
        `server. ${spaceAdvice(2 * neededSpace(dump))}`,
    );
  }
}
