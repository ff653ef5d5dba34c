import { dumpFolder, dumpKeyEnd } from '../../../contract.ts';

/** A dump in S3. Its key ends with the scheduled time. */
export interface StoredDump {
  readonly bucket: string;
  readonly key: string;
}

const END = /-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.dmp$/;

/**
 * The scheduled time in the key of a dump, in the format of {@link ExecutionInput.when}; undefined if it is not the key
 * of a dump, such as that of a manifest.
 */
export function whenOf(key: string): string | undefined {
  const [, year = '', month = '', day = '', hour = '', minute = '', second = ''] = END.exec(key) ?? [];
  return year === '' ? undefined : `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
}

/**
 * Prefix of the keys of a secret's dumps. Those of a secret whose name goes on with a slash begin with it as well: a
 * listing leaves them out by the delimiter `/`, which no database's name in a key contains.
 */
export function dumpPrefix(secretName: string): string {
  return `${dumpFolder(secretName)}/`;
}

/** Whether both are dumps of the same database of a secret, in the same bucket. */
export function isSameDatabase(one: StoredDump, other: StoredDump): boolean {
  return one.bucket === other.bucket && one.key.replace(END, '') === other.key.replace(END, '');
}

/** The key that comes right before that of a dump of the same database at another time, and after all earlier ones. */
export function keyBefore({ key }: StoredDump, when: string): string {
  return `${key.replace(END, '')}${dumpKeyEnd(when).replace(/\.dmp$/, '')}`;
}
