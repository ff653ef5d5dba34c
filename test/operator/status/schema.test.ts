import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { z } from 'zod';
import { statusOf } from '../../../lambda/core/status/status.ts';
import { statusSchema } from '../../../operator/status/schema.ts';
import { NOW, STATUS, SUBJECT } from '../../lambda/core/status/examples.ts';

const FILE = new URL('../../../operator/status/status.schema.json', import.meta.url);

const drill = { verdict: 'failed', finishedAt: '2026-11-22T09:00:00Z' };
const [first] = STATUS.secrets;

describe('the JSON Schema of the status', () => {
  const program = z.toJSONSchema(statusSchema, { io: 'input' });
  if (process.env.UPDATE_SNAPSHOT === 'true') {
    writeFileSync(FILE, `${JSON.stringify(program, null, 2)}\n`);
  }
  const schema = JSON.parse(readFileSync(FILE, 'utf8')) as Readonly<Record<string, unknown>>;
  const ajv = new Ajv2020({ formats: { 'date-time': true }, strict: true, allErrors: true });
  const validate = ajv.compile(schema);

  test('matches the schema of the program (UPDATE_SNAPSHOT=true updates it)', () => {
    expect(schema).toEqual(program);
  });

  test.each<[string, object]>([
    ['with secrets in every state', STATUS],
    ['without secrets', statusOf([], SUBJECT, NOW)],
    ['with a drill without a database', { ...STATUS, secrets: [{ ...first, drill }] }],
    ['with a field of a later version', { ...STATUS, more: 1, secrets: [{ ...first, more: 1 }] }],
  ])('accepts the status %s, as the command does', (_, status) => {
    const json: unknown = JSON.parse(JSON.stringify(status));
    validate(json);
    expect(validate.errors).toBeNull();
    expect(statusSchema.parse(json)).toEqual(json);
  });

  test('accepts the status of an earlier version, which counts no drills and no vanished rows, as the command does', () => {
    const later: readonly string[] = ['rows vanished', 'drill overdue', 'drill failed', 'drills only'];
    const counts = Object.entries(STATUS.totals.states).filter(([state]) => !later.includes(state));
    const states = Object.fromEntries(counts);
    const earlier: unknown = JSON.parse(JSON.stringify({ ...STATUS, totals: { ...STATUS.totals, states } }));
    validate(earlier);
    expect(validate.errors).toBeNull();
    expect(statusSchema.parse(earlier).totals.states).toEqual({
      ...states,
      ...Object.fromEntries(later.map((state) => [state, 0])),
    });
  });

  test.each<[string, object]>([
    ['of another version', { ...STATUS, version: 2 }],
    ['without totals', { ...STATUS, totals: undefined }],
    ['with an unknown state', { ...STATUS, secrets: [{ ...first, state: 'fine' }] }],
    ['with a negative size', { ...STATUS, secrets: [{ ...first, sizes: [-1] }] }],
  ])('rejects a status %s', (_, status) => {
    expect(validate(JSON.parse(JSON.stringify(status)))).toBe(false);
  });
});
