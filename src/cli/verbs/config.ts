import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ok, type Result, refuse } from '../../base/index.ts';
import { plainLine } from '../../client/index.ts';
import {
  type ConfigDocument,
  type ConfigKey,
  configKeys,
  configSchema,
  type ErrorCode,
  exitCodes,
  isConfigKey,
  type ResolvedConfig,
  resolveConfig,
  variableOf,
} from '../../protocol/index.ts';
import type { Call } from '../call.ts';
import { parseConfig, readConfig, readConfigFile, readValue, resolve } from '../config-file.ts';
import type { Outcome } from '../outcome.ts';
import { defineVerb } from '../verb.ts';

const actions: Readonly<Record<string, (call: Call, args: string[]) => Promise<Outcome> | Outcome>> = {
  get: getValues,
  set: setValue,
  edit: editFile,
  explain: explainValues,
};

export const verb = defineVerb({
  shape: (command) =>
    command
      .argument('[action]', 'get, set, edit or explain', 'get')
      .argument('[key]', 'a setting, such as slots')
      .argument('[value]', 'its new value, as JSON or a plain word'),
  async run(call, [action = 'get', ...args]) {
    const act = Object.hasOwn(actions, action) ? actions[action] : undefined;
    if (act === undefined) return refuse('request/invalid', 'Say get, set, edit or explain', 'concert config --help');
    return await act(call, args);
  },
});

function getValues(call: Call, [key]: string[]): Outcome {
  const document = documentOf(call, key);
  if (!document.ok) return document;
  call.answer(document.value, ({ items }) =>
    key === undefined
      ? items.map((item) => `${item.key} = ${JSON.stringify(item.value)}`)
      : items.map((item) => words(item.value)),
  );
  return exitCodes.ok;
}

function explainValues(call: Call, [key]: string[]): Outcome {
  const document = documentOf(call, key);
  if (!document.ok) return document;
  call.answer(document.value, ({ items, file }) => [
    ...items.flatMap((item) => [
      `${item.key} = ${JSON.stringify(item.value)}   from ${item.source === 'default' ? 'the default' : `${item.source} (${plainLine(item.origin, 200)})`}`,
      `    ${item.description}. Default ${JSON.stringify(item.default)}; variable ${item.variable}`,
    ]),
    `Settings file: ${plainLine(file, 200)}`,
  ]);
  return exitCodes.ok;
}

function setValue(call: Call, [key, text]: string[]): Outcome {
  if (key === undefined || text === undefined)
    return refuse('request/invalid', 'Name a setting and its value', 'concert config set slots 8');
  const { configFile } = call.home;
  const file = readConfigFile(configFile);
  if (!file.ok) return file;
  const values = { ...file.value, [key]: readValue(text) };
  const checked = resolveConfig([{ source: 'user file', origin: configFile, values }]);
  if (!checked.ok)
    return refuse('config/invalid', `${checked.problems[0]}; nothing was changed`, 'concert config explain');
  const written = replaceFile(configFile, `${JSON.stringify(values, null, 2)}\n`);
  if (!written.ok) return written;
  return getAfterChange(call, key);
}

function getAfterChange(call: Call, key: string): Outcome {
  const document = documentOf(call, key);
  if (!document.ok) return document;
  call.answer(document.value, ({ items }) => items.map((item) => `${item.key} = ${JSON.stringify(item.value)}`));
  const [item] = document.value.items;
  if (item?.source === 'environment') call.tell(`${item.origin} is set and wins over the file`);
  else if (key !== 'prefix')
    call.tell('It counts from the next start of the daemon: concert down && concert up; sessions go on');
  return exitCodes.ok;
}

/** The person edits a copy; it takes the place of the file only when it can be used. */
async function editFile(call: Call): Promise<Outcome> {
  const { configFile } = call.home;
  if (!call.canAsk)
    return refuse('request/invalid', 'Editing needs a terminal', `Edit ${configFile}, or concert config set`);
  const draft = `${configFile}.draft.json`;
  const prepared = replaceFile(draft, textToEdit(configFile));
  if (!prepared.ok) return prepared;
  const { runEditor } = await import('../run-editor.ts');
  const edited = await runEditor(call, draft);
  if (!edited.ok) return edited;
  const values = parseConfig(readFileSync(draft, 'utf8'), draft);
  const checked = values.ok ? resolve(values.value, draft, {}) : values;
  if (!checked.ok) return { ...checked, hint: `The settings are as before. What you wrote is in ${draft}` };
  renameSync(draft, configFile);
  call.print(`Saved ${plainLine(configFile, 200)}`);
  call.tell('It counts from the next start of the daemon: concert down && concert up; sessions go on');
  return exitCodes.ok;
}

function textToEdit(configFile: string): string {
  try {
    return readFileSync(configFile, 'utf8');
  } catch {
    // No file yet.
    return '{\n}\n';
  }
}

function documentOf(call: Call, key: string | undefined): Result<ConfigDocument, ErrorCode> {
  const { configFile } = call.home;
  const resolved = readConfig(configFile, call.invocation.env);
  if (!resolved.ok) return resolved;
  if (key !== undefined && !isConfigKey(key)) {
    const asked = resolveConfig([{ source: 'flag', origin: 'what you asked for', values: { [key]: null } }]);
    return refuse(
      'config/invalid',
      asked.ok ? 'There is no such setting' : (asked.problems[0] ?? ''),
      'concert config get',
    );
  }
  const keys = key === undefined ? configKeys : [key];
  return ok({ schema: 'concert/config@1', file: configFile, items: keys.map((one) => itemOf(one, resolved.value)) });
}

function itemOf(key: ConfigKey, { config, sources }: ResolvedConfig): ConfigDocument['items'][number] {
  const { source, origin } = sources[key];
  return {
    key,
    value: config[key],
    source,
    origin,
    default: configSchema[key].parse(undefined),
    variable: variableOf(key),
    description: configSchema[key].description ?? '',
  };
}

/** Whole or not at all, readable by its owner only. */
function replaceFile(path: string, text: string): Result<null, ErrorCode> {
  const aside = `${path}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(aside, text, { mode: 0o600 });
    renameSync(aside, path);
    return ok(null);
  } catch (cause) {
    rmSync(aside, { force: true });
    const { code } = cause as NodeJS.ErrnoException;
    const refusal = `Cannot write "${path}" (${code}); the settings are as before`;
    return refuse(code === 'ENOSPC' ? 'disk/full' : code === 'EROFS' ? 'disk/read-only' : 'home/unusable', refusal);
  }
}

function words(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
