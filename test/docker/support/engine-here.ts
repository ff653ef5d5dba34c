import { jest } from '@jest/globals';
import type { Stage } from './stage.ts';

/** Lets the engine, when it runs in the process of the tests, call the S3 of a stage, and silences its log. */
export function runEngineHere({ s3 }: Stage): void {
  process.env.AWS_ENDPOINT_URL_S3 = s3.endpoint;
  process.env.AWS_ACCESS_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';
  process.env.AWS_SECRET_ACCESS_KEY = 'example';
  process.env.AWS_MAX_ATTEMPTS = '2';
  jest.spyOn(process.stdout, 'write').mockImplementation(() => true);
}
