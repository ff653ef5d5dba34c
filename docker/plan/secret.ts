import type { z } from 'zod';
import { TAG_PREFIX, TAGGED_FIELDS } from '../../contract.ts';
import { Failure } from '../failure.ts';
import type { ConnectionSettings, ServerSettings } from '../postgres/connection/connection-settings.ts';
import { DEFAULT_PORT } from '../postgres/connection/endpoint.ts';
import { transportsFor } from '../postgres/connection/tls/tls.ts';
import type { Filters } from '../postgres/filters/filters.ts';
import type { DumpObject } from '../s3/object.ts';
import type { Databases } from './databases.ts';
import { ignoredKeys, misspelledKeys, misspelledTags } from './misspelled-names.ts';
import { retentionOf } from './retention.ts';
import { type GivenSecret, isManaged, NOT_EDITABLE, OWN_SECRET } from './secret-fields.ts';
import { connectionSchema, type Destination, dumpSchema } from './secret-schema.ts';

/** What to dump, the bucket for the dumps, and how they are stored there. */
export interface DumpSettings extends Pick<DumpObject, 'retention' | 'storageClass'> {
  readonly server: ServerSettings;
  readonly databases: Databases;
  readonly bucket: string;
  readonly filters: Filters;
  /** Most connections that read rows. */
  readonly parallel: number;
  /** SQL queries that must return true in a drill. */
  readonly assertions: readonly string[];
}

const REQUIRED =
  'Required: username, password, databasename (or dbname), endpoint (or host) and engine;' +
  ' optional: port, sslmode (or ssl), pooler, bucketname, schemas, excludeschemas, excludetables, excludetabledata,' +
  ' parallel, drillassert, retentiondays and storageclass.';

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

/** What to do about fields that are missing, after a full stop. */
function adviceOn(secretName: string, missing: readonly string[]): string {
  if (missing.length === 0) {
    return '';
  }
  if (!isManaged(secretName)) {
    return ` ${REQUIRED}`;
  }
  const tags = TAGGED_FIELDS.filter((field) => missing.includes(field)).map((field) => TAG_PREFIX + field);
  const advice = tags.length === missing.length ? `give what is missing in the tags ${tags.join(', ')}` : OWN_SECRET;
  return ` ${NOT_EDITABLE}: ${advice}.`;
}

/** @throws {Failure} `badSecret`, naming every missing or invalid field, and showing no value that may be a password */
function parse<T extends ServerFields>(secret: GivenSecret, schema: z.ZodType<T>): T {
  const { name: secretName, keys, tags, fields, places, problems: differences } = secret;
  const { success, data, error } = schema.safeParse(fields);
  const invalid = error?.issues.map(({ path, message }) => {
    const name = String(path[0]);
    return `${places.get(name) ?? name} ${message}`;
  });
  const problems = [
    ...misspelledKeys(keys),
    ...misspelledTags(tags, !isManaged(secretName)),
    ...differences,
    ...(invalid ?? []),
    ...(success ? contradictions(data) : []),
  ];
  if (!success || problems.length > 0) {
    const missing = (error?.issues ?? [])
      .map(({ path }) => String(path[0]))
      .filter((field) => fields[field] === undefined);
    const found = missing.length === 0 ? problems : [...problems, ...ignoredKeys(keys)];
    throw new Failure(
      'badSecret',
      `The secret ${secretName} is invalid: ${found.join('; ')}.${adviceOn(secretName, missing)}`,
    );
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
 * @throws {Failure} `badSecret`, naming every missing or invalid field and showing no value
 */
export function parseDumpSettings(secret: GivenSecret, destination: Destination): DumpSettings {
  const data = parse(secret, dumpSchema(destination));
  const { schemas = [], excludeschemas = [], excludetables = [], excludetabledata = [], drillassert = [] } = data;
  const filters = { schemas, excludeschemas, excludetables, excludetabledata };
  const { bucketname: bucket, storageclass: storageClass } = data;
  const retention = retentionIn(secret, data, destination);
  return {
    server: serverOf(data),
    databases: data.databasename,
    bucket,
    filters,
    parallel: data.parallel,
    assertions: drillassert,
    retention,
    storageClass,
  };
}

/** The other buckets are not the stack's, and neither is their lifecycle. @throws {Failure} `badSecret` */
function retentionIn(
  { name, places }: GivenSecret,
  { bucketname, retentiondays }: { readonly bucketname: string; readonly retentiondays?: number | undefined },
  { buckets, retentionDays }: Destination,
): string | undefined {
  if (bucketname === buckets[0]) {
    return retentionOf(retentiondays, retentionDays);
  }
  if (retentiondays !== undefined) {
    const place = places.get('retentiondays') ?? 'retentiondays';
    throw new Failure(
      'badSecret',
      `The secret ${name} is invalid: ${place} is only for ${buckets[0]}, but the dump goes to ${bucketname}, ` +
        'whose own lifecycle rules decide when it expires: remove one of them.',
    );
  }
  return undefined;
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
