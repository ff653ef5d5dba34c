import { EXIT_STATUS } from '../contract.ts';
import { DEFAULT_JOBS, MOST_JOBS } from './restore/options.ts';

const { done, misuse, badSecret, verificationFailed, internal, tryAgain, refused } = EXIT_STATUS;

export const HELP = `Dumps a PostgreSQL database to S3, proven restorable, and restores it.

  dump          Dumps the database of a secret once. The environment tells which, for when, and where to:
                AUTODUMP_SECRET_ARN, AUTODUMP_WHEN, AUTODUMP_EXECUTION, AUTODUMP_BUCKETS, AUTODUMP_RESTORE_JOB,
                and TMPDIR, a writable folder.
  dump --check  Finds what would keep a dump from working, and tells the SQL that grants what is missing. Needs the
                same, but neither AUTODUMP_WHEN nor AUTODUMP_EXECUTION.
  restore s3://BUCKET/KEY --to TARGET [--jobs N] [--into-non-empty]
                Restores a dump that is what its manifest says. TMPDIR names a writable folder, and AWS_REGION the
                Region of the bucket, which may be left out where it is that of TARGET's ARN.

  --to TARGET       The database: the ARN of a secret, or postgres://user@host:port/database?sslmode=MODE with the
                    password in PGPASSWORD.
  --jobs N          Connections that restore side by side, 1 to ${MOST_JOBS} (default ${DEFAULT_JOBS}).
  --into-non-empty  Restores also into a database that holds something already.
  --help            This text.

Exit status: ${done} if all went well, ${misuse} when called wrongly, ${badSecret} for a secret that describes no database, ${verificationFailed} for
an archive that is not whole or not the one that was proven, ${tryAgain} for what is worth another try, ${refused} for what the
database or AWS refused, ${internal} for a fault of this program, 128 + number for a signal.
`;
