import { EXIT_STATUS } from '../../contract.ts';

/** What each exit status of the dump program means for a dump. */
const MEANINGS: Readonly<Record<number, string>> = {
  [EXIT_STATUS.misuse]: 'the environment of the job is invalid',
  [EXIT_STATUS.badSecret]: 'the secret cannot be used',
  [EXIT_STATUS.verificationFailed]: 'the dump could not be proven',
  [EXIT_STATUS.internal]: 'a fault of the dump program',
  [EXIT_STATUS.tryAgain]: 'database or S3 out of reach, a lock timeout, storage pressure, or stopped by the platform',
  [EXIT_STATUS.refused]: 'refused by the database or by AWS',
  137: 'killed, as when it exceeds its memory',
};

/** An exit status in words: `exit status 77, refused by the database or by AWS`. */
export function inWords(status: number): string {
  const meaning = MEANINGS[status];
  return meaning === undefined ? `exit status ${status}` : `exit status ${status}, ${meaning}`;
}

/** Article of the runbook about an exit status. */
export function articleOf(status: number): string {
  return status in MEANINGS ? `exit-status-${status}` : 'exit-statuses';
}
