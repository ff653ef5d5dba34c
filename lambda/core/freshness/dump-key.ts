import { dumpFolder, dumpKeyEnd, type Purpose } from '../../../contract.ts';

/** A dump in S3, or the evidence of a drill. Its key ends with the scheduled time. */
export interface StoredDump {
  readonly bucket: string;
  readonly key: string;
}

const TIME = /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.source;
const END = new RegExp(`-${TIME}\\.dmp$`);
const DRILL_END = new RegExp(`\\.dmp\\.drill-${TIME}\\.json$`);

/** What a key says of the run that left the object. */
export interface RunOfKey {
  readonly purpose: Purpose;
  /** Its scheduled time, in the format of {@link ExecutionInput.when}. Of a drill by hand, that of its start. */
  readonly when: string;
}

/** Undefined if it is neither the key of a dump nor that of the evidence of a drill, such as that of a manifest. */
export function runOf(key: string): RunOfKey | undefined {
  const drill = DRILL_END.exec(key);
  const [, year = '', month = '', day = '', hour = '', minute = '', second = ''] = drill ?? END.exec(key) ?? [];
  return year === ''
    ? undefined
    : { purpose: drill === null ? 'dump' : 'drill', when: `${year}-${month}-${day}T${hour}:${minute}:${second}Z` };
}

/** The scheduled time in the key of a dump or of evidence. */
export function whenOf(key: string): string | undefined {
  return runOf(key)?.when;
}

/** The database of a dump or of evidence, as it is written in the key. */
export function databaseInKey(key: string): string {
  return key
    .slice(key.lastIndexOf('/') + 1)
    .replace(DRILL_END, '.dmp')
    .replace(END, '');
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
