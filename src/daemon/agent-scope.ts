/** What decides where an agent's process lives. */
export interface ScopeOptions {
  session: string;
  incarnation: number;
  /** For the agent and all it starts; null for no limit. */
  memoryMaxMiB: number | null;
}

/**
 * The command in a systemd scope of its own: the agent's whole tree is then accounted, limited and, when memory ends,
 * taken together, and never its holder. `systemd-run --scope` becomes the command, so the pid stays the child's.
 */
export function inScope(argv: readonly string[], { session, incarnation, memoryMaxMiB }: ScopeOptions): string[] {
  const unit = `--unit=concert-agent-${session}-${incarnation}`;
  const limit = memoryMaxMiB === null ? [] : ['--property', `MemoryMax=${memoryMaxMiB}M`];
  return ['systemd-run', '--user', '--scope', '--quiet', '--collect', unit, ...limit, '--', ...argv];
}
