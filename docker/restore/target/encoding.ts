import type { Client } from 'pg';
import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { log } from '../../log.ts';
import type { ConnectionSettings } from '../../postgres/connection/connection-settings.ts';
import { queryRows } from '../../postgres/connection/query.ts';
import type { Locale, PartitionBasis } from '../../postgres/database.ts';
import { literal } from '../../postgres/names/quoting.ts';
import type { StoredDump } from '../stored-dump/stored-dump.ts';
import type { TargetDatabase } from './database.ts';

/** Any bytes, in no encoding in particular. */
const NONE = 'SQL_ASCII';

/** Has all characters of the others. */
const UNICODE = 'UTF8';

function withEncoding(encoding: string): string {
  return (
    `CREATE DATABASE … TEMPLATE template0 ENCODING '${encoding}' (with LC_COLLATE 'C' LC_CTYPE 'C', unless there is a ` +
    'locale for it)'
  );
}

/**
 * Refuses a target that cannot convert the text of the dump at all. Other server errors pass through.
 *
 * @throws {Failure} `refused`
 */
export async function checkConversion(dumped: string, target: string, client: Client): Promise<void> {
  const text = `SELECT FROM pg_conversion WHERE condefault
    AND conforencoding = pg_char_to_encoding($1) AND contoencoding = pg_char_to_encoding($2)`;
  const rows = await queryRows(client, { text, values: [dumped, target] }, z.object({}));
  if (rows.length === 0 && ![dumped, target].includes(NONE) && dumped !== target) {
    throw new Failure(
      'refused',
      `The dump is in the encoding ${dumped}, and the server cannot convert that to ${target}, the encoding of the ` +
        `database. Restore into one in UTF8, or in the encoding of the dump: ${withEncoding(dumped)}.`,
    );
  }
}

/** What can go wrong with text in one encoding in a database with another; undefined if nothing can. */
function danger(dumped: string, target: string): string | undefined {
  if (dumped === target) {
    return undefined;
  }
  if (dumped === NONE) {
    return (
      `text in ${NONE} may be any bytes, and those that are not valid in ${target} would be stored all the same: ` +
      'queries then fail, and a dump of that database could not be restored'
    );
  }
  if (target === NONE) {
    return `a database in ${NONE} does not know the encoding of its text, and would mix it with that of its clients`;
  }
  return target === UNICODE
    ? undefined
    : `the server refuses all rows of a table if one of them has a character that ${target} lacks`;
}

/**
 * Refuses a target whose encoding may damage or refuse the text of the dump, unless that is accepted.
 *
 * @param dumped PostgreSQL's name of the encoding of the dump
 * @param target that of the database
 * @throws {Failure} `refused`
 */
export function checkEncoding(
  dumped: string,
  target: string,
  { database }: ConnectionSettings,
  acceptEncoding: boolean,
): void {
  const problem = danger(dumped, target);
  if (problem !== undefined && !acceptEncoding) {
    throw new Failure(
      'refused',
      `The dump is in the encoding ${dumped}, and the database "${database}" in ${target}: ${problem}. Restore into one ` +
        `that was made by ${withEncoding(dumped)}, or accept it with --accept-encoding.`,
    );
  }
  if (problem !== undefined) {
    log(
      `Warning: the dump is in the encoding ${dumped}, and the database in ${target}, which was accepted: ${problem}.`,
    );
  } else if (dumped !== target) {
    log(
      `Note: the dump is in the encoding ${dumped}. The server converts it to ${target}, and refuses all rows of a table if ` +
        'one of them has a code that stands for no character.',
    );
  }
}

function described({ provider, collate, ctype, name, rules }: Locale): string {
  const further = rules === null ? '' : `, ICU_RULES ${literal(rules)}`;
  return `${name === null ? '' : `${name} of `}${provider}${further}, LC_COLLATE ${collate}, LC_CTYPE ${ctype}`;
}

const WORDS: Readonly<Record<PartitionBasis, string>> = {
  encoding: 'encoding',
  locale: 'locale',
  classification: 'classification of characters (LC_CTYPE)',
};

/** The dump, as far as its text is concerned. */
type DumpedText = Pick<StoredDump, 'locale' | 'partitionsDependOn'> & { readonly encoding: string };

/**
 * Refuses a target in which rows belong to other partitions than in the dump, unless that is accepted: a dump fills
 * each partition by itself.
 *
 * @throws {Failure} `refused`
 */
export function checkPartitions(
  dumped: DumpedText,
  target: Pick<TargetDatabase, 'encoding' | 'locale'>,
  { database }: ConnectionSettings,
  acceptEncoding: boolean,
): void {
  const differs = { encoding: dumped.encoding !== target.encoding, ...differenceOf(dumped.locale, target.locale) };
  const different = (dumped.partitionsDependOn ?? []).filter((basis) => differs[basis]);
  if (different.length === 0) {
    return;
  }
  const problem =
    `in the database "${database}", which has another ${different.map((basis) => WORDS[basis]).join(' and another ')} than ` +
    'the dumped one, rows of tables ' +
    'that are partitioned by text may belong to other partitions, and the server then refuses all rows of a partition';
  if (!acceptEncoding) {
    throw new Failure(
      'refused',
      `A part of the dump may be refused: ${problem}. Restore into a database with the encoding ${dumped.encoding}` +
        `${dumped.locale === null ? '' : ` and the locale ${described(dumped.locale)}`}, or accept it with ` +
        '--accept-encoding.',
    );
  }
  log(`Warning: this was accepted: ${problem}.`);
}

/** Whether text has another order, and characters another case or class. */
function differenceOf(dumped: Locale | null, target: Locale): Readonly<Record<'locale' | 'classification', boolean>> {
  return {
    locale: dumped !== null && orderOf(dumped) !== orderOf(target),
    classification: dumped !== null && classificationOf(dumped) !== classificationOf(target),
  };
}

/**
 * What decides the order of text: LC_CTYPE never does, and LC_COLLATE only if the provider has no name of its own.
 */
function orderOf({ provider, collate, name, rules }: Locale): string {
  return `${provider} ${name ?? normalized(collate)} ${rules ?? ''}`;
}

/** What decides which characters are letters, and which of them are the same in upper and lower case. */
function classificationOf({ provider, ctype, name }: Locale): string {
  return `${provider} ${name ?? normalized(ctype)}`;
}

/** The C library has several names for one locale: `C` is `POSIX`, and of a codeset only letters and digits count. */
function normalized(locale: string): string {
  const name = locale.replace(/\.[^@]*/, (codeset) => `.${codeset.toLowerCase().replace(/[^a-z0-9]/g, '')}`);
  return name === 'POSIX' ? 'C' : name;
}

/** Notes a difference that changes the order of text, or what its characters are. */
export function noteLocale(dumped: Locale | null, target: Locale): void {
  const { locale, classification } = differenceOf(dumped, target);
  const changes = [
    ...(locale ? ['sorted and compared'] : []),
    ...(classification ? ['converted to upper and lower case, and matched by patterns,'] : []),
  ];
  if (dumped !== null && changes.length > 0) {
    log(
      `Note: text may be ${changes.join(', and ')} differently, also in generated columns. The dumped database has the locale ` +
        `${described(dumped)}; this one has ${described(target)}.`,
    );
  }
}
