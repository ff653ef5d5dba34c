import { z } from 'zod';
import { REGION } from '../../assembly/account.ts';
import type { Template } from '../../assembly/template.ts';
import type { Call } from '../iam/decision.ts';
import { AccessDenied, type Iam } from '../iam/iam.ts';
import { signerOf } from '../protocol/credentials.ts';
import type { Guard, GuardedRequest } from '../s3/guard.ts';
import { S3Error } from '../s3/message.ts';

type Wanted = Omit<Call, 'principal'>;

/**
 * Lets pass what the signer may do.
 *
 * @param keys ARNs of the KMS keys that buckets are encrypted with, by name of the bucket
 */
export function s3Guard(iam: Iam, keys: ReadonlyMap<string, string>): Guard {
  return async (request) => {
    const principal = signerOf(request.headers.authorization);
    if (principal === undefined) {
      throw new S3Error(403, 'InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.');
    }
    try {
      for (const call of callsOf(request, keys)) {
        await iam.authorize({ ...call, principal });
      }
    } catch (error) {
      throw error instanceof AccessDenied ? new S3Error(403, 'AccessDenied', error.message) : error;
    }
  };
}

function callsOf(request: GuardedRequest, keys: ReadonlyMap<string, string>): readonly Wanted[] {
  const { bucket, key } = request.target;
  if (bucket === '') {
    return [{ action: 's3:ListAllMyBuckets', resource: '*' }];
  }
  return key === '' ? [bucketCall(request)] : objectCalls(request, keys.get(bucket));
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
function bucketCall({ method, target: { bucket, query } }: GuardedRequest): Wanted {
  const resource = `arn:aws:s3:::${bucket}`;
  if (method === 'PUT') {
    return { action: 's3:CreateBucket', resource };
  }
  if (method === 'DELETE') {
    return { action: 's3:DeleteBucket', resource };
  }
  if (query.has('uploads')) {
    return { action: 's3:ListBucketMultipartUploads', resource };
  }
  if (query.has('location')) {
    return { action: 's3:GetBucketLocation', resource };
  }
  const given = ['prefix', 'delimiter', 'max-keys'].flatMap((name): [string, string][] => {
    const value = query.get(name);
    return value === null ? [] : [[`s3:${name}`, value]];
  });
  return { action: 's3:ListBucket', resource, context: Object.fromEntries(given) };
}

function objectCalls(
  { method, target: { bucket, key, query }, headers, exists }: GuardedRequest,
  encryptionKey: string | undefined,
): readonly Wanted[] {
  const resource = `arn:aws:s3:::${bucket}/${key}`;
  const isPart = query.has('uploadId');
  const encryption = (action: string): readonly Wanted[] =>
    encryptionKey === undefined
      ? []
      : [{ action, resource: encryptionKey, context: { 'kms:ViaService': `s3.${REGION}.amazonaws.com` } }];
  if (method === 'DELETE') {
    return [{ action: isPart ? 's3:AbortMultipartUpload' : 's3:DeleteObject', resource }];
  }
  if (method === 'GET' || method === 'HEAD') {
    // Who may not list is not told that an object is not there.
    return exists
      ? [{ action: 's3:GetObject', resource }, ...encryption('kms:Decrypt')]
      : [
          { action: 's3:GetObject', resource },
          { action: 's3:ListBucket', resource: `arn:aws:s3:::${bucket}` },
        ];
  }
  // The calls that begin an upload in parts, and that add a part, create no object.
  const creates = (method === 'PUT' && !isPart) || (method === 'POST' && isPart);
  const ifNoneMatch = headers['if-none-match'];
  const context = {
    's3:ObjectCreationOperation': `${creates}`,
    ...(ifNoneMatch === undefined ? {} : { 's3:if-none-match': ifNoneMatch }),
  };
  // S3 decrypts the key of an upload in parts for each of them, and to put them together.
  return [{ action: 's3:PutObject', resource, context }, ...encryption(isPart ? 'kms:Decrypt' : 'kms:GenerateDataKey')];
}

const encryptionSchema = z.object({
  BucketEncryption: z
    .object({
      ServerSideEncryptionConfiguration: z.array(
        z.object({ ServerSideEncryptionByDefault: z.object({ KMSMasterKeyID: z.string().optional() }).optional() }),
      ),
    })
    .optional(),
});

/** ARNs of the keys that the template's buckets are encrypted with, by name of the bucket. */
export function encryptionKeys(template: Template): ReadonlyMap<string, string> {
  const keys = template.ofType('AWS::S3::Bucket').flatMap((resource): [string, string][] => {
    const { BucketEncryption } = template.properties(resource, encryptionSchema);
    const [rule] = BucketEncryption?.ServerSideEncryptionConfiguration ?? [];
    const key = rule?.ServerSideEncryptionByDefault?.KMSMasterKeyID;
    return key === undefined ? [] : [[template.nameOf(resource), key]];
  });
  return new Map(keys);
}
