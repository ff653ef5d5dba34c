import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { listen, type Loopback } from '../../host/loopback.ts';
import { signerOf } from './credentials.ts';

/** An error response of a service: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html */
export class ServiceError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Handles the JSON of a request signed by `caller`. Dates in the response are `Date`s. */
export type Operation = (request: unknown, caller: string) => object | Promise<object>;

/** An operation that refuses requests that do not match the schema, including any unknown field. */
export function operation<Request>(schema: z.ZodType<Request>, handle: (request: Request) => object): Operation {
  return (request) => {
    const parsed = schema.safeParse(request);
    if (!parsed.success) {
      throw new ServiceError('ValidationException', z.prettifyError(parsed.error));
    }
    return handle(parsed.data);
  };
}

/** The content type of the query protocol, in which a form names the action, and which has no `X-Amz-Target`. */
const FORM = 'application/x-www-form-urlencoded';

/**
 * Serves the AWS JSON protocols 1.0 and 1.1 on a free port of the loopback interface. Only requests signed with an
 * issued key are accepted, because secrets contain passwords.
 *
 * @param find returns the operation for a value of the header `X-Amz-Target`, such as `secretsmanager.CreateSecret`;
 *   for a request in the query protocol, `query.<Action>`: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */
export async function serve(find: (target: string) => Operation | undefined): Promise<Loopback> {
  return await listen(
    createServer((request, response) => {
      void respond(find, request, response);
    }),
  );
}

async function respond(
  find: (target: string) => Operation | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const content = await text(request);
  const isQuery = request.headers['content-type']?.startsWith(FORM) === true;
  const { Action = '', ...fields } = isQuery ? Object.fromEntries(new URLSearchParams(content)) : {};
  const target = isQuery ? `query.${Action}` : String(request.headers['x-amz-target']);
  const reply = isQuery ? sendXml(Action) : send;
  try {
    const caller = signerOf(request.headers.authorization);
    if (caller === undefined) {
      throw new ServiceError('UnrecognizedClientException', 'The security token included in the request is invalid.');
    }
    const body: unknown = isQuery ? fields : JSON.parse(content);
    const handle = find(target);
    if (handle === undefined) {
      throw new ServiceError('UnknownOperationException', `${target} is not served here.`);
    }
    reply(response, 200, await handle(body, caller));
  } catch (error) {
    if (error instanceof ServiceError) {
      reply(response, 400, { __type: error.code, message: error.message });
    } else {
      reply(response, 500, { __type: 'InternalFailure', message: String(error) });
    }
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() };
  response.writeHead(status, headers).end(JSON.stringify(epochSeconds(body)));
}

/** Sends a result or error of an action of the query protocol. */
function sendXml(action: string): typeof send {
  return (response, status, body) => {
    const { __type: code, message } = z.looseObject({ __type: z.string(), message: z.string() }).partial().parse(body);
    const content =
      status === 200
        ? element(`${action}Response`, element(`${action}Result`, xmlOf(body)))
        : element('ErrorResponse', element('Error', xmlOf({ Code: code, Message: message })));
    response.writeHead(status, { 'content-type': 'text/xml', 'x-amzn-requestid': randomUUID() }).end(content);
  };
}

function element(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}

/** The members of a list are named like the list, without its last letter, as RDS does it. */
function xmlOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) {
    return String(value).replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
  }
  return Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .map(([name, inner]) => {
      const content = Array.isArray(inner)
        ? inner.map((member) => element(name.replace(/s$/, ''), xmlOf(member))).join('')
        : xmlOf(inner);
      return element(name, content);
    })
    .join('');
}

/** Replaces dates by seconds since 1970, the format of these protocols. */
function epochSeconds(value: unknown): unknown {
  if (value instanceof Date) {
    return value.getTime() / 1000;
  }
  if (Array.isArray(value)) {
    return value.map(epochSeconds);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, epochSeconds(inner)]));
}
