import { z } from 'zod';
import type { Template } from '../../local/assembly/template.ts';
import type { Answer } from '../runtime/fake-https.ts';

const DAY = 24 * 60 * 60_000;

const XML = 'application/xml';

const ruleSchema = z.object({
  ExpirationInDays: z.number().default(Infinity),
  TagFilters: z.array(z.object({ Key: z.string(), Value: z.string() })).default([]),
});

const bucketSchema = z.object({
  LifecycleConfiguration: z.object({ Rules: z.array(ruleSchema) }).default({ Rules: [] }),
});

type Rule = z.infer<typeof ruleSchema>;

type Tags = Readonly<Record<string, string>>;

interface StoredObject {
  readonly body: Buffer;
  readonly written: number;
  readonly expires: number;
}

/** A bucket, with its keys in order. */
interface Bucket {
  readonly rules: readonly Rule[];
  readonly objects: Map<string, StoredObject>;
  readonly keys: string[];
}

/** S3, as far as the functions use it, with the buckets of the template. Objects expire by their rules. */
export class ObjectStore {
  readonly #buckets: ReadonlyMap<string, Bucket>;
  readonly #clock: { readonly now: number };

  constructor(template: Template, clock: { readonly now: number }) {
    this.#clock = clock;
    this.#buckets = new Map(
      template.ofType('AWS::S3::Bucket').map((resource) => {
        const { Rules } = template.properties(resource, bucketSchema).LifecycleConfiguration;
        return [template.nameOf(resource), { rules: Rules, objects: new Map(), keys: [] }];
      }),
    );
  }

  /** Writes an object. */
  put(bucket: string, key: string, body: Buffer, tags: Tags = {}): void {
    const { rules, objects, keys } = this.#bucket(bucket);
    if (!objects.has(key)) {
      keys.splice(position(keys, key), 0, key);
    }
    const { now } = this.#clock;
    objects.set(key, { body, written: now, expires: now + lifetimeBy(rules, tags) });
  }

  /** The contents of an object, if there is one. */
  read(bucket: string, key: string): Buffer | undefined {
    return this.#current(this.#bucket(bucket), key)?.body;
  }

  /** The keys of a bucket that begin with a prefix, in order. */
  keys(bucket: string, prefix: string): readonly string[] {
    const { keys } = this.#bucket(bucket);
    return keys.filter((key) => key.startsWith(prefix)).filter((key) => this.read(bucket, key) !== undefined);
  }

  getObject(url: string): Answer {
    const { bucket, key } = located(url);
    const body = this.read(bucket, key);
    return body === undefined
      ? { status: 404, body: '<Error><Code>NoSuchKey</Code></Error>', type: XML }
      : { status: 200, body, type: 'application/octet-stream' };
  }

  putObject(url: string, body: Buffer): Answer {
    const { bucket, key } = located(url);
    this.put(bucket, key, body);
    return { status: 200, body: '', type: XML };
  }

  /** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
  listObjects(url: string): Answer {
    const { bucket: name, query } = located(url);
    const bucket = this.#bucket(name);
    const [prefix, delimiter] = [query.get('prefix') ?? '', query.get('delimiter') ?? ''];
    const after = query.get('continuation-token') ?? query.get('start-after') ?? '';
    const limit = Number(query.get('max-keys') ?? 1000);
    const found: string[] = [];
    let next: string | undefined;
    const start = after < prefix ? position(bucket.keys, prefix) : position(bucket.keys, `${after}\0`);
    for (let i = start; bucket.keys[i]?.startsWith(prefix) === true && next === undefined; i += 1) {
      const key = bucket.keys[i] ?? '';
      const object = this.#current(bucket, key);
      if (object === undefined) {
        // It has expired, and is gone.
        i -= 1;
      } else if (delimiter === '' || !key.slice(prefix.length).includes(delimiter)) {
        found.push(
          `<Contents><Key>${key}</Key><Size>${object.body.length}</Size>` +
            `<LastModified>${new Date(object.written).toISOString()}</LastModified></Contents>`,
        );
        next = found.length === limit ? key : undefined;
      }
    }
    const more = next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`;
    const body = `<ListBucketResult><IsTruncated>${next !== undefined}</IsTruncated>${found.join('')}${more}</ListBucketResult>`;
    return { status: 200, body, type: XML };
  }

  #bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      throw new Error(`A function used the bucket ${name}, which the template does not define.`);
    }
    return bucket;
  }

  /** An object, unless it has expired: then it is removed. */
  #current({ objects, keys }: Bucket, key: string): StoredObject | undefined {
    const object = objects.get(key);
    if (object !== undefined && object.expires <= this.#clock.now) {
      objects.delete(key);
      keys.splice(position(keys, key), 1);
      return undefined;
    }
    return object;
  }
}

/**
 * Of the rules for an object, the shortest period holds.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-conflicts.html
 */
function lifetimeBy(rules: readonly Rule[], tags: Tags): number {
  const applied = rules.filter(({ TagFilters }) => TagFilters.every(({ Key, Value }) => tags[Key] === Value));
  return Math.min(...applied.map(({ ExpirationInDays }) => ExpirationInDays)) * DAY;
}

/** The position of the first key that is not less than another. */
function position(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? '') < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** The bucket is in the host name. */
function located(text: string): { readonly bucket: string; readonly key: string; readonly query: URLSearchParams } {
  const url = new URL(text);
  const [bucket = ''] = url.hostname.split('.s3.');
  return { bucket, key: decodeURIComponent(url.pathname.slice(1)), query: url.searchParams };
}
