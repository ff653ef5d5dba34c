/**
 * The AWS services that the measured programs call, in a separate process, so that their processor time is counted
 * apart. S3 is a sink: it accepts every request, counts the bytes and discards them. A store that checked and wrote
 * them would compete for the processors with what is measured; on AWS it does not. A secret's ARN says how many
 * connections it asks for.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** Sent to the parent process on request; `bytes` were received since the last one. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly bytes: number;
}

let bytes = 0;

function countBytes(request: IncomingMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    request
      .on('data', (chunk: Buffer) => (bytes += chunk.length))
      .on('end', resolve)
      .on('error', reject);
  });
}

function xml(response: ServerResponse, root: string, content: string): void {
  response.setHeader('Content-Type', 'application/xml').end(`<?xml version="1.0"?><${root}>${content}</${root}>`);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url = '', headers } = request;
  response.setHeader('x-amz-request-id', 'bench');
  if (headers['x-amz-target']?.toString().startsWith('secretsmanager.') === true) {
    const [, parallel = '1'] = /bench-parallel-(\d+)/.exec((await buffer(request)).toString()) ?? [];
    const secret = { ...(JSON.parse(process.env.BENCH_SECRET ?? '') as object), parallel };
    response.setHeader('Content-Type', 'application/x-amz-json-1.1');
    response.end(JSON.stringify({ ARN: 'arn', Name: 'bench', SecretString: JSON.stringify(secret) }));
    return;
  }
  await countBytes(request);
  const { 'x-amz-checksum-crc32': checksum = '' } = headers;
  if (method === 'GET') {
    xml(response, 'ListBucketResult', '<Name>dumps</Name><IsTruncated>false</IsTruncated>');
  } else if (method === 'POST' && url.includes('uploads')) {
    xml(response, 'InitiateMultipartUploadResult', '<UploadId>upload</UploadId>');
  } else if (method === 'POST') {
    xml(
      response,
      'CompleteMultipartUploadResult',
      `<ETag>"0"</ETag><ChecksumCRC32>${String(checksum)}</ChecksumCRC32>`,
    );
  } else {
    response.setHeader('ETag', '"00000000000000000000000000000000"').setHeader('x-amz-checksum-crc32', checksum).end();
  }
}

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
});
server.listen(0, '127.0.0.1', () => {
  process.send?.(server.address());
});
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuSeconds: (user + system) / 1e6, bytes } satisfies Usage);
  bytes = 0;
});
process.on('disconnect', () => process.exit());
