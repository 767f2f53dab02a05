'use strict';

const { spawn } = require('child_process');
const { isatty } = require('tty');

/** What a person's terminal sends to parent and child alike; passing these on would deliver them twice. */
const keyboardSignals = ['SIGINT', 'SIGQUIT'];
const signals = ['SIGTERM', 'SIGHUP', 'SIGUSR2', ...keyboardSignals];

/**
 * Runs a program in our place: our stdio, our signals. Resolves with how it ended; rejects when it cannot start.
 * Must parse on Node 12, as the launcher does.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null }>}
 */
module.exports = function runChild(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', ...options });
    const sharesTerminal = isatty(0);
    /** @param {NodeJS.Signals} signal */
    const pass = (signal) => {
      if (!sharesTerminal || !keyboardSignals.includes(signal)) child.kill(signal);
    };
    for (const signal of signals) process.on(signal, pass);
    const end = () => {
      for (const signal of signals) process.removeListener(signal, pass);
    };
    child.once('error', (error) => {
      end();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      end();
      resolve({ code, signal });
    });
  });
};
