import { createHmac, randomBytes } from 'node:crypto';
import { REGION } from '../../assembly/account.ts';
import { WITHOUT_AWS } from '../../host/environment.ts';

/** Where the AWS APIs are served. */
export interface Endpoints {
  readonly s3: string;
  /** All other services; refuses requests to those that are not served. */
  readonly services: string;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Makes this process's keys unpredictable for other users of the machine. */
const SALT = randomBytes(32);

/** Principals by access key ID. */
const issued = new Map<string, string>();

/** Issues keys to a principal, such as the ARN of a role session. They are valid as long as this process runs. */
export function credentialsOf(principal: string): Credentials {
  const digest = createHmac('sha256', SALT).update(principal).digest('hex').toUpperCase();
  const accessKeyId = `ASIA${digest.slice(0, 16)}`;
  issued.set(accessKeyId, principal);
  return { accessKeyId, secretAccessKey: digest.slice(16, 56) };
}

/**
 * The principal that signed a request, by its `Authorization` header; undefined if the key was not issued here. The key
 * IDs are secret, so the signature itself is not verified.
 */
export function signerOf(authorization: string | undefined): string | undefined {
  const [, accessKeyId = ''] = /Credential=([^/]+)\//.exec(authorization ?? '') ?? [];
  return issued.get(accessKeyId);
}

/**
 * Environment of a function or job, from which SDK clients take their Region, credentials and endpoints. The user's own
 * AWS configuration does not reach them.
 */
export function awsEnvironment(principal: string, endpoints: Endpoints): Record<string, string> {
  const { accessKeyId, secretAccessKey } = credentialsOf(principal);
  return {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_ENDPOINT_URL: endpoints.services,
    AWS_ENDPOINT_URL_S3: endpoints.s3,
    ...WITHOUT_AWS,
    TZ: 'UTC',
  };
}
