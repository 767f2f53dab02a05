/**
 * Characters that could move the cursor, start an escape sequence, reorder what is read or hide in it: controls (C0,
 * DEL, C1), zero-width and bidirectional ones, line separators, interlinear marks, tags, and half surrogates.
 */
const tricks =
  /[\u0000-\u001f\u007f-\u009f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;

/**
 * Untrusted text made safe for one line: tricks become spaces, runs of space one, and above `lengthMax` characters it
 * ends in `…`.
 */
export function plainLine(text: string, lengthMax: number): string {
  const plain = text
    .slice(0, lengthMax * 8)
    .replace(tricks, ' ')
    .replace(/\ufe0f/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  const characters = [...plain];
  return characters.length <= lengthMax ? plain : `${characters.slice(0, lengthMax - 1).join('')}…`;
}

/** Untrusted text of several lines made safe: line breaks and tabs stay, other tricks go. */
export function plainText(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(tricks, (trick) => (trick === '\n' || trick === '\t' ? trick : ''));
}

/** The same JSON with every trick spelled as `\uXXXX`, so that a document printed to a terminal cannot act there. */
export function withoutTricks(json: string): string {
  return json.replace(tricks, (trick) => {
    let spelled = '';
    for (let at = 0; at < trick.length; at++) spelled += `\\u${trick.charCodeAt(at).toString(16).padStart(4, '0')}`;
    return spelled;
  });
}
