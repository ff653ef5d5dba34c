/**
 * The zones whose rules an update of the time zone database changes, each with a zone whose rules it has until then.
 * Some of them have the same offset for a part of the year, as in a real update.
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

/** How many results of a format are kept. */
const KEPT = 4096;

/**
 * A class whose instances are made once for the same arguments: making one takes as long as a hundred uses, and
 * libraries make one to find out whether a time zone exists. Results are kept too, since every scan and check asks for
 * the same scheduled times again.
 *
 * @param zone the zone whose rules another one has
 */
function dateTimeFormat(zone: (timezone: string) => string): typeof Intl.DateTimeFormat {
  const made = new Map<string, Intl.DateTimeFormat>();
  return new Proxy(Intl.DateTimeFormat, {
    construct: (_, args: [locales?: string | string[], options?: Intl.DateTimeFormatOptions]) => {
      const name = JSON.stringify(args);
      const [locales, { timeZone, ...options } = {}] = args;
      const format =
        made.get(name) ??
        withMemory(
          new Intl.DateTimeFormat(locales, {
            ...options,
            ...(timeZone === undefined ? {} : { timeZone: zone(timeZone) }),
          }),
        );
      made.set(name, format);
      return format;
    },
  });
}

/** A format that keeps the parts of the times that it was last asked for. */
function withMemory(format: Intl.DateTimeFormat): Intl.DateTimeFormat {
  const kept = new Map<number, readonly Intl.DateTimeFormatPart[]>();
  const compute = format.formatToParts.bind(format);
  const formatToParts = (date: Date | number): readonly Intl.DateTimeFormatPart[] => {
    const time = Number(date);
    const known = kept.get(time);
    if (known !== undefined) {
      return known;
    }
    if (kept.size === KEPT) {
      kept.clear();
    }
    const parts = compute(time);
    kept.set(time, parts);
    return parts;
  };
  return Object.defineProperty(format, 'formatToParts', { value: formatToParts });
}

function intlWith(DateTimeFormat: typeof Intl.DateTimeFormat): typeof Intl {
  return Object.create(Intl, { DateTimeFormat: { value: DateTimeFormat } }) as typeof Intl;
}

/** `Intl` before the update of the rules, and after it. */
export const INTL = {
  former: intlWith(dateTimeFormat(formerZone)),
  current: intlWith(dateTimeFormat((timezone) => timezone)),
} as const;
