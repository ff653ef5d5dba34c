import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { Crc64Nvme } from '@aws-sdk/checksums/crc';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { type S3Server, startS3 } from '../../../../local/services/s3/s3.ts';

export const MIB = 1024 * 1024;

/** An S3 server with the bucket `dumps`, and a client. */
export class ServedBucket {
  readonly directory: string;
  readonly server: S3Server;
  readonly s3: S3Client;

  static async start(): Promise<ServedBucket> {
    const directory = await mkdtemp(join(tmpdir(), 'autodump-test-'));
    const server = await startS3({ directory });
    await server.createBucket('dumps');
    return new ServedBucket(directory, server);
  }

  private constructor(directory: string, server: S3Server) {
    this.directory = directory;
    this.server = server;
    this.s3 = new S3Client({
      endpoint: server.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
      maxAttempts: 1,
    });
  }

  async put(Key: string, Body: string): Promise<void> {
    await this.s3.send(new PutObjectCommand({ Bucket: 'dumps', Key, Body }));
  }

  async read(key: string): Promise<string | undefined> {
    return (await this.s3.send(new GetObjectCommand({ Bucket: 'dumps', Key: key }))).Body?.transformToString();
  }

  /** The status of a request whose path is sent as it is. */
  async statusOf(method: string, path: string): Promise<number> {
    const { hostname: host, port } = new URL(this.server.endpoint);
    const [response] = z
      .tuple([z.object({ statusCode: z.number() })])
      .parse(await once(request({ host, port, path, method, agent: false }).end('x'), 'response'));
    return response.statusCode;
  }

  async stop(): Promise<void> {
    this.s3.destroy();
    await this.server.stop();
    await rm(this.directory, { recursive: true });
  }
}

export async function crc64nvme(body: Uint8Array): Promise<string> {
  const checksum = new Crc64Nvme();
  checksum.update(body);
  return Buffer.from(await checksum.digest()).toString('base64');
}

export function crc32InBase64(body: Uint8Array): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString('base64');
}
