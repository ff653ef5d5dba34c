/**
 * The zones whose rules an update of the time zone database changes, each with a zone whose rules it has until then. Some
 * of them have the same offset for a part of the year, as in a real update.
 */
const FORMER: Readonly<Record<string, string>> = {
  'Africa/Cairo': 'Africa/Tripoli',
  'Africa/Casablanca': 'Africa/Abidjan',
  'America/Denver': 'America/Phoenix',
  'Europe/Berlin': 'Africa/Lagos',
};

/** The zone that has the former rules of a zone: itself, unless they change. */
export function formerZone(timezone: string): string {
  return FORMER[timezone] ?? timezone;
}

class FormerDateTimeFormat extends Intl.DateTimeFormat {
  constructor(locales?: string | string[], { timeZone, ...options }: Intl.DateTimeFormatOptions = {}) {
    super(locales, { ...options, ...(timeZone === undefined ? {} : { timeZone: formerZone(timeZone) }) });
  }
}

/** `Intl` before the update. */
export const FORMER_INTL = Object.create(Intl, { DateTimeFormat: { value: FormerDateTimeFormat } }) as typeof Intl;
