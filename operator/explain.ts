import { CommandError } from './command-error.ts';

/** An error in words, for whoever called the command. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  if (error.name === 'CredentialsProviderError') {
    return `No AWS credentials were found. Set AWS_PROFILE, or sign in as for the AWS CLI. (${error.message})`;
  }
  return error instanceof CommandError || error.name === 'Error' ? error.message : `${error.name}: ${error.message}`;
}
