import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { MEMO_KEY } from '../contract.ts';

/**
 * The Scanner's memo of started runs, which keeps a scan that finds nothing new cheap. It is a cache: losing it costs
 * only API calls. The bucket is retained, since CloudFormation cannot delete one that is not empty; S3 expires its object.
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
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      lifecycleRules: [{ id: 'ExpireMemo', expiration: Duration.days(90) }],
    });
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'It holds only the times of runs, which the executions show as well.',
    });
  }

  /** Lets a function read and write its memo. Without ListBucket a memo that does not exist yet would yield AccessDenied. */
  grantReadWrite(fn: lambda.Function): void {
    fn.addToRolePolicy(
      new iam.PolicyStatement({
        sid: 'KeepMemo',
        actions: ['s3:GetObject', 's3:PutObject'],
        resources: [this.bucket.arnForObjects(MEMO_KEY)],
      }),
    );
    fn.addToRolePolicy(
      new iam.PolicyStatement({ sid: 'FindMemo', actions: ['s3:ListBucket'], resources: [this.bucket.bucketArn] }),
    );
  }
}
