import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

/** The one object of the bucket. */
const KEY = 'started-runs.json';

/**
 * What the Scanner knows to be started, so that a scan in which nothing is new costs little. Nothing is lost with it but
 * calls. The bucket outlives the stack, since CloudFormation deletes none that is not empty; S3 empties it in time.
 */
export class ScanMemo extends Construct {
  readonly bucket: s3.Bucket;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.bucket = new s3.Bucket(this, 'Bucket', {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [{ id: 'ExpireMemo', expiration: Duration.days(90) }],
    });
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'It holds times of runs, which the executions tell as well.',
    });
  }

  /** Lets a function keep its memo. Without the right to list, a memo that is not there yet would look like a refusal. */
  grantUse(fn: lambda.Function): void {
    fn.addToRolePolicy(
      new iam.PolicyStatement({
        sid: 'KeepMemo',
        actions: ['s3:GetObject', 's3:PutObject'],
        resources: [this.bucket.arnForObjects(KEY)],
      }),
    );
    fn.addToRolePolicy(
      new iam.PolicyStatement({ sid: 'FindMemo', actions: ['s3:ListBucket'], resources: [this.bucket.bucketArn] }),
    );
  }
}
