import { z } from 'zod';
import { REGION } from '../../assembly/account.ts';
import type { Template } from '../../assembly/template.ts';
import type { RequiredCall } from '../iam/decision.ts';
import { AccessDenied, type Iam } from '../iam/iam.ts';
import { signerOf } from '../protocol/credentials.ts';
import type { Guard, GuardedRequest } from '../s3/request.ts';
import { S3Error } from '../s3/response.ts';
import { isForTags, type Tags } from '../s3/tags.ts';

/**
 * Permits requests whose signer is allowed to make them.
 *
 * @param keys ARNs of the KMS keys that encrypt buckets, by the bucket's name
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

function callsOf(request: GuardedRequest, keys: ReadonlyMap<string, string>): readonly RequiredCall[] {
  const { bucket, key } = request.target;
  return key === '' ? [bucketCall(request)] : objectCalls(request, keys.get(bucket));
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
function bucketCall({ method, target: { bucket, query } }: GuardedRequest): RequiredCall {
  const resource = `arn:aws:s3:::${bucket}`;
  if (method === 'PUT') {
    return { action: 's3:CreateBucket', resource };
  }
  if (query.has('uploads')) {
    return { action: 's3:ListBucketMultipartUploads', resource };
  }
  if (query.has('location')) {
    return { action: 's3:GetBucketLocation', resource };
  }
  const conditions = ['prefix', 'delimiter', 'max-keys'].flatMap((name): [string, string][] => {
    const value = query.get(name);
    return value === null ? [] : [[`s3:${name}`, value]];
  });
  return { action: 's3:ListBucket', resource, context: Object.fromEntries(conditions) };
}

function objectCalls(request: GuardedRequest, encryptionKey: string | undefined): readonly RequiredCall[] {
  const { method, target, headers, exists, tags } = request;
  const { bucket, key, query } = target;
  const resource = `arn:aws:s3:::${bucket}/${key}`;
  if (isForTags(target)) {
    return [method === 'GET' ? { action: 's3:GetObjectTagging', resource } : taggingCall(request, tags ?? {})];
  }
  const hasUpload = query.has('uploadId');
  const encryption = (action: string): readonly RequiredCall[] =>
    encryptionKey === undefined
      ? []
      : [{ action, resource: encryptionKey, context: { 'kms:ViaService': `s3.${REGION}.amazonaws.com` } }];
  if (method === 'DELETE') {
    return [{ action: hasUpload ? 's3:AbortMultipartUpload' : 's3:DeleteObject', resource }];
  }
  if (method === 'GET' && hasUpload) {
    return [{ action: 's3:ListMultipartUploadParts', resource }, ...encryption('kms:Decrypt')];
  }
  if (method === 'GET' || method === 'HEAD') {
    // Only principals that may list a bucket learn that an object does not exist.
    return exists
      ? [{ action: 's3:GetObject', resource }, ...encryption('kms:Decrypt')]
      : [
          { action: 's3:GetObject', resource },
          { action: 's3:ListBucket', resource: `arn:aws:s3:::${bucket}` },
        ];
  }
  // CreateMultipartUpload and UploadPart create no object.
  const creates = (method === 'PUT' && !hasUpload) || (method === 'POST' && hasUpload);
  const ifNoneMatch = headers['if-none-match'];
  const context = {
    's3:ObjectCreationOperation': `${creates}`,
    ...(ifNoneMatch === undefined ? {} : { 's3:if-none-match': ifNoneMatch }),
  };
  // S3 decrypts a multipart upload's data key for each part, and to list or join the parts.
  return [
    { action: 's3:PutObject', resource, context },
    ...(tags === undefined ? [] : [taggingCall(request, tags)]),
    ...encryption(hasUpload ? 'kms:Decrypt' : 'kms:GenerateDataKey'),
  ];
}

/**
 * What tagging requires, of an object that exists or is created. Only the former has tags that conditions see.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/tagging-and-policies.html
 */
function taggingCall({ target, existingTags }: GuardedRequest, tags: Tags): RequiredCall {
  const keys = (kind: string, of: Tags) =>
    Object.entries(of).map(([key, value]) => [`s3:${kind}/${key}`, value] as const);
  const existing = isForTags(target) ? keys('ExistingObjectTag', existingTags) : [];
  return {
    action: 's3:PutObjectTagging',
    resource: `arn:aws:s3:::${target.bucket}/${target.key}`,
    context: {
      's3:RequestObjectTagKeys': Object.keys(tags),
      ...Object.fromEntries([...keys('RequestObjectTag', tags), ...existing]),
    },
  };
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

/** ARNs of the KMS keys that encrypt the template's buckets, by the bucket's name. */
export function encryptionKeys(template: Template): ReadonlyMap<string, string> {
  const keys = template.ofType('AWS::S3::Bucket').flatMap((resource): [string, string][] => {
    const { BucketEncryption } = template.properties(resource, encryptionSchema);
    const [rule] = BucketEncryption?.ServerSideEncryptionConfiguration ?? [];
    const key = rule?.ServerSideEncryptionByDefault?.KMSMasterKeyID;
    return key === undefined ? [] : [[template.nameOf(resource), key]];
  });
  return new Map(keys);
}
