import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { evidenceOf, evidenceSchema } from '../../../docker/drill/evidence.ts';

const FILE = new URL('../../../docker/drill/evidence.schema.json', import.meta.url);

describe('The evidence of a drill', () => {
  test('has the schema of the program (UPDATE_SNAPSHOT=true updates it)', () => {
    const program = z.toJSONSchema(evidenceSchema);
    if (process.env.UPDATE_SNAPSHOT === 'true') {
      writeFileSync(FILE, `${JSON.stringify(program, null, 2)}\n`);
    }
    expect(JSON.parse(readFileSync(FILE, 'utf8'))).toEqual(program);
  });

  test('is beside the dump, under the scheduled time of the drill', () => {
    const key = 'prod/app/app-20261122T080000Z.dmp';
    expect(evidenceOf({ bucket: 'dumps', key }, '2026-11-29T08:00:00Z')).toEqual({
      bucket: 'dumps',
      key: `${key}.drill-20261129T080000Z.json`,
    });
  });
});
