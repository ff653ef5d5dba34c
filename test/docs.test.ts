import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { EXIT_STATUS } from '../contract.ts';

const ROOT = resolve(import.meta.dirname, '..');

/** Of each Markdown file by its path from the root. */
const pages = globSync('**/*.md', { cwd: ROOT, exclude: ['**/node_modules', '**/.autodump', '**/cdk.out'] });

/** Statuses of signals, beside those of the contract: killed, terminated. */
const SIGNAL_STATUSES = [137];

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** Without code, in which brackets are no links and hashes no headings. */
function prose(file: string): string {
  return read(file)
    .replace(/^```.*?^```/gms, '')
    .replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()#]/g, ''));
}

/** The anchors that GitHub makes of headings. No page has two that are equal. */
function anchors(file: string): readonly string[] {
  return [...prose(file).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function brokenLinks(file: string): readonly string[] {
  const targets = [...prose(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = '', anchor] = target.split('#');
      const linked = path === '' ? file : join(dirname(file), path);
      return !existsSync(join(ROOT, linked)) || (anchor !== undefined && !anchors(linked).includes(anchor));
    });
}

describe('Documentation', () => {
  test.each(pages)('%s links to files and headings that exist', (file) => {
    expect(brokenLinks(file)).toEqual([]);
  });

  test('the README fits on a few screens', () => {
    expect(read('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(150);
  });

  test('the runbook has an article for each alarm, to which the alarm links, and no other articles of alarms', () => {
    const { Resources } = JSON.parse(read('test/lib/autodump-stack.snapshot.json')) as {
      Resources: Record<string, { Type: string; Properties: { AlarmDescription?: string } }>;
    };
    const linked = Object.values(Resources)
      .filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm')
      .map(({ Properties }) => /docs\/operations\.md#(\S+)$/.exec(Properties.AlarmDescription ?? '')?.[1]);
    const articles = anchors('docs/operations.md').filter((anchor) => anchor.startsWith('alarm-'));
    expect([...new Set(linked)].sort()).toEqual(articles.sort());
  });

  test('the runbook has an article for each exit status', () => {
    const { done, ...failures } = EXIT_STATUS;
    const expected = [...Object.values(failures), ...SIGNAL_STATUSES].map((status) => `exit-status-${status}`);
    expect(anchors('docs/operations.md')).toEqual(expect.arrayContaining(expected));
    expect(done).toBe(0);
  });
});
