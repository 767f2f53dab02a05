import { expect, test } from 'vitest';
import { Api } from './api.ts';
import { type Answer, type Transport, Unreachable } from './transport.ts';

function apiAnswering(answer: Answer | Unreachable) {
  const asked: unknown[] = [];
  const reply = async (...request: unknown[]) => {
    asked.push(request);
    if (answer instanceof Unreachable) throw answer;
    return answer;
  };
  const transport: Transport = {
    request: reply,
    download: async (path) => reply('GET', path),
    openSocket() {
      throw new Error('Not asked for here');
    },
  };
  return { api: new Api(transport), asked };
}

const done = { schema: 'concert/done@1', session: 's_7k2mabcd', message: 'Stopping: fix-login' };

test('a document comes back as the daemon gave it', async () => {
  const { api, asked } = apiAnswering({ status: 200, text: JSON.stringify(done) });
  expect(await api.send('s_7k2mabcd', { text: 'go on', now: true })).toEqual({ ok: true, value: done });
  expect(asked).toEqual([['POST', '/v1/sessions/s_7k2mabcd/send', { text: 'go on', now: true }]]);
});

test('a refusal comes back as the refusal it was', async () => {
  const text = JSON.stringify({ schema: 'concert/error@1', code: 'tab/taken', message: 'Tab 3 is taken', hint: 'h' });
  const { api } = apiAnswering({ status: 409, text });
  expect(await api.bindTab('s_7k2mabcd', 3)).toEqual({
    ok: false,
    code: 'tab/taken',
    message: 'Tab 3 is taken',
    hint: 'h',
  });
});

test.each([
  [{ status: 200, text: '<html>' }, 'no document'],
  [{ status: 200, text: JSON.stringify({ schema: 'concert/done@2' }) }, 'concert/done@2'],
  [{ status: 502, text: 'bad gateway' }, 'status 502'],
  [
    {
      status: 409,
      text: JSON.stringify({ schema: 'concert/error@1', code: 'new/code', message: 'status 7', hint: '' }),
    },
    'status 7',
  ],
])('what no daemon of ours would say is refused: %j', async (answer, words) => {
  const refusal = await apiAnswering(answer).api.stop();
  expect(refusal).toMatchObject({ ok: false, code: 'daemon/internal', message: expect.stringContaining(words) });
});

test('a daemon that is not there is a refusal, not a throw', async () => {
  const { api } = apiAnswering(new Unreachable('absent', 'The daemon does not answer'));
  expect(await api.status()).toMatchObject({ ok: false, code: 'daemon/not-running' });
});

test('ids cannot leave their place in the path', async () => {
  const { api, asked } = apiAnswering({ status: 200, text: '{}' });
  await api.log('../../v1/stop?x', 0, async () => {});
  expect(asked).toEqual([['GET', '/v1/sessions/..%2F..%2Fv1%2Fstop%3Fx/log?from=0']]);
});
