import { RETENTION_TAG } from '../../contract.ts';

/** Storage classes whose objects can be read at once, the default first. */
export const STORAGE_CLASSES = ['STANDARD', 'STANDARD_IA', 'GLACIER_IR'] as const;

export type StorageClass = (typeof STORAGE_CLASSES)[number];

/** Location of a dump in S3, and how it is stored when it is created. */
export interface DumpObject {
  readonly bucket: string;
  readonly key: string;
  /** Value of the tag by which the lifecycle rules of the stack's bucket choose. @default - no tag */
  readonly retention?: string | undefined;
  /** @default - `STANDARD` */
  readonly storageClass?: StorageClass | undefined;
}

/** The tag of a new object, as the SDK takes it; undefined if it has none. */
export function taggingOf({ retention }: DumpObject): string | undefined {
  return retention === undefined ? undefined : new URLSearchParams({ [RETENTION_TAG]: retention }).toString();
}
