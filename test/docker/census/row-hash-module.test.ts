import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import wabt from 'wabt';
import { ROW_HASH_MODULE } from '../../../docker/census/row-hash-module.ts';

const FOLDER = new URL('../../../docker/census/', import.meta.url);

async function assembled(): Promise<string> {
  const assembler = await wabt();
  const source = readFileSync(new URL('row-hash.wat', FOLDER), 'utf8');
  const module = assembler.parseWat('row-hash.wat', source, { simd: true, bulk_memory: true });
  module.validate();
  const { buffer } = module.toBinary({});
  module.destroy();
  return Buffer.from(buffer).toString('base64');
}

test('the module is what its source is assembled to (UPDATE_SNAPSHOT=true updates it)', async () => {
  const module = await assembled();
  if (process.env.UPDATE_SNAPSHOT === 'true') {
    const comment = '/** What `row-hash.wat` is assembled to, in base64. See README.md. */';
    writeFileSync(
      new URL('row-hash-module.ts', FOLDER),
      `${comment}\nexport const ROW_HASH_MODULE =\n  '${module}';\n`,
    );
  } else {
    expect(ROW_HASH_MODULE).toBe(module);
  }
});
