import { z } from 'zod';
import type { Answer, Call } from '../runtime/fake-https.ts';
import type { ObjectStore } from './object-store.ts';
import { answerOf } from './service-error.ts';

const PUBLISHED = '<PublishResponse><PublishResult><MessageId>simulated</MessageId></PublishResult></PublishResponse>';

/** The services that functions call. Each request and response is that of the AWS API. */
export interface AwsServices {
  readonly objectStore: ObjectStore;
  describeSecret(request: unknown): object;
  listSecrets(request: unknown): object;
  startExecution(request: unknown): object;
  describeExecution(request: unknown): object;
  listExecutions(request: unknown): object;
  /** Invokes the Scanner asynchronously. */
  invoke(event: object): void;
  /** Sends a message to a topic. */
  publish(request: unknown): void;
  putEvents(request: unknown): object;
}

/** Stands for a service that a simulated account lacks. */
export function unsupported(): never {
  throw new Error('A function called a service that this simulation does not have.');
}

/** Passes a call to its service. */
export function answerCall(services: AwsServices, { operation, input, body }: Call): Answer {
  switch (operation) {
    case 'DescribeSecret':
      return answerOf(() => services.describeSecret(input));
    case 'ListSecrets':
      return answerOf(() => services.listSecrets(input));
    case 'StartExecution':
      return answerOf(() => services.startExecution(input));
    case 'ListExecutions':
      return answerOf(() => services.listExecutions(input));
    case 'DescribeExecution':
      return answerOf(() => services.describeExecution(input));
    case 'PutEvents':
      return answerOf(() => services.putEvents(input));
    case 'Publish':
      services.publish(input);
      return { status: 200, body: PUBLISHED, type: 'text/xml' };
    case 'GetObject':
      return services.objectStore.getObject(String(input.url));
    case 'PutObject':
      return services.objectStore.putObject(String(input.url), body);
    case 'ListObjectsV2':
      return services.objectStore.listObjects(String(input.url));
    case 'Invoke':
      services.invoke(z.looseObject({}).parse(JSON.parse(body.toString())));
      return { status: 202, body: '', type: 'application/json' };
    default:
      throw new Error(`A function called ${operation}, which the simulation does not support.`);
  }
}
