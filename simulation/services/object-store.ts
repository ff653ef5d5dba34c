import type { Answer } from '../runtime/fake-https.ts';

/** S3, as far as the functions use it. */
export class ObjectStore {
  readonly #objects = new Map<string, Buffer>();

  /** @param path path of the request: of an object in the bucket, or with the bucket in front */
  getObject(path: string): Answer {
    const body = this.#objects.get(keyOf(path));
    return body === undefined
      ? { status: 404, body: '<Error><Code>NoSuchKey</Code></Error>', type: 'application/xml' }
      : { status: 200, body, type: 'application/octet-stream' };
  }

  putObject(path: string, body: Buffer): Answer {
    this.#objects.set(keyOf(path), body);
    return { status: 200, body: '', type: 'application/xml' };
  }
}

function keyOf(path: string): string {
  return path.replace(/\?.*$/, '');
}
