/** A message of SNS. */
export interface Message {
  /** At most 100 ASCII characters, as e-mail needs it. */
  readonly subject: string;
  readonly text: string;
}

/** The account and Region that a message is about. */
export interface AccountRegion {
  readonly region: string;
  readonly account: string;
}
