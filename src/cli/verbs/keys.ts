import { parseKeys } from '../parse-keys.ts';
import { defineVerb } from '../verb.ts';

export const verb = defineVerb({
  shape: (command) =>
    command
      .argument('<id>')
      .argument(
        '<keys...>',
        'typed without anything between them; ^C, \\r, \\n, \\t, \\e, \\x1b, \\u{e9}, \\\\ and \\^',
      ),
  async run(call, [ref = '', ...keys]) {
    const bytes = parseKeys(keys);
    if (!bytes.ok) return bytes;
    const session = await call.session(ref);
    if (!session.ok) return session;
    return call.report(await call.api.keys(session.value.id, { bytes: Buffer.from(bytes.value).toString('base64') }));
  },
});
