import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Target } from './request.ts';
import { element, S3Error } from './response.ts';

/** Tags of an object, by their keys. */
export type Tags = Readonly<Record<string, string>>;

/** S3 allows this many for an object. */
const MAX_TAGS = 10;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html */
const VALID = /^[\p{L}\p{N}\p{Zs}+\-=._:/@]*$/u;

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

/** Whether a request is for the tags of an object, and not for the object itself. */
export function isForTags({ query }: Target): boolean {
  return query.has('tagging');
}

/**
 * The tags that a request gives an object: in a header when it is created, and later in a body, which this reads.
 *
 * @returns undefined if it gives none
 * @throws {S3Error} InvalidTag, MalformedXML
 */
export async function tagsIn(request: IncomingMessage, target: Target): Promise<Tags | undefined> {
  const header = request.headers['x-amz-tagging'];
  if (request.method === 'PUT' && isForTags(target)) {
    return valid(tagsOfXml(await text(request)));
  }
  return typeof header === 'string' ? valid([...new URLSearchParams(header)]) : undefined;
}

/** The body of the answer to GetObjectTagging, within its root element. */
export function xmlOf(tags: Tags): string {
  const set = Object.entries(tags).map(([Key, Value]) => element('Tag', { Key, Value }));
  return element('TagSet', {}, set.join(''));
}

function tagsOfXml(body: string): readonly (readonly [string, string])[] {
  if (!/<TagSet\s*\/?>/.test(body)) {
    throw new S3Error(400, 'MalformedXML', 'The XML you provided was not well-formed');
  }
  return [...body.matchAll(/<Tag>(.*?)<\/Tag>/gs)].map(([, tag = '']) => {
    const field = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(tag)?.[1] ?? '';
    const decoded = (xml: string) => xml.replace(/&(\w+);/g, (entity, name: string) => ENTITIES[name] ?? entity);
    return [decoded(field('Key')), decoded(field('Value'))];
  });
}

function valid(tags: readonly (readonly [string, string])[]): Tags {
  const given = Object.fromEntries(tags);
  const isValid = tags.every(
    ([key, value]) => key !== '' && key.length <= 128 && value.length <= 256 && VALID.test(key) && VALID.test(value),
  );
  if (!isValid || tags.length > MAX_TAGS || Object.keys(given).length < tags.length) {
    throw new S3Error(400, 'InvalidTag', 'The TagKey or TagValue you have provided is invalid');
  }
  return given;
}
