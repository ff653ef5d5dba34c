import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseEndpoint, parsePort } from '../../../../docker/postgres/connection/endpoint.ts';

test.each([
  ['db.example.com', { host: 'db.example.com' }],
  ['db.example.com.', { host: 'db.example.com' }],
  ['db.example.com.:5433', { host: 'db.example.com', port: 5433 }],
  ['db_1', { host: 'db_1' }],
  ['db.example.com:5433', { host: 'db.example.com', port: 5433 }],
  ['10.0.0.7', { host: '10.0.0.7' }],
  ['10.0.0.7:5433', { host: '10.0.0.7', port: 5433 }],
  ['2001:db8::7', { host: '2001:db8::7' }],
  ['[2001:db8::7]', { host: '2001:db8::7' }],
  ['[2001:db8::7]:5433', { host: '2001:db8::7', port: 5433 }],
  ['169.254.10.7:5433', { host: '169.254.10.7', port: 5433 }],
  ['fe80::7%eth0', { host: 'fe80::7%eth0' }],
  ['[fe80::7%eth0]:5433', { host: 'fe80::7%eth0', port: 5433 }],
])('%s is parsed', (text, endpoint) => {
  expect(parseEndpoint(text)).toEqual(endpoint);
});

test.each([
  '',
  'a b',
  'a,b',
  '/var/run/postgresql',
  'host=a',
  'postgres://a',
  'a:',
  'a:0',
  'a:65536',
  'a:5432:1',
  '[a]:5432',
  '[2001:db8::7',
  '2001:db8::7]',
  'fe80::7%',
  'fe80::7%eth0 a',
  '169.254.10.7%eth0',
  'a\n:5432',
  '-a',
  'a..',
  '.',
  '@a',
])('%j is not an endpoint', (text) => {
  expect(parseEndpoint(text)).toBeUndefined();
});

test('every valid port is parsed, as a number and as text', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 65535 }), (port) => {
      expect(parsePort(port)).toBe(port);
      expect(parsePort(String(port))).toBe(port);
    }),
  );
});

test.each([0, -1, 65536, 1.5, NaN, '', ' 1', '1e3', '0x10', '+1'])('%j is not a port', (port) => {
  expect(parsePort(port)).toBeUndefined();
});
