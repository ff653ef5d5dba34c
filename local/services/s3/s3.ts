import { mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { listen } from '../../host/loopback.ts';
import { RequestHandler } from './request-handler.ts';
import type { Guard } from './request.ts';
import { Store } from './store.ts';

/** Holds bodies until they are complete. No bucket's name begins with a dot. */
const INCOMING = '.incoming';

export interface S3Options {
  readonly directory: string;
  /** @default - all requests are permitted, whatever their signature */
  readonly guard?: Guard | undefined;
}

export interface S3Server {
  /** Serves path-style requests of any Region: `http://127.0.0.1:<port>`. */
  readonly endpoint: string;
  /** Creates a bucket unless it exists. */
  createBucket(name: string): Promise<void>;
  /** Path of an object's file; undefined if there is no such object. */
  fileOf(bucket: string, key: string): string | undefined;
  /** Paths of the files of a bucket that are pages for a browser. */
  pagesIn(bucket: string): readonly string[];
  stop(): Promise<void>;
}

/**
 * Starts an S3 server on a free port of loopback. Each object is a plain file below `<directory>/<bucket>`, which
 * appears only when it is complete.
 */
export async function startS3({ directory, guard }: S3Options): Promise<S3Server> {
  const folder = resolve(directory);
  const incoming = join(folder, INCOMING);
  // The uploads of an earlier server cannot be continued.
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true });
  const store = new Store(folder);
  const handler = new RequestHandler(store, incoming, guard);
  const server = createServer((request, response) => void handler.handle(request, response));
  // Large objects take longer than the default of five minutes to arrive.
  server.requestTimeout = 0;
  const loopback = await listen(server);
  return {
    endpoint: loopback.url,
    createBucket: (name) => store.createBucket(name),
    fileOf: (bucket, key) => store.find({ bucket, key })?.file,
    pagesIn: (bucket) =>
      store
        .list(bucket)
        .flatMap(({ file, metadata }) => (metadata['content-type']?.startsWith('text/html') ? [file] : [])),
    stop: async () => {
      await loopback.stop();
      await rm(incoming, { recursive: true, force: true });
    },
  };
}
