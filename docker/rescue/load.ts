import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { type HashedCount, RowHash } from '../census/row-hash.ts';
import { Failure } from '../failure.ts';
import { FEW, listed, MANY } from '../listed.ts';
import { inSavepoint } from '../postgres/connection/in-savepoint.ts';
import { literal, nameOf } from '../postgres/names/quoting.ts';
import { isRefusal } from '../restore/census/attempt.ts';
import { compareWithCensus } from '../restore/census/compare-with-census.ts';
import { byTable, type ExpectedCensus, type ExpectedTable } from '../restore/census/expected-census.ts';
import { counted } from '../restore/census/result.ts';
import { withoutValues } from '../restore/pg-restore-errors.ts';
import type { ArchiveObject } from '../restore/stored-dump/table-of-contents.ts';
import { relationsOf } from '../restore/target/objects.ts';
import type { SessionSetting } from '../restore/target/session-settings.ts';
import type { ArchiveIndex } from './archive-index.ts';
import type { RowsBlock } from './blocks.ts';
import type { Plan, Step } from './plan.ts';
import type { RowScript } from './row-script.ts';

/** Settings of a session of pg_restore that decide whether and how a statement of a dump is understood. */
const SETTINGS: readonly SessionSetting[] = [
  { name: 'check_function_bodies', value: 'off' },
  { name: 'client_min_messages', value: 'warning' },
  { name: 'default_tablespace', value: '' },
  { name: 'row_security', value: 'off' },
  { name: 'xmloption', value: 'content' },
];

/** Said of a failure before the end of the transaction. */
const UNCHANGED = 'Nothing in the database was changed.';

/** SQLSTATEs duplicate_schema, duplicate_table, duplicate_object and duplicate_function. */
const EXISTS: ReadonlySet<unknown> = new Set(['42P06', '42P07', '42710', '42723']);

/** What to load into a database. */
export interface Load {
  readonly plan: Plan;
  readonly blocks: readonly RowsBlock[];
  /** Statements that read the rows, by the ID of their entry. */
  readonly data: ArchiveIndex['data'];
  /** PostgreSQL's name of the encoding of the dump. */
  readonly encoding: string;
  /** Settings by which its values were written as text. */
  readonly textSettings: Readonly<Record<string, string>>;
  /** `lc_monetary`, by which values of the type `money` were written. */
  readonly moneyLocale: string | null;
  /** What the session needs in addition. */
  readonly settings: readonly SessionSetting[];
}

/** What a load has left in the database. */
export interface Loaded {
  /** The tables that were filled. */
  readonly tables: readonly ExpectedTable[];
  /** What these need and the database did not have: `domain public.amount`. */
  readonly created: readonly string[];
  /** What could not be compared, with the reason. */
  readonly notCompared: readonly string[];
}

/**
 * Carries out a plan, and compares the rows that are then in the database with those of the dump. Connection errors
 * pass through.
 *
 * @param client in a transaction, which must end without effect if this fails
 * @throws {Failure} `refused` if the server refuses a step; `verificationFailed` if rows are not as they were proven
 */
export async function load(
  client: pg.Client,
  { plan, blocks, data, encoding, textSettings, moneyLocale, settings }: Load,
  script: RowScript,
): Promise<Loaded> {
  // Before any row is taken: if a name in the database is no UTF-8, all of this is done again, without conversion.
  await relationsOf(client);
  for (const { name, value } of [...SETTINGS, ...settings]) {
    await client.query({ text: 'SELECT set_config($1, $2, true)', values: [name, value] });
  }
  const proven = new Map(blocks.map((block) => [block.id, block.proven]));
  const created: string[] = [];
  const refused: string[] = [];
  const filled: ExpectedTable[] = [];
  for (const step of plan.steps) {
    switch (step.kind) {
      case 'need': {
        const named = `${step.what.kind.toLowerCase()} ${nameOf(step.what)}`;
        const { outcome, reason } = await createIfMissing(client, step);
        if (outcome === 'created') {
          created.push(named);
        } else if (outcome === 'refused') {
          refused.push(`${named}: ${reason}`);
        }
        break;
      }
      case 'statement':
        await create(client, step, refused);
        break;
      case 'rows': {
        const { id, copy } = step.rows;
        const statement = data.get(id)?.copyStatement ?? Buffer.alloc(0);
        const copied = await copyRows(client, step, { script, statement, encoding });
        checkRows(step.rows, copied, proven.get(id));
        filled.push({ ...step.into, columns: copy.columns, ...copied });
      }
    }
  }
  const tables = byTable(filled);
  const census = { tables, largeObjects: undefined, encoding, extensions: new Map(), textSettings, moneyLocale };
  return { tables, created, notCompared: await compare(client, census) };
}

