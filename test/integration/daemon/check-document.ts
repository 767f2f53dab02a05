import assert from 'node:assert/strict';
import {
  AgentsDocument,
  DiffDocument,
  DoctorDocument,
  DoneDocument,
  ErrorDocument,
  EventsDocument,
  ExplainDocument,
  errorCodes,
  RunDocument,
  ShowDocument,
  SnapshotDocument,
  StatusDocument,
  TrustDocument,
} from '../../../src/protocol/index.ts';

const schemas = {
  'concert/agents@1': AgentsDocument,
  'concert/diff@1': DiffDocument,
  'concert/doctor@1': DoctorDocument,
  'concert/done@1': DoneDocument,
  'concert/error@1': ErrorDocument,
  'concert/events@1': EventsDocument,
  'concert/explain@1': ExplainDocument,
  'concert/run@1': RunDocument,
  'concert/session@1': ShowDocument,
  'concert/snapshot@1': SnapshotDocument,
  'concert/status@1': StatusDocument,
  'concert/trust@1': TrustDocument,
} as const;

export type DocumentName = keyof typeof schemas;

/** Throws unless an answer is a whole document of the contract: nothing missing, nothing of a wrong kind, nothing undeclared. */
export function checkDocument(value: unknown): DocumentName {
  const name = (value as { schema?: string } | null)?.schema ?? '';
  assert(Object.hasOwn(schemas, name), `An answer without a known schema: ${JSON.stringify(value)?.slice(0, 300)}`);
  const declared: unknown = schemas[name as DocumentName].parse(value);
  // What the schema does not name is missing in what it hands out.
  assert.deepEqual(declared, value);
  return name as DocumentName;
}

/** A refusal that a person can act on: a code of the table, one printable sentence, a hint. */
export function checkRefusal(status: number, value: unknown): ErrorDocument {
  assert.equal(checkDocument(value), 'concert/error@1');
  const refusal = value as ErrorDocument;
  assert(Object.hasOwn(errorCodes, refusal.code), `Unknown code "${refusal.code}"`);
  assert.equal(status, errorCodes[refusal.code as keyof typeof errorCodes].http);
  assert.match(refusal.message, /^[\p{Lu}"][^\p{Cc}\p{Cf}]{10,}$/u);
  assert(refusal.message.length < 1000, `A message of ${refusal.message.length} characters`);
  assert.notEqual(refusal.hint, '');
  return refusal;
}
