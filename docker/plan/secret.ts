import type { z } from 'zod';
import type { ConnectionSettings, ServerSettings } from '../postgres/connection/connection-settings.ts';
import { DEFAULT_PORT } from '../postgres/connection/endpoint.ts';
import { transportsFor } from '../postgres/connection/tls/tls.ts';
import type { Filters } from '../postgres/filters/filters.ts';
import type { Databases } from './databases.ts';
import { misspelledKeys, misspelledTags } from './names.ts';
import { type GivenSecret, refusal } from './secret-fields.ts';
import { connectionSchema, dumpSchema } from './secret-schema.ts';

/** What to dump, and the bucket for the dumps. */
export interface DumpSettings {
  readonly server: ServerSettings;
  readonly databases: Databases;
  readonly bucket: string;
  readonly filters: Filters;
}

const REQUIRED =
  ' Required: username, password, databasename (or dbname), endpoint (or host) and engine;' +
  ' optional: port, sslmode (or ssl), pooler, bucketname, schemas, excludeschemas, excludetables and excludetabledata.';

type ServerFields = Omit<z.infer<typeof connectionSchema>, 'databasename'>;

/** What contradicts something else. */
function contradictions({ port, endpoint, ssl, sslmode }: ServerFields): readonly string[] {
  const problems: string[] = [];
  if (port !== undefined && endpoint.port !== undefined && port !== endpoint.port) {
    problems.push('port differs from the port in endpoint: remove one of them');
  }
  if (ssl === true && sslmode !== undefined && sslmode !== 'verify-full') {
    problems.push('ssl is true, which means sslmode verify-full, but sslmode differs: remove one of them');
  }
  if (ssl === false && sslmode !== undefined && transportsFor(sslmode).every((transport) => transport === 'tls')) {
    problems.push('ssl is false, but sslmode demands TLS: remove one of them');
  }
  return problems;
}

/** @throws {Failure} `badSecret`, naming every missing or invalid field and showing no value */
function parse<T extends ServerFields>(secret: GivenSecret, schema: z.ZodType<T>): T {
  const { name: secretName, keys, tags, fields, places, problems: differences } = secret;
  const { success, data, error } = schema.safeParse(fields);
  const invalid = error?.issues.map(({ path, message }) => {
    const name = String(path[0]);
    return `${places.get(name) ?? name} ${message}`;
  });
  const problems = [
    ...misspelledKeys(keys),
    ...misspelledTags(tags),
    ...differences,
    ...(invalid ?? []),
    ...(success ? contradictions(data) : []),
  ];
  if (!success || problems.length > 0) {
    throw refusal(secretName, `The secret ${secretName} is invalid: ${problems.join('; ')}.${REQUIRED}`);
  }
  return data;
}

function serverOf(data: ServerFields): ServerSettings {
  const sslMode = data.ssl === true ? 'verify-full' : data.sslmode;
  return {
    host: data.endpoint.host,
    port: data.port ?? data.endpoint.port ?? DEFAULT_PORT,
    user: data.username,
    password: data.password,
    ...(sslMode === undefined ? {} : { sslMode }),
    ...(data.pooler === undefined ? {} : { pooler: data.pooler }),
  };
}

/**
 * Parses a secret's value, in AutoDump's own format or that of RDS and its rotation.
 *
 * @param buckets allowed values of `bucketname`, the default first
 * @throws {Failure} `badSecret`, naming every missing or invalid field and showing no value
 */
export function parseDumpSettings(secret: GivenSecret, buckets: readonly [string, ...string[]]): DumpSettings {
  const data = parse(secret, dumpSchema(buckets));
  const { schemas = [], excludeschemas = [], excludetables = [], excludetabledata = [] } = data;
  const filters = { schemas, excludeschemas, excludetables, excludetabledata };
  return { server: serverOf(data), databases: data.databasename, bucket: data.bucketname, filters };
}

/**
 * Parses only the fields of the database, for a restore: any `bucketname` is ignored.
 *
 * @throws {Failure} `badSecret`, as {@link parseDumpSettings} does
 */
export function parseConnectionSettings(secret: GivenSecret): ConnectionSettings {
  const data = parse(secret, connectionSchema);
  return { ...serverOf(data), database: data.databasename };
}
