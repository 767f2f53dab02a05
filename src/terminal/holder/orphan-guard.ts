import type { ChildProcess } from 'node:child_process';
import { spawnClean } from './spawn-clean.ts';

/**
 * Ends the children of a holder that dies without a word. The kernel hangs up terminals by itself, but a piped child,
 * and one that ignores the hang-up, would go on unseen. So each holder has one small shell beside it which knows the
 * groups and reads from a pipe; at the end of that pipe it hangs them up and, a second later, kills what is left.
 */
export interface OrphanGuard extends Disposable {
  watch(pid: number): void;
  /** The process ended and was reaped: its number may come to belong to a stranger. */
  forget(pid: number): void;
}

/** Lines `+pid` and `-pid`. Signals meant for the holder's surroundings must not end the guard before it. */
const script = `
trap '' HUP INT TERM QUIT
groups=' '
while read -r line; do
  case $line in
    +*) groups="$groups\${line#+} " ;;
    -*) pid=\${line#-}; case $groups in *" $pid "*) groups="\${groups%% $pid *} \${groups#* $pid }" ;; esac ;;
  esac
done
for pid in $groups; do kill -s HUP -- "-$pid"; kill -s CONT -- "-$pid"; done
for turn in 1 2 3 4 5 6 7 8 9 10; do
  left=
  for pid in $groups; do if kill -s 0 -- "-$pid"; then left="$left $pid"; fi; done
  if [ -z "$left" ]; then exit 0; fi
  sleep 0.1 || sleep 1
done
for pid in $groups; do kill -s KILL -- "-$pid"; done
`;

/** Started with the first child. If someone ends the guard, the next child starts another that knows all living ones. */
export class ShellOrphanGuard implements OrphanGuard {
  #shell: ChildProcess | null = null;
  #watched = new Set<number>();

  watch(pid: number): void {
    this.#watched.add(pid);
    if (this.#shell === null) {
      this.#shell = this.#start();
      for (const known of this.#watched) this.#tell(`+${known}`);
    } else this.#tell(`+${pid}`);
  }

  forget(pid: number): void {
    if (this.#watched.delete(pid)) this.#tell(`-${pid}`);
  }

  /** Ends the guard without harm to those still watched. */
  [Symbol.dispose](): void {
    for (const pid of this.#watched) this.#tell(`-${pid}`);
    this.#watched.clear();
    this.#shell?.stdin?.end();
    this.#shell = null;
  }

  #start(): ChildProcess {
    const shell = spawnClean({
      argv: ['/bin/sh', '-c', script, 'concert-orphan-guard'],
      cwd: '/',
      env: { PATH: '/bin:/usr/bin' },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const gone = () => {
      if (this.#shell === shell) this.#shell = null;
    };
    shell.on('error', gone);
    shell.on('exit', gone);
    shell.stdin?.on('error', gone);
    return shell;
  }

  #tell(line: string): void {
    this.#shell?.stdin?.write(`${line}\n`);
  }
}
