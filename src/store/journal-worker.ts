import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { assert } from '../base/index.ts';
import type { JournalFile, WriteItem } from './journal-file.ts';
import { type JournalJob, runJournalJob } from './journal-jobs.ts';
import {
  type JournalRequest,
  type JournalWorkerData,
  type OpeningAnswer,
  toWire,
  type WireOutcome,
} from './journal-wire.ts';
import { openJournalFile } from './open-journal-file.ts';
import { StoreError } from './store-error.ts';

/**
 * Entry of every thread that touches a journal: the one that owns its single writing connection, or a short-lived one
 * that does a job beside it.
 */
assert(parentPort, 'The journal worker runs as a worker thread');
const data = workerData as JournalWorkerData | JournalJob;
if (data.role === 'journal') serveJournal(parentPort, data);
else parentPort.postMessage(runJournalJob(data));

function serveJournal(port: MessagePort, options: JournalWorkerData): void {
  const file = open(port, options);
  if (file === null) return;
  let tending: NodeJS.Immediate | null = null;

  /** Takes the reserve in small parts, so that a commit never waits long. */
  const tend = () => {
    tending = file.tend() ? setImmediate(tend) : null;
    if (tending === null) report(port, file, null);
  };

  port.on('message', (requests: JournalRequest[]) => {
    const isLast = requests.at(-1)?.type === 'close';
    const outcomes = answer(file, isLast ? requests.slice(0, -1) : requests);
    if (isLast) {
      if (tending !== null) clearImmediate(tending);
      file[Symbol.dispose]();
      report(port, file, [...outcomes, { ok: true, value: null }]);
      port.close();
      return;
    }
    report(port, file, outcomes);
    file.foldLongLog();
    if (requests.some(({ type }) => type === 'tend')) tending ??= setImmediate(tend);
  });
}

function open(port: MessagePort, options: JournalWorkerData): JournalFile | null {
  const post = (answer: OpeningAnswer) => port.postMessage(answer);
  try {
    const { file, condition, snapshot, rows, end, epoch, isCheckPending } = openJournalFile(options);
    const kept = snapshot && { seq: snapshot.seq, state: snapshot.state };
    post({ ok: true, condition, snapshot: kept, rows, lastSeq: end.seq, epoch, isCheckPending });
    return file;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    post({ ok: false, error: toWire(error) });
    return null;
  }
}

/** Writes that follow each other share a transaction. */
function answer(file: JournalFile, requests: readonly JournalRequest[]): WireOutcome[] {
  const outcomes: WireOutcome[] = [];
  let writes: WriteItem[] = [];
  const writeOut = () => {
    for (const outcome of file.write(writes))
      outcomes.push(outcome.ok ? outcome : { ok: false, error: toWire(outcome.error) });
    writes = [];
  };
  for (const request of requests) {
    if (request.type === 'append' || request.type === 'coordinate') writes.push(request);
    else {
      if (writes.length > 0) writeOut();
      outcomes.push(answerOne(file, request));
    }
  }
  if (writes.length > 0) writeOut();
  return outcomes;
}

function answerOne(file: JournalFile, request: Exclude<JournalRequest, WriteItem>): WireOutcome {
  try {
    return { ok: true, value: run(file, request) };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return { ok: false, error: toWire(error) };
  }
}

function run(file: JournalFile, request: Exclude<JournalRequest, WriteItem>) {
  switch (request.type) {
    case 'read':
      return file.read(request.afterSeq, request.limit);
    case 'snapshot':
      file.writeSnapshot(request.seq, request.state);
      return null;
    case 'distrust':
      file.distrust(request.message);
      return null;
    case 'tend':
    case 'close':
      return null;
  }
}

function report(port: MessagePort, file: JournalFile, outcomes: WireOutcome[] | null): void {
  port.postMessage({ outcomes, changedPools: file.takeChangedPools(), notices: file.takeNotices() });
}
