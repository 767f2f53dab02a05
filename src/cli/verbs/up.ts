import { rmSync } from 'node:fs';
import { refuse } from '../../base/index.ts';
import { Api } from '../../client/index.ts';
import { exitCodes } from '../../protocol/index.ts';
import { downMarker } from '../down-marker.ts';
import { defineVerb } from '../verb.ts';
import { statusLines } from './status.ts';

export const verb = defineVerb<{ foreground?: boolean; port?: string; open?: boolean }>({
  shape: (command) =>
    command
      .option('--foreground', 'in this process, until Ctrl+C')
      .option('--no-open', 'open no page (there is none yet)')
      .addOption(command.createOption('--port <n>').hideHelp()),
  async run(call, _args, { foreground, port }) {
    const { invocation, home, clock } = call;
    if (port !== undefined)
      return refuse('request/not-built-yet', 'The web page is not built yet, so there is no port; nothing was done');
    if (foreground === true) {
      rmSync(downMarker(home), { force: true });
      return await invocation.other.runDaemon();
    }
    let status = await call.api.status();
    if (!status.ok && status.code === 'daemon/not-running') {
      const { startDaemon } = await import('../start-daemon.ts');
      const started = await startDaemon(invocation, home, clock);
      if (!started.ok) return started;
      status = await new Api(call.transport).status();
    }
    if (!status.ok) return status;
    const own = invocation.version();
    if (status.value.daemon.version !== own) {
      call.tell(
        `The daemon is ${status.value.daemon.version} and this is ${own}. To change over: concert down && concert up; sessions go on`,
      );
    }
    const lines = call.flags.json ? [] : await statusLines(call, status.value);
    call.answer(status.value, () => lines);
    return exitCodes.ok;
  },
});
