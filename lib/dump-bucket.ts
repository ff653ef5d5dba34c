import { CfnOutput, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledgeWildcards } from './acknowledge.ts';

export interface DumpBucketProps {
  /** Name of the bucket. @default - CloudFormation makes one up */
  readonly bucketName?: string;
  /** Buckets that exist elsewhere and that the writer may write to as well. */
  readonly extraBucketNames: readonly string[];
  /** How long a dump and its manifest are kept. Afterwards S3 deletes them. */
  readonly retention: Duration;
  /** ARN of the key that the bucket is encrypted with. @default - the keys that S3 manages */
  readonly kmsKeyArn?: string;
}

/**
 * A write that could replace an object. The calls that begin a multipart upload and add its parts cannot carry the
 * header and create no object; the call that completes it does both.
 * Source: Amazon S3, "Enforce conditional writes on Amazon S3 buckets".
 */
const REPLACING = { Null: { 's3:if-none-match': 'true' }, Bool: { 's3:ObjectCreationOperation': 'true' } };

/**
 * Where the dumps are: a private bucket that outlives the stack, in which an object can be made but not replaced.
 */
export class DumpBucket extends Construct {
  readonly bucket: s3.Bucket;
  /** Every bucket that a dump may go to; the first is the archive's own. */
  readonly bucketNames: readonly string[];
  private readonly key: kms.IKey | undefined;

  constructor(scope: Construct, id: string, props: DumpBucketProps) {
    super(scope, id);
    this.key = props.kmsKeyArn === undefined ? undefined : kms.Key.fromKeyArn(this, 'Key', props.kmsKeyArn);
    this.bucket = new s3.Bucket(this, 'Bucket', {
      bucketName: props.bucketName,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: this.key ? s3.BucketEncryption.KMS : s3.BucketEncryption.S3_MANAGED,
      encryptionKey: this.key,
      bucketKeyEnabled: this.key ? true : undefined,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [
        { id: 'ExpireDumps', expiration: props.retention },
        // Counted from the beginning of the upload, which a job may go on with for a week.
        { id: 'AbortIncompleteUploads', abortIncompleteMultipartUploadAfter: Duration.days(8) },
      ],
    });
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'Who reads dumps is for data events of CloudTrail to tell; access logs would be a second bucket to keep.',
    });
    this.bucketNames = [this.bucket.bucketName, ...props.extraBucketNames];
    this.demandConditionalWrites();
  }

  /**
   * Lets a role make new dumps. It can neither read, delete nor replace any: those actions it does not have, and a
   * write that could replace an object is denied to it in every bucket. Listing lets a retry find its dump made.
   */
  grantWrite(role: iam.IRole): void {
    const buckets = this.bucketArns();
    const objects = buckets.map((bucket) => `${bucket}/*`);
    role.addToPrincipalPolicy(
      new iam.PolicyStatement({
        sid: 'MakeDumps',
        actions: ['s3:PutObject', 's3:AbortMultipartUpload'],
        resources: objects,
      }),
    );
    role.addToPrincipalPolicy(
      new iam.PolicyStatement({
        sid: 'NeverReplace',
        effect: iam.Effect.DENY,
        actions: ['s3:PutObject'],
        resources: objects,
        conditions: REPLACING,
      }),
    );
    role.addToPrincipalPolicy(
      new iam.PolicyStatement({ sid: 'FindDumps', actions: ['s3:ListBucket'], resources: [...buckets] }),
    );
    acknowledgeWildcards(role, objects, 'The key of a dump holds names of secret and database, which can be any.');
    // S3 decrypts the parts of a multipart upload when it puts them together.
    this.grantKey(role, 'EncryptDumps', ['kms:GenerateDataKey', 'kms:Decrypt']);
  }

  /** Lets a role find and read dumps, wherever a dump may have gone. */
  grantRead(role: iam.IRole): void {
    const buckets = this.bucketArns();
    const objects = buckets.map((bucket) => `${bucket}/*`);
    role.addToPrincipalPolicy(
      new iam.PolicyStatement({ sid: 'ReadDumps', actions: ['s3:GetObject'], resources: objects }),
    );
    // Without it S3 does not tell a key that is not there from one that is not allowed.
    role.addToPrincipalPolicy(
      new iam.PolicyStatement({ sid: 'FindDumps', actions: ['s3:ListBucket'], resources: [...buckets] }),
    );
    acknowledgeWildcards(role, objects, 'The key of a dump holds names of secret and database, which can be any.');
    this.grantKey(role, 'DecryptDumps', ['kms:Decrypt']);
  }

  /** Makes a user that may list and read the dumps, and nothing else. Whoever needs it gives it an access key. */
  addReadOnlyUser(): iam.User {
    const user = new iam.User(this, 'ReadOnlyUser');
    user.addToPrincipalPolicy(
      new iam.PolicyStatement({
        sid: 'ReadDumps',
        actions: ['s3:GetObject'],
        resources: [this.bucket.arnForObjects('*')],
      }),
    );
    user.addToPrincipalPolicy(
      new iam.PolicyStatement({
        sid: 'ListDumps',
        actions: ['s3:ListBucket', 's3:GetBucketLocation'],
        resources: [this.bucket.bucketArn],
      }),
    );
    this.grantKey(user, 'DecryptDumps', ['kms:Decrypt']);
    acknowledgeWildcards(user, [this.bucket.arnForObjects('*')], 'The user may read every dump of this bucket.');
    new CfnOutput(Stack.of(this), 'ReadOnlyUserName', {
      value: user.userName,
      description: 'User that may read the dumps; it has no access key yet',
    });
    return user;
  }

  private bucketArns(): readonly string[] {
    return this.bucketNames.map((name) =>
      Stack.of(this).formatArn({ service: 's3', region: '', account: '', resource: name }),
    );
  }

  private grantKey(grantee: iam.IGrantable, sid: string, actions: string[]): void {
    if (this.key) {
      const service = `s3.${Stack.of(this).region}.${Stack.of(this).urlSuffix}`;
      grantee.grantPrincipal.addToPrincipalPolicy(
        new iam.PolicyStatement({
          sid,
          actions,
          resources: [this.key.keyArn],
          conditions: { StringEquals: { 'kms:ViaService': service } },
        }),
      );
    }
  }

  /** Refuses every write that could replace an object, whoever it comes from. */
  private demandConditionalWrites(): void {
    this.bucket.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'RefuseReplacing',
        effect: iam.Effect.DENY,
        principals: [new iam.AnyPrincipal()],
        actions: ['s3:PutObject'],
        resources: [this.bucket.arnForObjects('*')],
        conditions: REPLACING,
      }),
    );
  }
}
