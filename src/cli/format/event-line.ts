import { plainLine } from '../../client/index.ts';
import type { EventDocument } from '../../protocol/index.ts';

type Data = EventDocument['data'];
type Name = (session: string | null) => string;

const word = (value: unknown, lengthMax = 60): string =>
  typeof value === 'string' || typeof value === 'number' ? plainLine(String(value), lengthMax) : '';
const record = (value: unknown): Data => (typeof value === 'object' && value !== null ? (value as Data) : {});

/** What happened, in words. `who` is the session's name. */
const sentences: Readonly<Record<string, (data: Data, who: string) => string>> = {
  'daemon.started': (data) => `The daemon ${word(data['version'])} started as process ${word(data['pid'])}`,
  'daemon.stopped': () => 'The daemon stopped; sessions went on',
  'project.added': (data) => `${word(data['name'])} became known (${word(data['root'], 200)})`,
  'task.added': (data) => `Task added: ${word(record(data['spec'])['title'], 120)}`,
  'task.claimed': (_, who) => `${who} got a slot`,
  'task.finished': (data, who) => `The task of ${who} ended: ${word(data['outcome'])}`,
  'task.removed': () => 'A task was taken off the queue',
  'session.created': (data, who) => `${who} was created${data['tab'] === null ? '' : ` on tab ${word(data['tab'])}`}`,
  'session.worktreeReady': (data, who) => `${who} works in ${word(record(data['worktree'])['path'], 200)}`,
  'session.launchRequested': (data, who) => `${who} ${data['resume'] === true ? 'is resumed' : 'is launched'}`,
  'session.processStarted': (data, who) => `${who} runs as process ${word(record(data['process'])['pid'])}`,
  'session.processExited': (data, who) => `${who} ended: ${exitWords(record(data['exit']))}`,
  'session.processLost': (data, who) => `${who} was lost (${word(data['cause'])}) while ${word(data['cutState'])}`,
  'session.adopted': (_, who) => `${who} was found alive after a restart of the daemon`,
  'session.stateChanged': (data, who) => {
    const { source, signal } = record(data['evidence']);
    return `${who}: ${word(data['from'])} to ${word(data['to'])} (${word(source)}: ${word(signal)})`;
  },
  'session.deepened': (data, who) =>
    data['deep'] === true ? `${who} is deep in its turn` : `${who} is no longer deep`,
  'session.stopRequested': (data, who) =>
    data['by'] === 'fleet' ? `${who} is stopped to free its slot` : `You asked ${who} to stop`,
  'session.killed': (_, who) => `${who} did not stop by itself and was killed`,
  'session.paused': (_, who) => `${who} was paused: messages wait`,
  'session.unpaused': (_, who) => `${who} goes on`,
  'session.settled': (_, who) => `You settled what ${who} had finished`,
  'session.renamed': (data) => `A session is now called ${word(data['name'])}`,
  'session.tabChanged': (data, who) =>
    data['tab'] === null ? `${who} left its tab` : `${who} is on tab ${word(data['tab'])}`,
  'session.removalRequested': (data, who) => `You asked to remove ${who}${data['force'] === true ? ' by force' : ''}`,
  'session.removalRefused': (data, who) => `${who} was not removed: ${word(data['message'], 200)}`,
  'session.removed': (data, who) =>
    `${who} was removed${typeof data['backupRef'] === 'string' ? `; its work is kept as ${word(data['backupRef'], 120)}` : ''}`,
  'message.queued': (data, who) => `A message waits for ${who}${data['steer'] === true ? ' (at once)' : ''}`,
  'message.sent': (_, who) => `A message was typed into ${who}`,
  'driver.changed': (data, who) =>
    data['device'] === null ? `Nobody drives ${who}` : `${word(data['device'], 64)} drives ${who}`,
  'recovery.finished': (data) => recoveryWords(record(data['report'])),
};

/** Acts of the fleet itself, nobody having asked for them at that moment. */
const automatic: Readonly<Record<string, (data: Data) => boolean>> = {
  'session.stopRequested': (data) => data['by'] === 'fleet',
  'session.killed': () => true,
  'session.adopted': () => true,
  'session.deepened': () => true,
  'task.claimed': () => true,
  'message.sent': () => true,
  'recovery.finished': () => true,
};

export function isAutomatic({ type, data }: EventDocument): boolean {
  return automatic[type]?.(data) === true;
}

/** `2026-11-22 10:58  checkout-tax: working to blocked (hook: PermissionRequest)`; a type of a later version names itself. */
export function eventSentence(event: EventDocument, nameOf: Name): string {
  const who = event.session === null ? 'A session' : plainLine(nameOf(event.session), 60);
  const words =
    sentences[event.type]?.(event.data, who) ??
    `${plainLine(event.type, 60)}${event.session === null ? '' : ` ${who}`}`;
  return `${localStamp(event.at)}  ${words}`;
}

/** `4812  2026-11-22T10:58:09.000Z  session.stateChanged  checkout-tax  from=working to=blocked`. */
export function eventLine(event: EventDocument, nameOf: Name): string {
  const facts = Object.entries(event.data)
    .filter(([key]) => key !== 'session')
    .map(([key, value]) => `${plainLine(key, 40)}=${fact(value)}`);
  const who = event.session === null ? '-' : plainLine(nameOf(event.session), 60);
  return [event.seq, event.at, plainLine(event.type, 60), who, facts.join(' ')].join('  ').trimEnd();
}

function fact(value: unknown): string {
  if (typeof value === 'string') return /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(plainLine(value, 120));
  return plainLine(JSON.stringify(value) ?? '', 160);
}

function exitWords({ code, signal, error, message }: Data): string {
  if (typeof message === 'string') return word(message, 200);
  if (typeof error === 'string') return word(error);
  return typeof signal === 'string' ? `killed by ${word(signal)}` : `exit code ${word(code)}`;
}

function recoveryWords(report: Data): string {
  const count = (key: string) => (Array.isArray(report[key]) ? report[key].length : 0);
  const parts = [
    `${count('adopted')} kept running`,
    `${count('ended')} had ended`,
    `${count('lost')} lost`,
    ...(count('relaunched') > 0 ? [`${count('relaunched')} launched again`] : []),
  ];
  return `The daemon looked around after its start: ${parts.join(', ')}`;
}

function localStamp(iso: string): string {
  const at = new Date(iso);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
