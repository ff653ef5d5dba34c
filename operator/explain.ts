import { CommandError } from './command-error.ts';

/** Codes of Node.js for a host that has no address, or does not answer. */
const UNREACHABLE: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'ETIMEDOUT',
]);

/** An error in words, for whoever called the command. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  if (error.name === 'CredentialsProviderError') {
    return `No AWS credentials were found. Set AWS_PROFILE, or sign in as for the AWS CLI. (${error.message})`;
  }
  if ('code' in error && typeof error.code === 'string' && UNREACHABLE.has(error.code)) {
    // Attempts at several addresses fail with an AggregateError, which has no message.
    return `AWS cannot be reached: ${error.message || error.code}. Check the network, and the Region.`;
  }
  return error instanceof CommandError || error.name === 'Error' ? error.message : `${error.name}: ${error.message}`;
}
