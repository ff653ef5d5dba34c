import type { ServerResponse } from 'node:http';

/** An error response of S3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
export class S3Error extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export function preconditionFailed(): S3Error {
  return new S3Error(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
}

export function sendError(response: ServerResponse, error: unknown): void {
  const { status, code, message } = error instanceof S3Error ? error : serverFailure(error);
  sendXml(response, 'Error', { Code: code, Message: message }, '', status);
}

/** A failure of this server that S3 would not have. A full disk gets a status that clients do not retry at once. */
function serverFailure(error: unknown): S3Error {
  const reason = error instanceof Error ? error.message : String(error);
  return reason.startsWith('ENOSPC')
    ? new S3Error(507, 'InsufficientStorage', `The disk that holds the S3 objects is full: ${reason}`)
    : new S3Error(500, 'InternalError', reason);
}

/** @param children XML that follows the fields */
export function sendXml(
  response: ServerResponse,
  root: string,
  fields: Readonly<Record<string, string>>,
  children = '',
  status = 200,
): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n${element(root, fields, children)}`;
  response
    .writeHead(status, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) })
    .end(body);
}

/** @param children XML that follows the fields */
export function element(name: string, fields: Readonly<Record<string, string>>, children = ''): string {
  const inner = Object.entries(fields).map(([field, value]) => `<${field}>${escapeXml(value)}</${field}>`);
  return `<${name}>${inner.join('')}${children}</${name}>`;
}

/** Carriage returns too: XML parsers turn them into line feeds. */
function escapeXml(text: string): string {
  return text.replace(/[<>&'"\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}
