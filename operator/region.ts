import { CommandError } from './command-error.ts';

/**
 * The Region that a client of the SDK calls.
 *
 * @throws {CommandError} if none is set
 */
export async function regionOf(client: { readonly config: { region(): Promise<string> } }): Promise<string> {
  try {
    return await client.config.region();
  } catch (error) {
    throw new CommandError('No Region is set: set AWS_REGION, or a Region in your AWS profile.', { cause: error });
  }
}
