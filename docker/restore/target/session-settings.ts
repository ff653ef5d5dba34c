import type { Client } from 'pg';
import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { log } from '../../log.ts';
import { queryRows } from '../../postgres/connection/query.ts';

/** A setting, by which a session of the target would begin otherwise than a restore needs it. */
export interface SessionSetting {
  readonly name: string;
  /** What the restore needs. */
  readonly value: string;
}

/** pg_restore itself sets these, once it is connected. */
const SET_BY_PG_RESTORE = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'] as const;

const FURTHER_TIMEOUTS = ['idle_session_timeout', 'transaction_timeout'] as const;

/**
 * Otherwise the server reads values and expressions of a dump in another way than they are meant: NULL in an array as a
 * text, and `= NULL` as IS NULL. What else decides how they are read, a dump sets or does not depend on, but for
 * `lc_monetary`, which depends on the dump.
 */
const MEANING: Readonly<Record<string, string>> = { array_nulls: 'on', transform_null_equals: 'off' };

/** Otherwise the server's debug messages would be taken for what it says of a grant or a comment. */
const MESSAGES: Readonly<Record<string, string>> = { client_min_messages: 'notice' };

const MISREAD_WITHOUT: readonly string[] = [...Object.keys(MEANING), 'lc_monetary'];

const NEEDED: Readonly<Record<string, string>> = {
  ...Object.fromEntries([...SET_BY_PG_RESTORE, ...FURTHER_TIMEOUTS].map((name) => [name, '0'])),
  ...MEANING,
  ...MESSAGES,
};

/** Of a new session: for the questions themselves, some are set. Connection and server errors pass through. */
export async function unsuitableSettings(client: Client): Promise<readonly SessionSetting[]> {
  const text = 'SELECT name, reset_val AS value FROM pg_settings WHERE name = ANY ($1) ORDER BY 1';
  const found = await queryRows(
    client,
    { text, values: [Object.keys(NEEDED)] },
    z.object({ name: z.string(), value: z.string() }),
  );
  return found
    .filter(({ name, value }) => value !== NEEDED[name])
    .map(({ name }) => ({ name, value: NEEDED[name] ?? '' }));
}

function names(settings: readonly SessionSetting[]): string {
  return settings.map(({ name }) => name).join(', ');
}

/**
 * Which of these to give pg_restore's connections: none through a pooler, since poolers refuse what they do not know.
 *
 * @throws {Failure} `refused` if the dump would be misread
 */
export function settingsToGive(settings: readonly SessionSetting[], isPooled: boolean): readonly SessionSetting[] {
  if (!isPooled) {
    for (const value of new Set(settings.map((setting) => setting.value))) {
      const same = settings.filter((setting) => setting.value === value);
      log(`Note: the restore sets ${names(same)} to ${value} in its own sessions.`);
    }
    return settings;
  }
  const advice = 'through a connection pooler: restore into the server itself, or reset it for this user and database.';
  const misread = settings.filter(({ name }) => MISREAD_WITHOUT.includes(name));
  if (misread.length > 0) {
    throw new Failure(
      'refused',
      `The server would misread the dump because of the setting of ${names(misread)}, which cannot be changed ${advice}`,
    );
  }
  const further = settings.filter(({ name }) => FURTHER_TIMEOUTS.some((timeout) => timeout === name));
  if (further.length > 0) {
    log(`Warning: ${names(further)} may end the restore, and cannot be set to 0 ${advice}`);
  }
  return [];
}
