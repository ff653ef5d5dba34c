/** A schedule or time zone is invalid. The message quotes it and says what is allowed. */
export class InvalidSchedule extends Error {
  override readonly name = 'InvalidSchedule';
}
