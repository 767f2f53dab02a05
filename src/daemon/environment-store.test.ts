import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { EnvironmentStore } from './environment-store.ts';

test('a secret is handed on but never written', () => {
  using folder = temporaryFolder();
  const pathOf = (session: string) => join(folder.path, session, 'env.json');
  const store = new EnvironmentStore(pathOf);
  store.capture('s_1', { env: { PATH: '/bin', API_TOKEN: 'hunter2' }, secretNames: ['API_TOKEN'] });
  expect(store.get('s_1')).toEqual({ PATH: '/bin', API_TOKEN: 'hunter2' });
  expect(readFileSync(pathOf('s_1'), 'utf8')).toBe('{"PATH":"/bin"}');
  expect(statSync(pathOf('s_1')).mode & 0o777).toBe(0o600);
});

test('a later daemon finds what is no secret, and a resume brings the rest again', () => {
  using folder = temporaryFolder();
  const pathOf = (session: string) => join(folder.path, session, 'env.json');
  new EnvironmentStore(pathOf).capture('s_1', { env: { PATH: '/bin', KEY: 'x' }, secretNames: ['KEY'] });
  const later = new EnvironmentStore(pathOf);
  expect(later.get('s_1')).toEqual({ PATH: '/bin' });
  later.capture('s_1', { env: { PATH: '/usr/bin', KEY: 'y' }, secretNames: ['KEY'] });
  expect(later.get('s_1')).toEqual({ PATH: '/usr/bin', KEY: 'y' });
  expect(later.get('s_unknown')).toEqual({});
});
