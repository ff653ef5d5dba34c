import { z } from 'zod';

/** Whether an event matches. */
export type Pattern = (event: unknown) => boolean;

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/**
 * Compiles an event pattern of EventBridge. Supports exact matches and the operators `prefix`, `exists` and
 * `anything-but` (with values or a prefix):
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 *
 * @throws {Error} naming an operator that is not supported
 */
export function compilePattern(pattern: unknown): Pattern {
  const fields = Object.entries(z.record(z.string(), z.unknown()).parse(pattern)).map(([name, expected]) => {
    if (name.startsWith('$')) {
      throw unknownOperator(name);
    }
    const matches = Array.isArray(expected) ? compileChoices(expected) : compileObject(expected);
    return [name, matches] as const;
  });
  return (event) => fields.every(([name, matches]) => matches(field(event, name)));
}

function compileObject(pattern: unknown): Pattern {
  const matches = compilePattern(pattern);
  return (value) => typeof value === 'object' && value !== null && matches(value);
}

/** Matches if any choice matches the value, or any element of a value that is a list. */
function compileChoices(choices: readonly unknown[]): Pattern {
  const compiled = choices.map(compileChoice);
  return (value) => {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    return compiled.some((matches) => values.some(matches));
  };
}

function compileChoice(choice: unknown): Pattern {
  const exact = scalar.safeParse(choice);
  if (exact.success) {
    return (value) => value === exact.data;
  }
  const entries = Object.entries(z.record(z.string(), z.unknown()).parse(choice));
  const [[operator, operand] = ['', undefined]] = entries;
  if (entries.length !== 1) {
    throw unknownOperator(JSON.stringify(choice));
  }
  switch (operator) {
    case 'prefix': {
      const prefix = z.string().parse(operand);
      return (value) => typeof value === 'string' && value.startsWith(prefix);
    }
    case 'exists': {
      const expected = z.boolean().parse(operand);
      return (value) => (value !== undefined) === expected;
    }
    case 'anything-but': {
      const excluded = compileChoices(Array.isArray(operand) ? operand : [operand]);
      return (value) => value !== undefined && !excluded(value);
    }
    default:
      throw unknownOperator(operator);
  }
}

function field(event: unknown, name: string): unknown {
  const parsed = z.record(z.string(), z.unknown()).safeParse(event);
  return parsed.success ? parsed.data[name] : undefined;
}

function unknownOperator(operator: string): Error {
  return new Error(`An event pattern uses the operator ${operator}, which the local run does not support.`);
}
