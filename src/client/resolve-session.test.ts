import { expect, test } from 'vitest';
import { queuedOf, sessionOf } from '../../test/support/documents.ts';
import { resolveRef, resolveSession } from './resolve-session.ts';

const login = sessionOf({ id: 's_7k2mabcd', name: 'fix-login', tab: 3 });
const loginTwo = sessionOf({ id: 's_7k9xabcd', name: 's_7k' });
const cart = sessionOf({ id: 's_p4wqabcd', name: 'cart', task: 't_77777777' });
const icons = queuedOf({ task: 't_31abcdef', title: 'icons' });
const lists = { sessions: [login, loginTwo, cart], queued: [icons] };

test.each([
  ['3', login],
  ['fix-login', login],
  ['s_7k2mabcd', login],
  ['s_7k2', login],
  ['s_p', cart],
  ['t_777', cart],
])('"%s" names a session', (ref, session) => {
  expect(resolveSession(lists, ref)).toEqual({ ok: true, value: session });
});

test('an exact name wins over the beginning of ids', () => {
  expect(resolveSession(lists, 's_7k')).toEqual({ ok: true, value: loginTwo });
});

test('a queued task is found by id, beginning or title, and has no session', () => {
  for (const ref of ['t_31abcdef', 't_31', 'icons'])
    expect(resolveRef(lists, ref)).toEqual({ ok: true, value: { kind: 'queued', queued: icons } });
  expect(resolveSession(lists, 'icons')).toEqual({
    ok: false,
    code: 'session/not-found',
    message: 'Task t_31abcdef "icons" has no session yet: it waits for a free slot (11 of 12 in use)',
    hint: 'concert ls',
  });
});

test('what may be several lists them', () => {
  expect(resolveRef({ sessions: [login, cart], queued: [icons] }, 't_')).toMatchObject({
    ok: false,
    code: 'session/ambiguous',
    message: '"t_" may be s_7k2mabcd (fix-login), s_p4wqabcd (cart) or t_31abcdef (icons)',
  });
});

test.each([
  ['4', 'Nothing is bound to tab 4'],
  ['s', 'There is no session "s"'],
  ['', 'There is no session ""'],
  ['x\u001b[2J', 'There is no session "x [2J"'],
])('"%s" names nothing', (ref, message) => {
  expect(resolveRef(lists, ref)).toMatchObject({ ok: false, code: 'session/not-found', message });
});
