import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { WITHOUT_AWS } from '../../local/host/environment.ts';
import { findClientPrograms } from '../../local/postgres/client-programs.ts';
import { pathOfQuickSynthesis } from '../support/synthesized-app.ts';
import { tempFoldersOfFile } from '../support/temp-folder.ts';

const folder = tempFoldersOfFile();

/** A server that nothing may connect to; it records what it is sent. */
let listener: Server;
const heard: string[] = [];

beforeAll(async () => {
  listener = createServer((socket) => {
    heard.push('a connection');
    socket.on('data', (data) => heard.push(data.toString('latin1'))).on('error', () => undefined);
    socket.end('HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n');
  });
  await once(listener.listen(0, '127.0.0.1'), 'listening');
});

beforeEach(() => {
  heard.splice(0);
});

afterAll(() => {
  listener.close();
});

/**
 * Everything in an environment and a home folder that leads to AWS, through a proxy or to another PostgreSQL server.
 */
function temptations(home: string, marker: string): NodeJS.ProcessEnv {
  const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const profile = (name: string) =>
    `[${name}]\nregion = eu-central-1\nendpoint_url = ${url}\nuse_fips_endpoint = true\ncredential_process = touch ${marker}\n`;
  mkdirSync(join(home, '.aws'));
  writeFileSync(join(home, '.aws', 'config'), profile('default') + profile('profile work'));
  writeFileSync(join(home, '.cdk.json'), JSON.stringify({ profile: 'work', proxy: url }));
  const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]);
  return {
    HOME: home,
    ...Object.fromEntries(proxies.map((name) => [name, url])),
    NODE_USE_ENV_PROXY: '1',
    npm_config_registry: url,
    CDK_DEFAULT_ACCOUNT: '999999999999',
    AWS_PROFILE: 'work',
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'example',
    AWS_SESSION_TOKEN: 'example',
    AWS_REGION: 'eu-central-1',
    AWS_USE_FIPS_ENDPOINT: 'true',
    AWS_ENDPOINT_URL: url,
    AWS_ENDPOINT_URL_S3: url,
    AWS_ENDPOINT_URL_STS: url,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: url,
    AWS_EC2_METADATA_SERVICE_ENDPOINT: url,
    PGHOST: '127.0.0.1',
    PGPORT: url.replace(/^.*:/, ''),
    PGUSER: 'nobody',
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: '/nowhere.pem',
    PGOPTIONS: '-c statement_timeout=1',
    PGSERVICE: 'work',
    PGTZ: 'Mars/Base',
  };
}

/** All three run `cdk synth` by the same function. What that runs then copies the app that the tests share. */
test.each([
  ['the local run', 'local/main.ts', (state: string) => ['--state-dir', state]],
  ['the simulation', 'simulation/main.ts', () => ['--secrets', '1', '--days', '1', '--seed', '1']],
  ['the benchmark', 'bench/main.ts', () => ['--size', '1MB', '--rounds', '1']],
])("%s reaches nothing that the caller's environment names", async (_, program, args) => {
  const home = folder();
  const temporary = folder();
  // Started as root, the sample server runs as another user.
  chmodSync(temporary, 0o711);
  const marker = join(home, 'credentials-were-asked-for');
  const clients = (await findClientPrograms(process.env.PATH ?? '')).map((found) => found.folder);
  const searchPath = [...clients, await pathOfQuickSynthesis()].join(delimiter);
  const { NODE_COMPILE_CACHE } = process.env;
  const env = { PATH: searchPath, TMPDIR: temporary, NODE_COMPILE_CACHE, ...temptations(home, marker) };
  const { stderr } = await promisify(execFile)(process.execPath, [program, ...args(folder())], { env });
  expect(stderr).not.toMatch(/error|warn/i);
  expect(heard).toEqual([]);
  expect(existsSync(marker)).toBe(false);
  expect(readdirSync(home).sort()).toEqual(['.aws', '.cdk.json']);
  expect(readdirSync(temporary)).toEqual([]);
});

test('nor does the synthesis itself, if there is a profile, but no credentials that would take its place', async () => {
  const home = folder();
  const marker = join(home, 'credentials-were-asked-for');
  const credentials = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_SESSION_TOKEN: undefined };
  const env = { PATH: process.env.PATH, ...temptations(home, marker), ...credentials };
  const script = `
    import { synthesize } from './local/assembly/synth.ts';
    import { Processes } from './local/host/processes.ts';
    await synthesize(process.argv[1], new Processes());`;
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, join(folder(), 'cdk.out')], {
    env,
  });
  expect(heard).toEqual([]);
  expect(existsSync(marker)).toBe(false);
});

test('the tests themselves see nothing of it', async () => {
  const { TMPDIR } = process.env;
  const env = { PATH: process.env.PATH, TMPDIR, ...temptations(folder(), 'marker') };
  const script = `
    import createRunFolder from './test/run-folder.js';
    createRunFolder();
    process.stdout.write(JSON.stringify(process.env));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env });
  const seen = Object.entries(JSON.parse(stdout) as NodeJS.ProcessEnv).filter(([name]) => /^AWS|^PG|proxy/i.test(name));
  expect(Object.fromEntries(seen)).toEqual(WITHOUT_AWS);
});

test('the difference of templates is found without it', async () => {
  const programs = folder();
  writeFileSync(join(programs, 'cdk'), '#!/bin/sh\nenv\n', { mode: 0o755 });
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    readonly scripts: { readonly diff: string };
  };
  const tempted = temptations(folder(), 'marker');
  const env = { ...tempted, PATH: `${programs}${delimiter}${process.env.PATH ?? ''}` };
  const { stdout } = await promisify(execFile)('sh', ['-c', scripts.diff], { env });
  const seen = stdout.split('\n');
  expect(seen).toContain('AWS_EC2_METADATA_DISABLED=true');
  expect(Object.entries(tempted).filter(([name, value = '']) => seen.includes(`${name}=${value}`))).toEqual([]);
});
