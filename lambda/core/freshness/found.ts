import { sum } from '../sum.ts';
import type { StoredDump } from './dump-key.ts';
import type { Incomplete } from './memory.ts';

/** A dump, or the evidence of a drill, as it is listed. */
export interface ListedObject extends StoredDump {
  readonly bytes: number;
  readonly written: Date;
  /** Of a dump. */
  readonly hasManifest: boolean;
}

/** What runs left, by their scheduled times: one object, or one for each database of a secret with several. */
export type FoundObjects = ReadonlyMap<string, readonly ListedObject[]>;

/** The dumps of a secret, or the evidence of its drills, that were found, as far as they were looked for. */
export interface Found {
  /** Their bytes, those of a run together, by scheduled time. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly newest: StoredDump | undefined;
  /** Those of the same run as the newest. */
  readonly others: readonly StoredDump[];
  /** Runs that have not dumped all of their databases, by scheduled time. */
  readonly incomplete: ReadonlyMap<string, Incomplete>;
}

export function foundOf(objects: FoundObjects, incomplete: Found['incomplete'] = new Map()): Found {
  const [newest, ...others] = (objects.get(latestOf(objects.keys())) ?? []).map(({ bucket, key }) => ({ bucket, key }));
  const sizes = [...objects].map(([time, ofRun]) => [time, sum(ofRun.map(({ bytes }) => bytes))] as const);
  return { sizes: new Map(sizes), newest, others, incomplete };
}

/** The latest of scheduled times, which are in the order of their text; empty if there is none. */
export function latestOf(times: Iterable<string>): string {
  return [...times].reduce((latest, time) => (time > latest ? time : latest), '');
}
