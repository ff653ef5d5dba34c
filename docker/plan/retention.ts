import { RETENTION_CLASSES, STACK_RETENTION } from '../../contract.ts';

/** The classes that are shorter than the stack's retention, in days. */
export function shorterClasses(stackDays: number): readonly number[] {
  return RETENTION_CLASSES.filter((days) => days < stackDays);
}

/**
 * The value of the tag by which the stack's lifecycle rules choose: the shortest class that is long enough.
 *
 * @param days undefined for the stack's own retention
 */
export function retentionOf(days: number | undefined, stackDays: number): string {
  const found = days === undefined ? undefined : shorterClasses(stackDays).find((each) => each >= days);
  return found === undefined ? STACK_RETENTION : String(found);
}

/** Days after which a dump with that tag expires; null if it has none, since its bucket's own rules decide. */
export function expiryOf(retention: string | undefined, stackDays: number): number | null {
  if (retention === undefined) {
    return null;
  }
  return retention === STACK_RETENTION ? stackDays : Number(retention);
}
