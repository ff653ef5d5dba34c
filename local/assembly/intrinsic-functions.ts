import { z } from 'zod';

/** Looks up what the intrinsic functions of a template refer to. */
export interface References {
  /** @throws {Error} if the template has no such resource, and there is no such pseudo parameter */
  ref(name: string): string;
  /** @throws {Error} if the resource or the attribute is unknown */
  attribute(logicalId: string, attribute: string): string;
}

/**
 * The value with its intrinsic functions evaluated.
 *
 * @throws {Error} naming an intrinsic function that is not supported
 */
export function evaluate(value: unknown, references: References): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => evaluate(item, references));
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const entries = Object.entries(value);
  const [[name, argument] = ['', undefined]] = entries;
  if (entries.length === 1 && (name === 'Ref' || name.startsWith('Fn::'))) {
    return call(name, argument, references);
  }
  return Object.fromEntries(entries.map(([key, inner]) => [key, evaluate(inner, references)]));
}

function call(name: string, argument: unknown, references: References): unknown {
  switch (name) {
    case 'Ref':
      return references.ref(z.string().parse(argument));
    case 'Fn::GetAtt': {
      const [logicalId, attribute] = z
        .union([z.array(z.string()), z.string().transform((text) => text.split('.', 2))])
        .parse(argument);
      return references.attribute(logicalId ?? '', attribute ?? '');
    }
    case 'Fn::Join': {
      const [separator, parts] = z.tuple([z.string(), z.array(z.string())]).parse(evaluate(argument, references));
      return parts.join(separator);
    }
    case 'Fn::Split': {
      const [separator, text] = z.tuple([z.string(), z.string()]).parse(evaluate(argument, references));
      return text.split(separator);
    }
    case 'Fn::Select': {
      const [index, list] = z.tuple([z.coerce.number(), z.array(z.unknown())]).parse(evaluate(argument, references));
      return list[index];
    }
    case 'Fn::Sub':
      return substitute(argument, references);
    default:
      throw new Error(`The template uses ${name}, which the local run does not support.`);
  }
}

function substitute(argument: unknown, references: References): string {
  const [text, values] = z
    .union([
      z.string().transform((only) => [only, {}] as const),
      z.tuple([z.string(), z.record(z.string(), z.unknown())]),
    ])
    .parse(argument);
  const variables: Readonly<Record<string, unknown>> = values;
  return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
    if (literal !== '') {
      return `\${${name}}`;
    }
    const [logicalId = '', attribute] = name.split(/\.(.*)/s, 2);
    if (name in variables) {
      return z.string().parse(evaluate(variables[name], references));
    }
    return attribute === undefined ? references.ref(logicalId) : references.attribute(logicalId, attribute);
  });
}
