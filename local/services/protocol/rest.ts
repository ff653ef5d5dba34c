import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendJson } from './json.ts';
import type { ReadRequest } from './read-request.ts';

interface Route {
  /** Its named groups are fields of the request. */
  readonly path: RegExp;
  readonly target: string;
  readonly read?: (request: IncomingMessage, content: string) => object;
  readonly reply?: ReadRequest['reply'];
}

/** What is served of the services with this protocol. */
const ROUTES: readonly Route[] = [
  { path: /^\/v1\/describejobs$/, target: 'batch.DescribeJobs' },
  { path: /^\/v1\/listjobs$/, target: 'batch.ListJobs' },
  {
    path: /^\/2015-03-31\/functions\/(?<FunctionName>[^/]+)\/invocations$/,
    target: 'lambda.Invoke',
    read: ({ headers }, Payload) => ({ InvocationType: headers['x-amz-invocation-type'], Payload }),
    reply: replyOfFunction,
  },
];

/**
 * @returns undefined for a request in another protocol: https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
 */
export function readRest(request: IncomingMessage, content: string): ReadRequest | undefined {
  const { pathname } = new URL(request.url ?? '', 'http://127.0.0.1');
  const route = ROUTES.find(({ path }) => path.test(pathname));
  if (route === undefined) {
    return undefined;
  }
  const { path, target, read = readFields, reply = sendJson } = route;
  const segments = Object.entries(path.exec(pathname)?.groups ?? {});
  const fields = Object.fromEntries(segments.map(([name, value]) => [name, decodeURIComponent(value)]));
  return { target, body: () => ({ ...fields, ...read(request, content) }), reply };
}

function readFields(_: IncomingMessage, content: string): object {
  return JSON.parse(content) as object;
}

/** The payload is the whole body. */
function replyOfFunction(response: ServerResponse, status: number, body: object): void {
  if (status !== 200 || !('Payload' in body)) {
    sendJson(response, status, body);
    return;
  }
  const failed = 'FunctionError' in body ? { 'x-amz-function-error': String(body.FunctionError) } : {};
  response.writeHead(status, { 'content-type': 'application/json', ...failed }).end(body.Payload);
}
