import { join } from 'node:path';
import { ok, refuse } from '../../base/index.ts';
import type { Agent } from '../agent.ts';
import { terminalEnvironment } from '../environment.ts';
import { statusSource } from '../status-signals.ts';
import { pasteAndEnter } from '../typed-text.ts';
import { DemoReader } from './demo-reader.ts';
import { titleWords } from './demo-report.ts';

export interface DemoAgentOptions {
  /** The Node that runs the program. */
  nodePath: string;
  /** The bundled program, `dist/demo-agent.js`. */
  entry: string;
}

/** A program that plays a coding agent: it edits, tests and commits for real in a throwaway repository and calls no model. */
export function createDemoAgent({ nodePath, entry }: DemoAgentOptions): Agent {
  return {
    id: 'demo',
    title: 'Simulated agent',
    isSimulated: true,
    abilities: {
      resume: true,
      fork: false,
      choosesConversation: true,
      prompts: true,
      sidecar: false,
      answers: ['keys'],
    },
    environment: [],
    sources: [
      { ...statusSource, reports: [...statusSource.reports, { from: 'any', to: 'parked' }] },
      {
        source: 'title',
        reports: [...(Object.keys(titleWords) as (keyof typeof titleWords)[]), 'unknown' as const].map((to) => ({
          from: 'any',
          to,
        })),
      },
    ],

    async detect(probe) {
      const isThere = (await probe.file(entry)) !== null;
      const note = isThere ? null : 'The demo program is missing from this installation: build or install it again';
      return { installed: isThere, signedIn: null, version: null, path: isThere ? entry : null, note };
    },

    launch(request) {
      const { conversation, prompt, privateDir, incarnation, cwd } = request;
      if (conversation.kind === 'fork')
        return refuse('agent/cannot', 'The demo agent cannot branch a conversation; start a new session instead');
      if (conversation.kind === 'resume' && conversation.id === null)
        return refuse('session/cannot-resume', 'Cannot resume: the session ended before its conversation began');
      if (request.argv.some((argument) => argument.includes('\0')))
        return refuse('request/invalid', 'Cannot start the demo agent: an argument holds a NUL character');
      const id = conversation.id ?? '';
      const start = conversation.kind === 'resume' ? `--resume=${id}` : `--conversation=${id}`;
      const promptFile = join(privateDir, `prompt-${incarnation}.txt`);
      const common = [nodePath, entry, ...request.argv, `--log-dir=${privateDir}`];
      return ok({
        main: {
          argv: [...common, start, ...(prompt === '' ? [] : [`--prompt-file=${promptFile}`])],
          env: { ...request.env, ...terminalEnvironment },
          cwd,
          io: 'pty',
        },
        sidecars: [],
        files: prompt === '' ? [] : [{ path: promptFile, content: prompt }],
        conversation: id,
        carriesPrompt: true,
        nativeResume: [...common, `--resume=${id}`],
      });
    },

    submit: pasteAndEnter,

    interrupt() {
      return [{ bytes: '\x1b', thenWaitMs: 0 }];
    },

    readSignals({ conversation }) {
      return new DemoReader(conversation);
    },

    connect() {
      return null;
    },
  } satisfies Agent;
}