type StepOf<Kind extends Step['kind']> = Extract<Step, { readonly kind: Kind }>;

interface Need {
  readonly outcome: 'created' | 'there' | 'refused';
  /** The server's, without values, if it refused. */
  readonly reason?: string;
}

/** That the server refuses it matters only if it then refuses a table. */
async function createIfMissing(client: pg.Client, { statement }: StepOf<'need'>): Promise<Need> {
  try {
    await inSavepoint(client, 'kept', () => client.query(statement));
    return { outcome: 'created' };
  } catch (error) {
    if (!isRefusal(error)) {
      throw error;
    }
    return EXISTS.has(error.code) ? { outcome: 'there' } : { outcome: 'refused', reason: inWords(error) };
  }
}

/** @param refused what the server has refused to create before */
async function create(
  client: pg.Client,
  { action, statement }: StepOf<'statement'>,
  refused: readonly string[],
): Promise<void> {
  try {
    await client.query(statement);
  } catch (error) {
    if (!isRefusal(error)) {
      throw error;
    }
    const before =
      refused.length === 0 ? '' : `Before, it refused to create what is needed: ${listed(refused, FEW, '; ')}. `;
    throw new Failure('refused', `The server refused to ${action}: ${inWords(error)}. ${before}${UNCHANGED}`);
  }
}

interface Source {
  readonly script: RowScript;
  readonly statement: Buffer;
  readonly encoding: string;
}

/** @returns the rows that were sent */
async function copyRows(
  client: pg.Client,
  { rows, into }: StepOf<'rows'>,
  { script, statement, encoding }: Source,
): Promise<HashedCount> {
  const columns = rows.copy.columns === '' ? '' : ` (${rows.copy.columns})`;
  const table = `${pg.escapeIdentifier(into.schema)}.${pg.escapeIdentifier(into.name)}`;
  const sink = client.query(copyFrom(`COPY ${table}${columns} FROM STDIN (ENCODING ${literal(encoding)})`));
  const hash = new RowHash();
  try {
    await pipeline(script.rowsAfter(statement, hash), sink);
  } catch (error) {
    if (!isRefusal(error)) {
      throw error;
    }
    throw new Failure('refused', `The server refused the rows of ${nameOf(rows)}: ${inWords(error)}. ${UNCHANGED}`);
  }
  return hash.take();
}

function inWords({ message, code }: pg.DatabaseError): string {
  return `${withoutValues(message)} (SQLSTATE ${code ?? 'unknown'})`;
}

/** @throws {Failure} `verificationFailed` */
function checkRows(rows: ArchiveObject, { count, hash }: HashedCount, proven: HashedCount | undefined): void {
  if (proven !== undefined && (proven.count !== count || proven.hash !== hash)) {
    throw new Failure(
      'verificationFailed',
      `The dump has ${counted(count, 'row')} of ${nameOf(rows)} with the hash ${hash}, but ` +
        `${counted(proven.count, 'row')} with the hash ` +
        `${proven.hash} were proven. Do not rely on this object. ${UNCHANGED}`,
    );
  }
}

/**
 * @returns what could not be compared
 * @throws {Failure} `verificationFailed` if the database has changed rows while it took them
 */
async function compare(client: pg.Client, census: ExpectedCensus): Promise<readonly string[]> {
  const relations = await relationsOf(client);
  const { hidden, absent, differences } = await compareWithCensus(census, 'content', relations, {
    count: 1,
    use: (work) => work(client),
  });
  const wrong = [...absent.map((table) => `${nameOf(table)} is missing`), ...differences.map(({ text }) => text)];
  if (wrong.length > 0) {
    throw new Failure(
      'verificationFailed',
      `In the database, these differ from the dump: ${listed(wrong, MANY, '; ')}. Something in it changes what ` +
        `is restored, such as an event trigger. ${UNCHANGED}`,
    );
  }
  return hidden;
}
