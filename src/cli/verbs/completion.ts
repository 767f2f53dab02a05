import { refuse } from '../../base/index.ts';
import { exitCodes } from '../../protocol/index.ts';
import { defineVerb } from '../verb.ts';
import { verbs } from '../verbs.ts';

const shown = Object.entries(verbs).filter(([, { isHidden }]) => isHidden !== true);
const names = shown.map(([name]) => name).join(' ');
const withIds = shown.filter(([, { completes }]) => completes === 'ids').map(([name]) => name);
const withWords = shown.flatMap(([name, { completes }]) =>
  typeof completes === 'object' ? [[name, completes.join(' ')] as const] : [],
);

const scripts: Readonly<Record<string, () => string>> = { bash, zsh, fish };

export const verb = defineVerb({
  shape: (command) => command.argument('<shell>', 'bash, zsh or fish'),
  async run(call, [shell = '']) {
    const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
    if (script === undefined)
      return refuse('request/invalid', 'Completion is made for bash, zsh and fish', 'concert completion bash');
    call.invocation.stdout.write(script());
    return exitCodes.ok;
  },
});

function bash(): string {
  return `# concert completion for bash: put  eval "$(concert completion bash)"  into ~/.bashrc
_concert() {
  local word="\${COMP_WORDS[COMP_CWORD]}" verb="\${COMP_WORDS[1]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then words="${names}"
  else case "$verb" in
    ${withIds.join('|')}) words="$(concert ids 2>/dev/null)" ;;
${withWords.map(([name, words]) => `    ${name}) words="${words}" ;;`).join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _concert concert
`;
}

function zsh(): string {
  const described = shown.map(([name, { summary }]) => `    '${name}:${summary.replace(/[':]/g, ' ')}'`).join('\n');
  return `#compdef concert
# concert completion for zsh: put  eval "$(concert completion zsh)"  into ~/.zshrc
_concert() {
  local -a verbs sessions
  verbs=(
${described}
  )
  if (( CURRENT == 2 )); then _describe 'verb' verbs; return; fi
  case "$words[2]" in
    ${withIds.join('|')}) sessions=(\${(f)"$(concert ids 2>/dev/null)"}); compadd -a sessions ;;
${withWords.map(([name, words]) => `    ${name}) compadd ${words} ;;`).join('\n')}
    *) _files ;;
  esac
}
compdef _concert concert
`;
}

function fish(): string {
  const quoted = (text: string) => `'${text.replaceAll("'", ' ')}'`;
  return `# concert completion for fish: put  concert completion fish | source  into config.fish
complete -c concert -n __fish_use_subcommand -f
${shown.map(([name, { summary }]) => `complete -c concert -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`).join('\n')}
complete -c concert -n '__fish_seen_subcommand_from ${withIds.join(' ')}' -f -a '(concert ids 2>/dev/null)'
${withWords.map(([name, words]) => `complete -c concert -n '__fish_seen_subcommand_from ${name}' -f -a '${words}'`).join('\n')}
`;
}
