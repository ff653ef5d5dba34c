import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { mkdir } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { dirname, join, relative, sep } from 'node:path';
import { z } from 'zod';
import { digestOf, isUnavailable, pathOf } from './object-file.ts';
import type { ObjectName } from './request.ts';
import { preconditionFailed } from './response.ts';
import type { Tags } from './tags.ts';

/** Folder for everything about objects but their bytes. No bucket's name begins with a dot. */
const INDEX = '.index';

const entrySchema = z.object({
  key: z.string(),
  /** Relative to the store's folder. */
  file: z.string(),
  size: z.number(),
  /** Without quotation marks. */
  etag: z.string(),
  /** The object's metadata, by header. */
  metadata: z.record(z.string(), z.string()),
  checksum: z.object({
    algorithm: z.string(),
    /** Base64. */
    value: z.string(),
    type: z.enum(['FULL_OBJECT', 'COMPOSITE']),
  }),
  /** Those of earlier versions have none. */
  tags: z.record(z.string(), z.string()).default({}),
  lastModified: z.string(),
});

type Entry = z.infer<typeof entrySchema>;

/** An object; its `file` is an absolute path. */
export type StoredObject = Readonly<Entry>;

/** An object to be created from a file. */
export type NewObject = Readonly<Pick<Entry, 'size' | 'etag' | 'metadata' | 'checksum' | 'tags'>>;

/** The request headers that become an object's metadata; all others are about the request. */
const METADATA_HEADER =
  /^(x-amz-meta-.*|x-amz-storage-class|content-type|content-disposition|content-language|cache-control|expires)$/;

/** @param headers of PutObject or CreateMultipartUpload */
export function metadataOf(headers: IncomingHttpHeaders): NewObject['metadata'] {
  const metadata = Object.entries(headers).filter(([name]) => METADATA_HEADER.test(name));
  return {
    'content-type': 'binary/octet-stream',
    ...z.record(z.string(), z.string()).parse(Object.fromEntries(metadata)),
  };
}

/**
 * Objects as plain files `<folder>/<bucket>/<key>`, or nearly so: see {@link pathOf}. Where that path is not available,
 * the file is in `<folder>/.index/<bucket>`.
 *
 * Calls for objects are synchronous, so that no request sees one half done: a condition that was checked still holds
 * when the object is written, and a file that is opened right after its entry was read belongs to it.
 */
export class Store {
  readonly #folder: string;

  /** @param folder absolute path */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Creates a bucket unless it exists. */
  async createBucket(bucket: string): Promise<void> {
    await mkdir(join(this.#folder, bucket), { recursive: true });
    await mkdir(join(this.#folder, INDEX, bucket), { recursive: true });
  }

  hasBucket(bucket: string): boolean {
    return existsSync(join(this.#folder, INDEX, bucket));
  }

  find(name: ObjectName): StoredObject | undefined {
    return this.#read(this.#entryFile(name));
  }

  /** In the order of S3: by the bytes of their keys. */
  list(bucket: string): readonly StoredObject[] {
    const folder = join(this.#folder, INDEX, bucket);
    return readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .flatMap((file) => this.#read(join(folder, file)) ?? [])
      .sort((one, other) => Buffer.compare(Buffer.from(one.key), Buffer.from(other.key)));
  }

  /**
   * Makes an object of a file, replacing the one there is.
   *
   * @param file on the same file system; the caller removes it afterwards if it is still there
   * @param isConditional whether the key must not have an object yet
   * @throws {S3Error} PreconditionFailed if it has one
   */
  put(name: ObjectName, object: NewObject, file: string, isConditional: boolean): void {
    const replaced = this.find(name);
    if (isConditional && replaced !== undefined) {
      throw preconditionFailed();
    }
    let path = replaced?.file;
    if (path === undefined) {
      path = this.#link(name, file);
    } else {
      renameSync(file, path);
    }
    const entry: Entry = {
      ...object,
      key: name.key,
      file: relative(this.#folder, path),
      lastModified: new Date().toISOString(),
    };
    this.#write(name, entry);
  }

  /** Replaces the tags of an object. */
  tag(name: ObjectName, tags: Tags): void {
    const object = this.find(name);
    if (object !== undefined) {
      this.#write(name, { ...object, file: relative(this.#folder, object.file), tags });
    }
  }

  delete(name: ObjectName): void {
    const object = this.find(name);
    if (object === undefined) {
      return;
    }
    rmSync(object.file);
    rmSync(this.#entryFile(name));
    const bucketFolder = join(this.#folder, name.bucket);
    for (let folder = dirname(object.file); folder.startsWith(`${bucketFolder}${sep}`); folder = dirname(folder)) {
      try {
        rmdirSync(folder);
      } catch {
        return; // Holds other objects.
      }
    }
  }

  /** @returns path of the new object's file */
  #link({ bucket, key }: ObjectName, file: string): string {
    const path = join(this.#folder, bucket, pathOf(key));
    try {
      mkdirSync(dirname(path), { recursive: true });
      linkSync(file, path);
      return path;
    } catch (error) {
      if (!isUnavailable(error)) {
        throw error;
      }
      const substitute = join(this.#folder, INDEX, bucket, digestOf(key));
      renameSync(file, substitute);
      return substitute;
    }
  }

  #entryFile({ bucket, key }: ObjectName): string {
    return join(this.#folder, INDEX, bucket, `${digestOf(key)}.json`);
  }

  #write(name: ObjectName, entry: Entry): void {
    const entryFile = this.#entryFile(name);
    writeFileSync(`${entryFile}.new`, JSON.stringify(entry));
    renameSync(`${entryFile}.new`, entryFile);
  }

  #read(entryFile: string): StoredObject | undefined {
    if (!existsSync(entryFile)) {
      return undefined;
    }
    const entry = entrySchema.parse(JSON.parse(readFileSync(entryFile, 'utf8')));
    const file = join(this.#folder, entry.file);
    // People may delete a dump's file.
    return existsSync(file) ? { ...entry, file } : undefined;
  }
}
