import type { Client } from 'pg';
import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { log } from '../../log.ts';
import { queryRow } from '../../postgres/connection/query.ts';
import { tryEach } from '../../postgres/connection/try-each.ts';
import { literal } from '../../postgres/names/quoting.ts';
import type { SessionSetting } from './session-settings.ts';

/**
 * What the restore's sessions need to read values of the type `money` as they were written: by another locale, the
 * server takes a comma for a point, or refuses the rows. Connection and server errors pass through.
 *
 * @param dumped `lc_monetary` of the dump; null if it has no such values, or the manifest does not say
 * @throws {Failure} `refused` if the server does not have that locale, unless that is accepted
 */
export async function moneySettings(
  client: Client,
  dumped: string | null,
  acceptEncoding: boolean,
): Promise<readonly SessionSetting[]> {
  const query = "SELECT current_setting('lc_monetary') AS present";
  const { present } = await queryRow(client, query, z.object({ present: z.string() }));
  if (dumped === null || dumped === present) {
    return [];
  }
  const [refusal] = await tryEach(client, [`SET LOCAL lc_monetary TO ${literal(dumped)}`]);
  if (refusal === undefined) {
    return [{ name: 'lc_monetary', value: dumped }];
  }
  const problem =
    `the dump has values of the type money in the format of the locale ${literal(dumped)}, which the server does not ` +
    `have, and would be read in that of ${literal(present)}: as other amounts, or not at all`;
  if (!acceptEncoding) {
    throw new Failure(
      'refused',
      `A part of the dump may be misread: ${problem}. Restore into a server that has the locale, or accept it with ` +
        '--accept-encoding.',
    );
  }
  log(`Warning: this was accepted: ${problem}.`);
  return [];
}
