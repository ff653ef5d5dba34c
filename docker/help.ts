import { EXIT_STATUS } from '../contract.ts';
import { FEWEST_DEFAULT_JOBS, MAX_JOBS } from './restore/options.ts';

const { done, misuse, badSecret, verificationFailed, internal, tryAgain, refused } = EXIT_STATUS;

export const HELP = `Dumps a PostgreSQL database to S3, proves that the dump can be restored, and restores it.

  dump          Dump the databases that a secret describes, once. Configured by the environment: AUTODUMP_SECRET_ARN,
                AUTODUMP_WHEN, AUTODUMP_EXECUTION, AUTODUMP_BUCKETS, AUTODUMP_RETENTION_DAYS,
                AUTODUMP_RESTORE_JOB, and TMPDIR, a writable folder.
  dump --check  Report whatever would make a dump fail, with SQL that grants missing privileges. Needs the same
                variables except AUTODUMP_WHEN and AUTODUMP_EXECUTION.
  restore s3://BUCKET/KEY --to TARGET [--jobs N] [--into-non-empty] [--accept-encoding] [--create-roles]
          [--verify rows|content]
                Restore a dump, after checking it against its manifest, and count its rows in the database. TMPDIR names
                a writable folder, and AWS_REGION the Region of the bucket; without it, the Region of TARGET's ARN is
                used.
  restore s3://BUCKET/KEY --to TARGET --table SCHEMA.TABLE [--table ...] [--as-is] [--accept-encoding]
                Restore the rows of these tables, of which a part of the dump is fetched, into a schema of their own:
                rescued_ and the time of the dump. Everything happens in one transaction.
  history SCHEMA.TABLE --secret NAME [--bucket BUCKET]
                List what the dumps of a secret have of a table: rows, bytes, and the change from one to the next.
                AWS_REGION is the Region of the bucket.

  drill [s3://BUCKET/KEY]
                Restore a dump into a PostgreSQL server that is started for that, from the folder of pg_restore, and
                compare all rows; leave the verdict beside the dump. TMPDIR names a writable folder, and AWS_REGION the
                Region of the bucket. Without a dump, the newest one of each database of a secret: configured by the
                environment AUTODUMP_SECRET_ARN, AUTODUMP_WHEN, AUTODUMP_EXECUTION, AUTODUMP_BUCKETS and TMPDIR.

  --to TARGET       The database: the ARN of a secret, or postgres://user@host:port/database?sslmode=MODE with the
                    password in PGPASSWORD.
  --jobs N          Number of parallel connections, 1 to ${MAX_JOBS} (default ${FEWEST_DEFAULT_JOBS}, or the number of processors if that
                    is higher).
  --into-non-empty  Allow restoring into a database that is not empty.
  --accept-encoding Allow restoring into a database whose encoding may damage text of the dump, or whose encoding or locale
                    may put rows into other partitions, or misread money.
  --create-roles    Create the roles that the dump refers to and the server lacks, without LOGIN and password.
  --verify content  At the end, compare the contents of all rows with the dump, too. By default (rows), only their number
                    is compared.
  --table NAME      A table, as in SQL: public.orders, or public."Orders". With its partitions, if it has some.
  --as-is           Put the tables back under their own names, into a database that does not have them.
  --secret NAME     The secret whose dumps to look at.
  --bucket BUCKET   The bucket that has them. By default, those in AUTODUMP_BUCKETS.
  --help            Show this text.

Exit status:
  ${done}    success
  ${misuse}   invalid environment or arguments
  ${badSecret}   the secret does not describe a database that can be dumped
  ${verificationFailed}   the dump is incomplete, or not the one that was proven, or the restored database is incomplete,
       or the verdict of a drill is another than "equal"
  ${internal}   internal error
  ${tryAgain}   temporary failure, or SIGTERM: worth another try
  ${refused}   refused by the database or AWS
  128 + n  ended by another signal n
`;
