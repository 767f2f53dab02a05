import { expect, test } from 'vitest';
import { filterEnvironment } from './environment.ts';

test('passes the common names and what the agent names, and nothing else', () => {
  const caller = {
    PATH: '/usr/bin',
    HOME: '/home/ada',
    LC_TIME: 'C',
    ACME_CONFIG_DIR: '/etc/acme',
    ACME_API_KEY: 'k',
    OTHER_TOKEN: 't',
    SHLVL: '2',
    EMPTY: undefined,
  };
  expect(filterEnvironment(caller, ['ACME_*'])).toEqual({
    env: { PATH: '/usr/bin', HOME: '/home/ada', LC_TIME: 'C', ACME_CONFIG_DIR: '/etc/acme', ACME_API_KEY: 'k' },
    secretNames: ['ACME_API_KEY'],
  });
});

test('never passes what describes the terminal of the caller or misdirects git, even when asked to', () => {
  const foreign = [
    ...[
      'TMUX',
      'TMUX_PANE',
      'STY',
      'TERM',
      'TERM_PROGRAM',
      'COLORTERM',
      'COLUMNS',
      'VSCODE_PID',
      'VSCODE_IPC_HOOK_CLI',
    ],
    ...['NVIM', 'INSIDE_EMACS', 'CONCERT_SESSION', 'CONCERT_HOME', 'GIT_DIR', 'GIT_WORK_TREE', 'GIT_CONFIG_COUNT'],
    ...['NODE_OPTIONS', 'LD_PRELOAD', 'DYLD_INSERT_LIBRARIES', 'KITTY_WINDOW_ID', 'LC_TERMINAL'],
  ];
  const caller = Object.fromEntries(foreign.map((name) => [name, 'x']));
  expect(filterEnvironment(caller, foreign)).toEqual({ env: {}, secretNames: [] });
});

test('tells which names look secret', () => {
  const names = ['GITHUB_TOKEN', 'OPENAI_API_KEY', 'DB_PASSWORD', 'AWS_SECRET_ACCESS_KEY', 'npm_config__authToken'];
  const caller = {
    ...Object.fromEntries(names.map((name) => [name, 'x'])),
    HTTPS_PROXY: 'http://ada:secret@proxy.test:8080',
    HTTP_PROXY: 'http://proxy.test:8080',
    SSH_AUTH_SOCK: '/run/agent.sock',
    MONKEY: 'see',
  };
  const { secretNames } = filterEnvironment(caller, [...names, 'MONKEY']);
  expect([...secretNames].sort()).toEqual([...names.slice(0, 4), 'HTTPS_PROXY', names[4]].sort());
});

test('drops names and values no process can be given', () => {
  const caller = { 'BAD NAME': 'x', '': 'x', 'A=B': 'x', PATH: 'a\0b', BASH_FUNC_x: 'x', 'BASH_FUNC_x%%': '() { :; }' };
  expect(filterEnvironment(caller, ['*']).env).toEqual({ BASH_FUNC_x: 'x' });
});
