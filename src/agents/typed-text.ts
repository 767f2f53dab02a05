import type { InputStep } from './agent.ts';

/** Agents were measured to take an Enter that follows a paste by 50 to 300 ms; earlier it joins the paste. */
const afterPasteMs = 150;

/** A prompt as one bracketed paste and a separate Enter. Nothing in the text can end the paste or act as a key. */
export function pasteAndEnter(text: string): readonly InputStep[] {
  return [
    { bytes: `\x1b[200~${inertText(text)}\x1b[201~`, thenWaitMs: afterPasteMs },
    { bytes: '\r', thenWaitMs: 0 },
  ];
}

/** Lines typed as a person would, for programs that may not know pastes. Each line break is an Enter. */
export function typeAndEnter(text: string): readonly InputStep[] {
  return [{ bytes: `${inertText(text)}\r`, thenWaitMs: 0 }];
}

/** Without C0 (but tab), DEL and C1, so without any escape sequence; line breaks as the CR a terminal sends for them. */
function inertText(text: string): string {
  return text
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(/\r\n?|\n|\u2028|\u2029/g, '\r')
    .replace(/[\u0000-\u0008\u000a-\u000c\u000e-\u001f\u007f-\u009f]/g, '');
}
