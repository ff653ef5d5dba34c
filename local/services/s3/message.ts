import type { IncomingMessage, ServerResponse } from 'node:http';

/** An error answer of S3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
export class S3Error extends Error {
  readonly code: string;
  readonly status: number;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** What a request is about; the key is decoded. */
export interface Target {
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
}

/** @throws {S3Error} for keys that would leave their folder or take the name of a file of `s3rver` */
export function targetOf(url: string): Target {
  const [pathname = '', search = ''] = url.split('?', 2);
  const [, bucket = '', ...segments] = pathname.split('/').map((segment) => decodeURIComponent(segment));
  const key = segments.join('/');
  if (bucket.startsWith('.') || /[\\/\0]/.test(bucket)) {
    throw new S3Error(400, 'InvalidBucketName', 'The specified bucket is not valid.');
  }
  if (key !== '' && key.split('/').some((part) => ['', '.', '..'].includes(part) || /\0|\._S3rver_/.test(part))) {
    throw new S3Error(400, 'InvalidArgument', `The key ${key} can't be a file: it has an empty or reserved part.`);
  }
  return { bucket, key, query: new URLSearchParams(search) };
}

/** An error answer of `s3rver`, to be passed on. */
export function refusal(answer: IncomingMessage, body: string): S3Error {
  const of = (name: string): string => new RegExp(`<${name}>(.*?)</${name}>`).exec(body)?.[1] ?? 'InternalError';
  return new S3Error(answer.statusCode ?? 500, of('Code'), of('Message'));
}

export function sendError(response: ServerResponse, error: unknown): void {
  const known = error instanceof S3Error ? error : ownFailure(error);
  sendXml(response, 'Error', { Code: known.code, Message: known.message }, '', known.status);
}

/** S3 itself is never full; its clients are not to try again at once. */
export function diskFull(detail: string): S3Error {
  return new S3Error(507, 'InsufficientStorage', `The disk that stands for S3 is full: ${detail}`);
}

/** A failure of this server, which S3 would not have. */
function ownFailure(error: unknown): S3Error {
  const reason = error instanceof Error ? error.message : String(error);
  return reason.startsWith('ENOSPC') ? diskFull(reason) : new S3Error(500, 'InternalError', reason);
}

export function sendXml(
  response: ServerResponse,
  root: string,
  fields: Readonly<Record<string, string>>,
  more = '',
  status = 200,
): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n${element(root, fields, more)}`;
  response
    .writeHead(status, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) })
    .end(body);
}

export function element(name: string, fields: Readonly<Record<string, string>>, more = ''): string {
  const inner = Object.entries(fields).map(([field, value]) => `<${field}>${escapeXml(value)}</${field}>`);
  return `<${name}>${inner.join('')}${more}</${name}>`;
}

function escapeXml(text: string): string {
  return text.replace(/[<>&'"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
