const NAME = 'ScanFailed';

/** A scan is finished, but could not handle these secrets: a line with their number, and one for each. */
export class ScanFailed extends Error {
  override readonly name = NAME;

  constructor(number: number, reasons: readonly string[]) {
    super(
      `${number} problem(s); everything else was done.\n${reasons.join('\n')}` +
        (number > reasons.length ? `\n… and ${number - reasons.length} more, listed in the log` : ''),
    );
  }
}

/**
 * The problems of a scan, from the error with which Lambda says that its function failed.
 *
 * @returns undefined for any other error
 */
export function problemsOf(errorType: string | undefined, errorMessage: string): readonly string[] | undefined {
  return errorType === NAME ? errorMessage.split('\n').slice(1) : undefined;
}
