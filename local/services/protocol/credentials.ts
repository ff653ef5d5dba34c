import { createHmac, randomBytes } from 'node:crypto';
import { REGION } from '../../assembly/template.ts';

/** Where the AWS APIs are served. */
export interface Endpoints {
  readonly s3: string;
  /** Secrets Manager, Step Functions, and a refusal of all others. */
  readonly services: string;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Makes the keys of this process unknown to all others on the machine, some of which may belong to other people. */
const SALT = randomBytes(32);

/** Who holds which key. */
const issued = new Map<string, string>();

/** Keys of a principal, such as the ARN of a role's session, for as long as this process lives. */
export function credentialsOf(principal: string): Credentials {
  const digest = createHmac('sha256', SALT).update(principal).digest('hex').toUpperCase();
  const accessKeyId = `ASIA${digest.slice(0, 16)}`;
  issued.set(accessKeyId, principal);
  return { accessKeyId, secretAccessKey: digest.slice(16, 56) };
}

/**
 * The principal that signed a request, by its header `Authorization`, if the keys were issued here. Nobody else knows the
 * name of a key, so that the signature itself is not worked out again.
 */
export function signerOf(authorization: string | undefined): string | undefined {
  const [, accessKeyId = ''] = /Credential=([^/]+)\//.exec(authorization ?? '') ?? [];
  return issued.get(accessKeyId);
}

/**
 * What AWS puts into the environment of a function or job, so that SDK clients find their Region, credentials and
 * endpoints. Nothing of the user's own AWS configuration reaches them.
 */
export function awsEnvironment(principal: string, endpoints: Endpoints): Record<string, string> {
  const { accessKeyId, secretAccessKey } = credentialsOf(principal);
  return {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_ENDPOINT_URL: endpoints.services,
    AWS_ENDPOINT_URL_S3: endpoints.s3,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    TZ: 'UTC',
  };
}
