import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { listen, type Loopback } from '../../host/loopback.ts';
import { signerOf } from './credentials.ts';
import { readJson } from './json.ts';
import { FORM, readQuery } from './query.ts';
import type { ReadRequest } from './read-request.ts';
import { readRest } from './rest.ts';

/** An error response of a service. */
export class ServiceError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Handles a request signed by `caller`. Dates in the response are `Date`s. */
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

/**
 * Serves the AWS protocols JSON 1.0 and 1.1, REST JSON and query on a free port of the loopback interface. Only
 * requests signed with an issued key are accepted, because secrets contain passwords.
 *
 * @param find returns the operation for a target, such as `secretsmanager.CreateSecret`
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
  const { target, body, reply } = readRequest(request, content);
  try {
    const caller = signerOf(request.headers.authorization);
    if (caller === undefined) {
      throw new ServiceError('UnrecognizedClientException', 'The security token included in the request is invalid.');
    }
    const handle = find(target);
    if (handle === undefined) {
      throw new ServiceError('UnknownOperationException', `${target} is not served here.`);
    }
    reply(response, 200, await handle(body(), caller));
  } catch (error) {
    if (error instanceof ServiceError) {
      reply(response, 400, { __type: error.code, message: error.message });
    } else {
      reply(response, 500, { __type: 'InternalFailure', message: String(error) });
    }
  }
}

function readRequest(request: IncomingMessage, content: string): ReadRequest {
  return request.headers['content-type']?.startsWith(FORM) === true
    ? readQuery(content)
    : (readRest(request, content) ?? readJson(request, content));
}
