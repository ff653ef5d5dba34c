import { Failure } from '../../failure.ts';
import type { Locale } from '../../postgres/database.ts';
import { literal } from '../../postgres/names/quoting.ts';
import { type ChildExit, type ChildOptions, run, wasStopped } from '../../process/child.ts';
import type { ServerPrograms } from './programs.ts';

/** A superuser, whose name no dump is likely to have for a role. */
export const SUPERUSER = 'autodump_drill';

/** How the database of the server treats text. */
export interface DatabaseText {
  /** PostgreSQL's name of the encoding. */
  readonly encoding: string;
  /** Null if the manifest does not say. */
  readonly locale: Locale | null;
}

/** Why the database has another locale than the dump. */
export interface LackingLocale {
  /** For the reader: `libc en_US.UTF-8`. */
  readonly locale: string;
  readonly reason: string;
}

/** First major whose initdb has `--locale-provider`. */
const PROVIDERS_SINCE = 15;

/** Options of initdb for a locale. What is not of the database, such as the language of messages, is always `C`. */
export function localeOptions(locale: Locale | null, major: number): readonly string[] {
  const { provider, collate, ctype, name, rules } = locale ?? PLAIN;
  return [
    '--locale=C',
    `--lc-collate=${collate}`,
    `--lc-ctype=${ctype}`,
    ...(major < PROVIDERS_SINCE ? [] : [`--locale-provider=${provider}`]),
    ...(provider === 'icu' ? [`--icu-locale=${name ?? ''}`] : []),
    ...(provider === 'builtin' ? [`--builtin-locale=${name ?? ''}`] : []),
    ...(rules === null ? [] : [`--icu-rules=${rules}`]),
  ];
}

const PLAIN: Locale = { provider: 'libc', collate: 'C', ctype: 'C', name: null, rules: null };

/**
 * Creates the files of a server, whose database `postgres` has the encoding and the locale of the dump. If this machine
 * lacks the locale, it is `C`.
 *
 * @param data folder to create
 * @returns why it has another locale, if it has
 * @throws {Failure} `refused` with what initdb says; `tryAgain` if it was stopped
 */
export async function createCluster(
  data: string,
  { initdb, major }: ServerPrograms,
  { encoding, locale }: DatabaseText,
  options: ChildOptions,
): Promise<LackingLocale | undefined> {
  const create = (of: Locale | null) =>
    run(
      initdb,
      [
        `--pgdata=${data}`,
        `--username=${SUPERUSER}`,
        '--auth=trust',
        '--no-sync',
        `--encoding=${encoding}`,
        ...localeOptions(of, major),
      ],
      options,
    );
  const first = unlessStopped(await create(locale));
  if (first.status === 0) {
    return undefined;
  }
  const second = locale === null ? first : unlessStopped(await create(null));
  if (locale === null || second.status !== 0) {
    throw new Failure('refused', `initdb could not create the server for the drill: ${reasonOf(second)}`);
  }
  return { locale: described(locale), reason: reasonOf(first) };
}

/** @throws {Failure} `tryAgain` if initdb was stopped, which says nothing of the locale */
function unlessStopped(exit: ChildExit): ChildExit {
  if (wasStopped(exit)) {
    throw new Failure(
      'tryAgain',
      `initdb was ended by ${exit.signal ?? 'a signal'} before the server for the drill was created.`,
    );
  }
  return exit;
}

function reasonOf({ status, signal, lastLines }: ChildExit): string {
  const end = signal === null ? `exited with status ${status}` : `was ended by ${signal}`;
  return lastLines.find((line) => /\b(?:error|FATAL): /.test(line)) ?? lastLines.at(-1) ?? `it ${end}`;
}

function described({ provider, collate, ctype, name, rules }: Locale): string {
  const names = [...new Set([...(name === null ? [] : [name]), collate, ctype])].join(', ');
  return `${provider} ${names}${rules === null ? '' : ` with the rules ${literal(rules)}`}`;
}
