/** A message of SNS. */
export interface Message {
  /** At most 100 ASCII characters, as e-mail needs it. */
  readonly subject: string;
  readonly text: string;
}

/** SNS takes 262,144 bytes of text. What is not in the blocks needs some of it. */
const MAX_BYTES = 200_000;

/**
 * As many blocks of a message as fit into it.
 *
 * @param rest where those are that do not: `in the log of Freshness`
 */
export function fittingBlocks(blocks: readonly string[], rest: string): readonly string[] {
  let bytes = 0;
  const tooMuch = blocks.findIndex((block) => (bytes += Buffer.byteLength(block)) > MAX_BYTES);
  return tooMuch === -1
    ? blocks
    : [...blocks.slice(0, tooMuch), `… and ${blocks.length - tooMuch} more, which are ${rest}.`];
}

/** The account and Region that a message is about. */
export interface AccountRegion {
  readonly region: string;
  readonly account: string;
}
