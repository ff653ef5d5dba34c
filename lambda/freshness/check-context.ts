import type { S3Client } from '@aws-sdk/client-s3';
import type { SFNClient } from '@aws-sdk/client-sfn';
import type { Terms } from '../core/freshness/owing.ts';

/** Clients and settings that the checks of all secrets share. */
export interface CheckContext {
  readonly s3: S3Client;
  readonly stepFunctions: SFNClient;
  readonly stateMachineArn: string;
  readonly buckets: readonly string[];
  readonly terms: Terms;
  readonly now: Date;
}
