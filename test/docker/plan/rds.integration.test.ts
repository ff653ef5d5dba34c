import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { lookUpDatabase } from '../../../docker/plan/rds.ts';

const INSTANCE = { 'aws:rds:primaryDBInstanceArn': 'arn:aws:rds:us-west-2:123456789012:db:orders' };
const CLUSTER = { 'aws:rds:primaryDBClusterArn': 'arn:aws:rds:us-west-2:123456789012:cluster:orders' };

let server: Server;
let answer: readonly [status: number, body: string] = [200, ''];

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume().on('end', () => {
      const [status, body] = answer;
      response.writeHead(status, { 'Content-Type': 'text/xml', 'x-amzn-requestid': 'request' }).end(body);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  process.env.AWS_ENDPOINT_URL_RDS = `http://127.0.0.1:${port}`;
  process.env.AWS_ACCESS_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';
  process.env.AWS_SECRET_ACCESS_KEY = 'example';
  process.env.AWS_MAX_ATTEMPTS = '1';
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

function lookUp(tags: Readonly<Record<string, string>>): Promise<unknown> {
  return lookUpDatabase(new Map(Object.entries(tags)), 'us-west-2', new AbortController().signal);
}

function found(action: string, content: string): readonly [number, string] {
  return [200, `<${action}Response><${action}Result>${content}</${action}Result></${action}Response>`];
}

function error(status: number, code: string): readonly [number, string] {
  return [status, `<ErrorResponse><Error><Code>${code}</Code><Message>says RDS</Message></Error></ErrorResponse>`];
}

test('a secret without tags of RDS is not looked up', async () => {
  answer = [500, ''];
  expect(await lookUp({})).toEqual({});
});

test.each([
  [{}, 'writer'],
  [{ 'autodump:prefer': 'reader' }, 'reader'],
])('with the tags %j, the endpoint of a cluster is its %s', async (tags, endpoint) => {
  const cluster = '<Endpoint>writer</Endpoint><ReaderEndpoint>reader</ReaderEndpoint><Port>5433</Port>';
  answer = found('DescribeDBClusters', `<DBClusters><DBCluster>${cluster}</DBCluster></DBClusters>`);
  expect(await lookUp({ ...CLUSTER, ...tags })).toMatchObject({ endpoint, port: 5433 });
});

const NEW_INSTANCE = found(
  'DescribeDBInstances',
  '<DBInstances><DBInstance><Engine>postgres</Engine><DBName>app</DBName></DBInstance></DBInstances>',
);

test.each([
  ['refused', 'it was deleted or renamed.', INSTANCE, error(404, 'DBInstanceNotFound')],
  ['refused', 'it was deleted or renamed.', CLUSTER, error(404, 'DBClusterNotFoundFault')],
  ['refused', 'AccessDenied: says RDS', INSTANCE, error(403, 'AccessDenied')],
  ['tryAgain', 'Throttling', INSTANCE, error(400, 'Throttling')],
  ['tryAgain', 'create the VPC endpoint com.amazonaws.us-west-2.rds, or', CLUSTER, error(503, 'ServiceUnavailable')],
  ['tryAgain', 'not one of AWS', INSTANCE, [200, '<html>Please log in.']],
  ['tryAgain', /^RDS has no endpoint of arn:aws:rds:us-west-2:123456789012:db:orders yet\.$/, INSTANCE, NEW_INSTANCE],
] as const)('the lookup is %s: %s', async (reason, message, tags, response) => {
  answer = response;
  await expect(lookUp(tags)).rejects.toMatchObject({
    name: 'Failure',
    reason,
    message: expect.stringMatching(message),
  });
});
