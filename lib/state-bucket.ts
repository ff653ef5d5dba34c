import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

export interface StateBucketProps {
  /** Key of the object that is its state, or a pattern of the keys of such objects. */
  readonly key: string;
  /** Why reads of it need no log of their own, as a sentence. */
  readonly contents: string;
}

/**
 * The bucket in which a function keeps its state from one invocation to the next. It is retained, since CloudFormation
 * cannot delete one that is not empty; S3 expires its objects.
 */
export class StateBucket extends Construct {
  readonly bucket: s3.Bucket;
  readonly #key: string;

  constructor(scope: Construct, id: string, { key, contents }: StateBucketProps) {
    super(scope, id);
    this.#key = key;
    this.bucket = new s3.Bucket(this, 'Bucket', {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      // Longer than a year, so that a yearly schedule finds the state of its last run.
      lifecycleRules: [{ id: 'ExpireState', expiration: Duration.days(400) }],
    });
    Validations.of(this.bucket).acknowledge({ id: 'AwsSolutions-S1', reason: contents });
  }

  /**
   * Lets a function read and write the objects. Without ListBucket one that does not exist yet would yield
   * AccessDenied.
   */
  grantReadWrite(fn: lambda.Function): void {
    fn.addToRolePolicy(
      new iam.PolicyStatement({
        sid: 'KeepState',
        actions: ['s3:GetObject', 's3:PutObject'],
        resources: [this.bucket.arnForObjects(this.#key)],
      }),
    );
    fn.addToRolePolicy(
      new iam.PolicyStatement({ sid: 'FindState', actions: ['s3:ListBucket'], resources: [this.bucket.bucketArn] }),
    );
  }
}
