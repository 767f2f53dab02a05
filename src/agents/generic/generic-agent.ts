import { ok, refuse } from '../../base/index.ts';
import type { Agent } from '../agent.ts';
import { terminalEnvironment } from '../environment.ts';
import { statusSource } from '../status-signals.ts';
import { typeAndEnter } from '../typed-text.ts';
import { GenericReader } from './generic-reader.ts';

/**
 * Any command as a session. It has no prompts, no turns and no conversation; a resume runs the same command again from
 * its beginning. Its state is as good as what it reports, and `unknown` where it reports nothing.
 */
export const genericAgent: Agent = {
  id: 'generic',
  title: 'Plain command',
  isSimulated: false,
  abilities: { resume: false, fork: false, choosesConversation: false, prompts: false, sidecar: false, answers: [] },
  environment: [],
  sources: [
    statusSource,
    {
      source: 'mark',
      reports: [
        { from: 'any', to: 'ready' },
        { from: 'any', to: 'working' },
      ],
    },
    { source: 'title', reports: [] },
    {
      source: 'silence',
      reports: [
        ...(['starting', 'ready', 'unknown'] as const).map((from) => ({ from, to: 'working' as const })),
        ...(['starting', 'working'] as const).map((from) => ({ from, to: 'unknown' as const })),
      ],
    },
  ],

  async detect() {
    return { installed: true, signedIn: null, version: null, path: null, note: null };
  },

  launch({ argv, cwd, env, conversation }) {
    if (conversation.kind === 'fork')
      return refuse('agent/cannot', 'Cannot branch a plain command: it has no conversation');
    if ((argv[0] ?? '') === '')
      return refuse(
        'request/invalid',
        'Cannot start a plain command: no program was named',
        'concert run -a generic -- <program> [arguments]',
      );
    if (argv.some((argument) => argument.includes('\0')))
      return refuse('request/invalid', 'Cannot start the command: an argument holds a NUL character');
    return ok({
      main: { argv: [...argv], env: { ...env, ...terminalEnvironment }, cwd, io: 'pty' },
      sidecars: [],
      files: [],
      conversation: null,
      carriesPrompt: true,
      nativeResume: null,
    });
  },

  submit: typeAndEnter,

  interrupt() {
    return [{ bytes: '\x03', thenWaitMs: 0 }];
  },

  readSignals() {
    return new GenericReader();
  },

  connect() {
    return null;
  },
};
